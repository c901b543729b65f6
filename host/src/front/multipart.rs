//! `multipart/form-data` (RFC 7578), as browsers, curl and HTTP libraries send forms with files: its
//! parts as arguments by name.

use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::{FutureExt as _, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING};
use http::{HeaderMap, HeaderName};
use multer::{Field, Multipart};

use super::media::{ContentType, Media, unsupported};
use crate::budget::Charge;
use crate::codec::json;
use crate::codec::text::{self, Item, takes_file};
use crate::codec::types::{Arguments, Signature, Type};
use crate::error::{CallError, ErrorKind, excerpt};

/// The arguments in the body's parts: text is read as in any form, files are taken as bytes and text,
/// and a part that is JSON is read as JSON.
///
/// # Errors
///
/// [`ErrorKind::BadRequest`] for what is no such form, [`ErrorKind::UnsupportedMediaType`] for a part of a type
/// that its parameter does not take.
pub(super) fn arguments(
    content: &ContentType,
    body: &Bytes,
    signature: &Signature,
    charge: &mut Charge,
) -> Result<Arguments, CallError> {
    let parts = split(content, body, charge)?;
    let mut items = Vec::with_capacity(parts.len());
    for part in parts {
        let ty = signature.parameter(&part.name).map(|parameter| &parameter.ty);
        let item = match ty {
            Some(ty) => part.item(ty, charge).map_err(|error| CallError {
                message: format!("the part `{}`: {}", part.name, error.message),
                ..error
            })?,
            // To be refused by its name.
            None => Some(Item::Text("".into())),
        };
        items.extend(item.map(|item| (part.name.clone().into(), item)));
    }
    text::arguments(items, signature)
}

/// The contents of the body's parts, with their names.
///
/// # Errors
///
/// As [`arguments`].
pub(super) fn contents(
    content: &ContentType,
    body: &Bytes,
    charge: &mut Charge,
) -> Result<Vec<(String, Bytes)>, CallError> {
    let parts = split(content, body, charge)?;
    Ok(parts.into_iter().map(|part| (part.name, part.data)).collect())
}

fn split(content: &ContentType, body: &Bytes, charge: &mut Charge) -> Result<Vec<Part>, CallError> {
    let Some(boundary) = &content.boundary else {
        return Err(CallError::bad_request(
            "multipart/form-data needs its boundary in the Content-Type header; HTTP libraries write that header by themselves",
        ));
    };
    // The library has a copy of the body, of which the parts are slices.
    charge.take(body.len() + PART * most_parts(body))?;
    // All of the body is there, so that nothing is ever waited for.
    parts(body.clone(), boundary).now_or_never().unwrap_or_else(|| {
        Err(CallError::new(ErrorKind::Internal, "a form that is there was waited for"))
    })
}

/// What a part takes beside its content: its headers, its name, its place among the arguments.
const PART: usize = 2 << 10;

/// Each part begins at a line that begins with two hyphens.
fn most_parts(body: &[u8]) -> usize {
    memchr::memmem::find_iter(body, b"\n--").count() + 1
}

struct Part {
    name: String,
    content: ContentType,
    file: File,
    data: Bytes,
}

#[derive(Clone, Copy, PartialEq)]
enum File {
    No,
    /// Without a name, and without content where nobody chose a file in a browser.
    Unnamed,
    Chosen,
}

async fn parts(body: Bytes, boundary: &str) -> Result<Vec<Part>, CallError> {
    let whole = stream::once(async { Ok::<_, Infallible>(body) });
    let mut form = Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|e| malformed(&e))? {
        parts.push(part(field).await?);
    }
    Ok(parts)
}

async fn part(mut field: Field<'_>) -> Result<Part, CallError> {
    let Some(name) = field.name().map(str::to_owned) else {
        return Err(CallError::bad_request(
            "a part of the form has no name, or one that is not UTF-8; each is named after an argument",
        ));
    };
    check_encodings(&name, field.headers())?;
    // An encoded name of a file counts as one, whatever it is.
    let has_encoded = field.headers().get(CONTENT_DISPOSITION).is_some_and(|disposition| {
        disposition.as_bytes().windows(10).any(|window| window.eq_ignore_ascii_case(b"filename*="))
    });
    let file = match field.file_name() {
        _ if has_encoded => File::Chosen,
        Some("") => File::Unnamed,
        Some(_) => File::Chosen,
        None => File::No,
    };
    let content = ContentType::of(field.headers())?;
    let mut data = field.chunk().await.map_err(|e| malformed(&e))?.unwrap_or_default();
    // The first is all of it, as long as the body comes in one piece.
    while let Some(more) = field.chunk().await.map_err(|e| malformed(&e))? {
        data = [data, more].concat().into();
    }
    Ok(Part { name, content, file, data })
}

/// Refuses a part whose content is encoded once more, which RFC 7578, section 4.7, deprecates.
fn check_encodings(name: &str, headers: &HeaderMap) -> Result<(), CallError> {
    const TRANSFER: HeaderName = HeaderName::from_static("content-transfer-encoding");
    const PLAIN: [&str; 4] = ["identity", "7bit", "8bit", "binary"];
    for header in [CONTENT_ENCODING, TRANSFER] {
        for encoding in headers.get_all(&header) {
            let encoding = String::from_utf8_lossy(encoding.as_bytes());
            let is_plain = PLAIN.iter().any(|plain| encoding.trim().eq_ignore_ascii_case(plain));
            if !is_plain {
                return Err(unsupported(format!(
                    "the part `{}` has {header}: {}; send its content as it is, and encode the whole request where it has to be smaller",
                    excerpt(name),
                    excerpt(&encoding),
                )));
            }
        }
    }
    Ok(())
}

fn malformed(error: &multer::Error) -> CallError {
    CallError::bad_request(format!("the request's body is not multipart/form-data: {error}"))
}

impl Part {
    /// What it is for a parameter of this type; `None` where a browser says that no file was chosen.
    fn item(&self, ty: &Type, charge: &mut Charge) -> Result<Option<Item<'static>>, CallError> {
        let is_file = self.file != File::No;
        if self.file == File::Unnamed && self.data.is_empty() {
            return Ok(None);
        }
        let takes_file = takes_file(ty);
        charge.take(match self.content.media {
            _ if is_file && takes_file && wants_bytes(ty) => 0,
            _ if is_file && takes_file => self.data.len(),
            Media::Json => json::memory(&self.data),
            _ => text::memory(&self.data),
        })?;
        Ok(Some(match self.content.media {
            Media::Json if !(is_file && takes_file) => Item::Json(self.content.json(&self.data)?),
            Media::Plain | Media::Bytes if !is_file && self.is_text() => {
                if wants_bytes(ty) {
                    return Err(unsupported(
                        "this is a field of text; bytes are sent as a file (curl -F name=@FILE, a Blob in JavaScript), or as base64 in JSON",
                    ));
                }
                Item::Text(self.content.text(&self.data)?.to_owned().into())
            }
            _ if takes_file => {
                if !wants_bytes(ty) {
                    // It says so where it is not UTF-8.
                    self.content.text(&self.data)?;
                }
                Item::File(self.data.clone())
            }
            _ => {
                let what = if is_file { "a file" } else { "a part" };
                return Err(unsupported(format!(
                    "{what} {} is not taken for {}; files are for list<u8> and string, so send this as a field of text, or with the type application/json",
                    self.content.shown(),
                    excerpt(&ty.to_string()),
                )));
            }
        }))
    }

    /// Whether it is a field, which says nothing of itself or that it is text.
    fn is_text(&self) -> bool {
        self.content.is_absent() || self.content.media == Media::Plain
    }
}

/// Whether it is `list<u8>`, or has it as its items.
fn wants_bytes(ty: &Type) -> bool {
    match ty {
        Type::List(item) => **item == Type::U8 || wants_bytes(item),
        Type::Option(inner) => wants_bytes(inner),
        _ => false,
    }
}
