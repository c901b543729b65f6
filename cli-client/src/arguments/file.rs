//! What a file holds, as an argument of its parameter's type.

use std::io::{self, Read as _};
use std::path::Path;
use std::string::FromUtf8Error;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::json;
use super::numbers::{self, Notes, NumbersError, Source};
use super::table::{self, TableError};
use super::text::{self, TextError};
use crate::npy;
use crate::types::Type;

/// Reads a file, or standard input for `-`.
pub(super) fn read(path: &str) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    if path == "-" {
        let read = io::stdin().lock().read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(ReadError::StandardInput);
    }
    if path.is_empty() {
        return Err(ReadError::NoName);
    }
    std::fs::read(path).map_err(|source| ReadError::File { path: path.to_owned(), source })
}

/// An argument from a file: for bytes and text all of it, whatever it is; for other types the value
/// that is written in it. Of a table of numbers, `FILE:COLUMN` is one column.
pub(super) fn value(word: &str, ty: &Type, notes: &mut Notes) -> Result<Value, FileError> {
    let (path, column) = match word.rsplit_once(':') {
        Some((path, column)) if is_column(word, path, ty) => (path, Some(column)),
        _ => (word, None),
    };
    let bytes = read(path)?;
    let source = Source { file: Some(path), column };
    parsed(bytes, extension(path).as_deref(), ty, source, notes)
        .map_err(|why| FileError::content(path, why))
}

/// The JSON in a file, for a type that only the host knows.
pub(super) fn json(path: &str) -> Result<Value, FileError> {
    let bytes = read(path)?;
    let parsed = match String::from_utf8(bytes) {
        Ok(content) => json::parse(unmarked(&content)).map_err(ContentError::NoJson),
        Err(source) => Err(ContentError::NotUtf8(source)),
    };
    parsed.map_err(|why| FileError::content(path, why))
}

/// Why a file is no argument.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{place}: {why}")]
    Content { place: String, why: Box<ContentError> },
}

impl FileError {
    fn content(path: &str, why: ContentError) -> Self {
        let place = if path == "-" { "standard input" } else { path };
        Self::Content { place: place.to_owned(), why: Box::new(why) }
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("standard input: {0}")]
    StandardInput(io::Error),
    #[error("`@` goes before the name of a file")]
    NoName,
    #[error("cannot read {path}: {source}; text that begins with @ goes in quotes of JSON")]
    File { path: String, source: io::Error },
}

/// Why what a file holds is no value of the type.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContentError {
    #[error("it is an array, which has no column `{0}`")]
    NoColumns(String),
    #[error("is text in UTF-16; save it as UTF-8")]
    Utf16,
    #[error("is not text in UTF-8 ({source}), and {ty} is not bytes")]
    NoText { source: FromUtf8Error, ty: Type },
    #[error("is not text in UTF-8 ({0})")]
    NotUtf8(FromUtf8Error),
    #[error("is no .npy file: it does not begin as one")]
    NoArray,
    #[error("is no JSON: {0}")]
    NoJson(json::JsonError),
    #[error(transparent)]
    Array(#[from] npy::ReadError),
    #[error(transparent)]
    Numbers(#[from] NumbersError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Text(#[from] TextError),
}

/// Whether what follows a colon is a column rather than a part of the file's name.
fn is_column(word: &str, path: &str, ty: &Type) -> bool {
    let is_file = |path: &str| path == "-" || Path::new(path).exists();
    numbers::is_numeric(ty) && !is_file(word) && is_file(path)
}

/// Whether a file has no more to say than that there is no value.
fn is_null(content: &str, ty: &Type) -> bool {
    matches!(ty, Type::Option(_)) && content.trim() == "null"
}

/// A text without the mark of byte order at its beginning, which the host skips as well.
fn unmarked(content: &str) -> &str {
    content.strip_prefix('\u{feff}').unwrap_or(content)
}

fn parsed(
    bytes: Vec<u8>,
    extension: Option<&str>,
    ty: &Type,
    source: Source<'_>,
    notes: &mut Notes,
) -> Result<Value, ContentError> {
    let inner = ty.present();
    if inner.is_bytes() {
        return Ok(BASE64_STANDARD.encode(bytes).into());
    }
    if bytes.starts_with(npy::MAGIC) {
        if let Some(column) = source.column {
            return Err(ContentError::NoColumns(column.to_owned()));
        }
        return Ok(npy::read(&bytes)?.for_type(inner)?);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ContentError::Utf16);
    }
    let content = String::from_utf8(bytes)
        .map_err(|source| ContentError::NoText { source, ty: inner.clone() })?;
    let content = unmarked(&content);
    match (extension, inner) {
        (_, Type::String) => Ok(content.into()),
        (Some("npy"), _) => Err(ContentError::NoArray),
        // As a word: no list, where `[null]` is one with a gap.
        (None | Some("json" | "txt"), _) if is_null(content, ty) => Ok(Value::Null),
        (_, inner) if numbers::is_numeric(inner) => {
            Ok(numbers::read(content, inner, source, notes)?)
        }
        (Some("csv" | "tsv"), _) => Ok(table::value(content, inner, notes)?),
        (Some("json"), _) => json::parse(content).map_err(ContentError::NoJson),
        _ => Ok(text::value(content.trim(), ty, notes)?),
    }
}

/// The media type that a file's name promises.
pub(crate) fn media_type(word: &str) -> &'static str {
    match word.strip_prefix('@').map(|path| extension(path).unwrap_or_default()).as_deref() {
        // A word that is no file.
        None => {
            let is_json =
                word.starts_with(['{', '[']) && serde_json::from_str::<Value>(word).is_ok();
            if is_json { "application/json" } else { "text/plain; charset=utf-8" }
        }
        Some("json") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("xml") => "application/xml",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some(_) => "application/octet-stream",
    }
}

fn extension(path: &str) -> Option<String> {
    Some(Path::new(path).extension()?.to_str()?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(content: &str, extension: &str, told: Value) -> Result<Value, String> {
        let ty = serde_json::from_value(told).unwrap();
        let extension = Some(extension).filter(|e| !e.is_empty());
        parsed(content.into(), extension, &ty, Source::default(), &mut Notes::default())
            .map_err(|why| why.to_string())
    }

    #[test]
    fn a_file_is_what_its_parameter_takes() {
        for (content, extension, told, expected) in [
            ("[1, 2]", "json", json!({"list": "u8"}), json!("WzEsIDJd")),
            ("[1, 2]", "json", json!({"option": {"list": "u16"}}), json!([1, 2])),
            ("[1, 2]", "json", json!("string"), json!("[1, 2]")),
            ("null\n", "json", json!({"option": {"list": "f64"}}), Value::Null),
            ("[null]", "json", json!({"option": {"list": "f64"}}), json!(["NaN"])),
            ("null", "txt", json!({"option": "string"}), json!("null")),
            ("line\n", "txt", json!("string"), json!("line\n")),
            ("\u{feff}line", "txt", json!("string"), json!("line")),
            ("\u{feff}true\n", "txt", json!("bool"), json!(true)),
            ("\u{feff}[\"a\"]", "json", json!({"list": "string"}), json!(["a"])),
            ("\u{feff}null", "txt", json!({"option": "f64"}), Value::Null),
            ("x\n1\n2\n", "csv", json!({"list": "f64"}), json!([1, 2])),
            ("1\n2\n", "", json!({"list": "f64"}), json!([1, 2])),
            (" 42\n", "", json!("u64"), json!(42)),
        ] {
            assert_eq!(parse(content, extension, told), Ok(expected), "{content}");
        }
    }

    #[test]
    fn what_is_in_the_way_is_said() {
        assert!(parse("{", "json", json!({"list": "string"})).unwrap_err().contains("JSON"));
        assert!(parse("1", "npy", json!({"list": "f64"})).unwrap_err().contains("npy"));
        let (ty, mut notes) = (Type::String, Notes::default());
        let binary = parsed(vec![0x89, 0xfe], Some("png"), &ty, Source::default(), &mut notes);
        assert!(binary.unwrap_err().to_string().contains("UTF-8"));
    }
}
