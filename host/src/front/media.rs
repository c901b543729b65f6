//! Media types: the host's own; what a body is by its Content-Type, and how its text is read; in
//! [`reading`], which types take it as the one argument. `docs/bodies.md` has the same as a table, and
//! `tests/http/test_bodies.py` compares them.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use mediatype::{MediaType, Name, ReadParams as _};

use crate::codec::json;
use crate::codec::types::Type;
use crate::error::{CallError, ErrorKind, excerpt};
use crate::value::Value;

/// The content type of envelopes, and the mimetype of what is no text and no bytes.
pub(super) const JSON: &str = "application/json";

/// The content type of raw pickles, in and out.
pub(super) const PICKLE: &str = "application/vnd.tarp.pickle";

/// The content type of a value without an envelope.
pub(super) const VALUE: &str = "application/vnd.tarp.value+json";

/// What a body or a part of one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`, `text/json` and all that ends in `+json`.
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data`
    Multipart,
    /// `application/vnd.tarp.pickle`
    Pickle,
    /// `text/plain`
    Plain,
    /// Any other `text/`.
    Text,
    /// `application/octet-stream`, and what says nothing of itself.
    Bytes,
    /// Anything else.
    Other,
}

/// How the one argument is made of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As a value in a query is: by its type.
    Value,
    /// As the text that it is.
    Text,
    /// As the bytes that it is.
    Bytes,
}

/// How a parameter of this type takes a body of this kind; `None` where it does not.
pub(super) fn reading(media: Media, ty: &Type) -> Option<Reading> {
    let ty = if let Type::Option(inner) = ty { inner } else { ty };
    let takes_bytes = matches!(ty, Type::List(item) if **item == Type::U8);
    let takes_text = *ty == Type::String;
    match media {
        Media::Plain | Media::Text | Media::Bytes | Media::Other if takes_bytes => {
            Some(Reading::Bytes)
        }
        Media::Plain | Media::Text | Media::Bytes if takes_text => Some(Reading::Text),
        Media::Plain => Some(Reading::Value),
        _ => None,
    }
}

/// A Content-Type, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContentType {
    pub(super) media: Media,
    /// As it was said, without parameters; empty where nothing was said.
    pub(super) name: String,
    pub(super) boundary: Option<String>,
    charset: Option<String>,
}

impl ContentType {
    /// That of a request or of a part.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`] for a header that is said twice, [`ErrorKind::UnsupportedMediaType`] for one that
    /// names no media type.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, CallError> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return match headers.contains_key(CONTENT_TYPE) {
                true => Err(CallError::bad_request("there is more than one Content-Type header")),
                false => Ok(Self::nothing_said()),
            };
        };
        let value = value
            .to_str()
            .map_err(|_| CallError::bad_request("the Content-Type header is not text"))?;
        Self::parse(value.trim_end_matches([';', ' ', '\t'])).ok_or_else(|| {
            let name = excerpt(value);
            unsupported(format!(
                "the Content-Type `{name}` is no media type; application/json is one"
            ))
        })
    }

    fn nothing_said() -> Self {
        Self { media: Media::Bytes, name: String::new(), boundary: None, charset: None }
    }

    fn parse(value: &str) -> Option<Self> {
        if value.is_empty() {
            return Some(Self::nothing_said());
        }
        let parsed = MediaType::parse(value).ok()?;
        let parameter = |name: &'static str| {
            parsed.get_param(Name::new(name)?).map(|value| value.unquoted_str().into_owned())
        };
        let name = parsed.essence().to_string().to_ascii_lowercase();
        let is_json = |name: &str| name.ends_with("+json");
        let media = match &*name {
            "application/json" | "text/json" => Media::Json,
            name if is_json(name) => Media::Json,
            "application/x-www-form-urlencoded" => Media::Form,
            "multipart/form-data" => Media::Multipart,
            PICKLE => Media::Pickle,
            "text/plain" => Media::Plain,
            "application/octet-stream" => Media::Bytes,
            name if name.starts_with("text/") => Media::Text,
            _ => Media::Other,
        };
        Some(Self { media, boundary: parameter("boundary"), charset: parameter("charset"), name })
    }

    /// Whether nothing was said.
    pub(super) fn is_absent(&self) -> bool {
        self.name.is_empty()
    }

    /// What it is called in a message.
    pub(super) fn shown(&self) -> String {
        match &*self.name {
            "" => "without a Content-Type".into(),
            name => format!("of the type {}", excerpt(name)),
        }
    }

    /// The body as text, without a byte order mark.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnsupportedMediaType`] for a charset other than UTF-8, [`ErrorKind::BadRequest`] for what is
    /// not UTF-8.
    pub(super) fn text<'a>(&self, body: &'a [u8]) -> Result<&'a str, CallError> {
        match self.charset.as_deref() {
            Some(charset)
                if !["utf-8", "utf8", "us-ascii"]
                    .iter()
                    .any(|known| charset.eq_ignore_ascii_case(known)) =>
            {
                let charset = excerpt(charset);
                return Err(unsupported(format!("the charset {charset} is not read; send UTF-8")));
            }
            _ => {}
        }
        let expected = if self.media == Media::Json { "JSON in UTF-8" } else { "UTF-8" };
        match std::str::from_utf8(body) {
            Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
            Err(_) if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") => {
                Err(CallError::bad_request(format!(
                    "the request's body is not {expected} but UTF-16, by its first bytes; send UTF-8"
                )))
            }
            Err(e) => {
                Err(CallError::bad_request(format!("the request's body is not {expected}: {e}")))
            }
        }
    }

    /// A body or a part of one that is JSON, as a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`] where it is not, and as [`Self::text`].
    pub(super) fn json(&self, body: &[u8]) -> Result<Value, CallError> {
        let text = self.text(body)?;
        if text.trim_ascii().is_empty() {
            return Err(CallError::bad_request(
                "the request's body is empty; its Content-Type promises JSON",
            ));
        }
        json::parse(text.as_bytes())
            .map_err(|e| CallError::bad_request(format!("the request's body is not JSON: {e}")))
    }
}

pub(super) fn unsupported(message: impl Into<String>) -> CallError {
    CallError::new(ErrorKind::UnsupportedMediaType, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(value: &str) -> Result<ContentType, CallError> {
        let value = HeaderValue::from_str(value).unwrap();
        ContentType::of(&HeaderMap::from_iter([(CONTENT_TYPE, value)]))
    }

    #[test]
    fn media_types_are_known_by_any_spelling() {
        for (value, media) in [
            ("Application/JSON ; Charset=utf-8", Media::Json),
            ("application/problem+json", Media::Json),
            ("application/geo+JSON;charset=\"UTF-8\"", Media::Json),
            ("text/json", Media::Json),
            ("application/json;", Media::Json),
            ("Text/Plain", Media::Plain),
            ("text/csv; header=present", Media::Text),
            ("application/octet-stream", Media::Bytes),
            ("image/png", Media::Other),
            ("multipart/form-data; boundary=x", Media::Multipart),
            ("multipart/mixed; boundary=x", Media::Other),
        ] {
            assert_eq!(of(value).unwrap().media, media, "{value}");
        }
        assert!(ContentType::of(&HeaderMap::new()).unwrap().is_absent());
        assert_eq!(of("json").unwrap_err().kind, ErrorKind::UnsupportedMediaType);
    }

    #[test]
    fn text_is_utf_8_without_its_mark() {
        assert_eq!(of("text/plain").unwrap().text(b"\xef\xbb\xbfhi"), Ok("hi"));
        let error = of("text/plain; charset=latin-1").unwrap().text(b"hi").unwrap_err();
        assert_eq!(error.kind, ErrorKind::UnsupportedMediaType);
        assert!(error.message.contains("latin-1"));
        let error = of("text/plain").unwrap().text(b"\xff\xfeh\0").unwrap_err();
        assert!(error.message.contains("UTF-16"));
    }
}
