//! A request as it is, as the argument of a web procedure. The types are those of `wit/web.wit`.

use axum::body::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};

use super::form;
use super::media::{ContentType, Media};
use super::request::ParsedRequest;
use super::response::Form;
use crate::codec::types::Arguments;
use crate::error::CallError;
use crate::jobs::model::Presentation;
use crate::value::Value;

/// The headers that a procedure sees; those that begin with `x-` too, and none that say who asks.
const HEADERS: [&str; 7] = [
    "accept",
    "accept-language",
    "content-type",
    "if-modified-since",
    "if-none-match",
    "range",
    "user-agent",
];

/// What a request asks of a web procedure, whose only argument it is.
///
/// # Errors
///
/// [`ErrorKind::BadRequest`] for a body that is not what its content type says, and a query that is none;
/// [`ErrorKind::UnsupportedMediaType`] for text that is not UTF-8 by its charset.
///
/// [`ErrorKind::BadRequest`]: crate::error::ErrorKind::BadRequest
/// [`ErrorKind::UnsupportedMediaType`]: crate::error::ErrorKind::UnsupportedMediaType
pub(super) fn ask(parts: &Parts, body: &Bytes) -> Result<ParsedRequest, CallError> {
    let method = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    let query = parts.uri.query().unwrap_or_default();
    let request = map([
        ("method", Value::text(method)),
        ("path", Value::text(parts.uri.path())),
        ("query", pairs(form::pairs(query.as_bytes(), "the query")?.into_iter())),
        ("headers", headers(&parts.headers)),
        ("body", content(parts, body)?),
    ]);
    let arguments = Arguments { positional: vec![request], named: Vec::new() };
    Ok(ParsedRequest { arguments, form: Form::Web, presentation: Presentation::Web })
}

fn headers(headers: &HeaderMap) -> Value {
    let shown = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let value = value.to_str().ok()?;
        (HEADERS.contains(&name) || name.starts_with("x-")).then_some((name, value))
    });
    pairs(shown)
}

fn content(parts: &Parts, body: &Bytes) -> Result<Value, CallError> {
    let content = ContentType::of(&parts.headers)?;
    Ok(match content.media {
        _ if content.is_absent() && body.is_empty() => Value::text("none"),
        Media::Json => {
            content.json(body)?;
            map([("json", Value::text(content.text(body)?))])
        }
        Media::Form => {
            let form = content.text(body)?;
            map([("form", pairs(form::pairs(form.as_bytes(), "the form")?.into_iter()))])
        }
        Media::Plain => map([("text", Value::text(content.text(body)?))]),
        _ => map([("bytes", Value::Bytes(body.clone()))]),
    })
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(name, value)| (Value::text(name), value)).into())
}

fn pairs<T: AsRef<str>>(pairs: impl Iterator<Item = (T, T)>) -> Value {
    let pair = |(name, value): (T, T)| Value::Tuple(vec![Value::text(name), Value::text(value)]);
    Value::List(pairs.map(pair).collect())
}
