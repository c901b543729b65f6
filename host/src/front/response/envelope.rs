//! Objects as replies: the envelopes of the original protocol, and what the host says of itself without one.
//!
//! An envelope's content type is exactly `application/json`, which the original client relies on.

use std::borrow::Cow;
use std::io;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::sink::Sink;
use crate::budget::{Charge, NoRoom};
use crate::codec::json::{self, Json};
use crate::error::{ErrorKind, Output};
use crate::front::media::JSON;
use crate::value::Value;

/// Something of the host's own without an envelope.
pub(in crate::front) fn bare<T: Serialize>(status: StatusCode, content: &T) -> Response {
    object(status, content)
}

/// The envelope of success around something of the host's own.
pub(in crate::front) fn success_of<T: Serialize>(result: &T) -> Response {
    object(StatusCode::OK, &Success::new(JSON, result, None))
}

#[derive(Serialize)]
struct Success<'a, T> {
    status: &'static str,
    mimetype: &'static str,
    result: T,
    #[serde(flatten)]
    printed: Option<Printed<'a>>,
}

impl<'a, T> Success<'a, T> {
    fn new(mimetype: &'static str, result: T, printed: Option<&'a Output>) -> Self {
        Self { status: "success", mimetype, result, printed: printed.map(Printed::from) }
    }
}

/// What a procedure printed, where it did.
#[derive(Serialize)]
pub(super) struct Printed<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    stdout: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    stderr: &'a str,
}

impl<'a> From<&'a Output> for Printed<'a> {
    fn from(output: &'a Output) -> Self {
        Self { stdout: &output.stdout, stderr: &output.stderr }
    }
}

/// A value in an envelope: of failure, where the status is that of one. `printed` is what is to be told of what
/// the procedure printed.
///
/// # Errors
///
/// Where there is no room for it.
pub(in crate::front) fn content(
    status: StatusCode,
    value: &Value,
    mimetype: &'static str,
    printed: Option<&Output>,
    charge: Charge,
) -> Result<Response, NoRoom> {
    let (result, least) = (Json(value), json::least_size(value));
    let body = if status.is_client_error() || status.is_server_error() {
        let message = match value {
            Value::Text(text) => Cow::Borrowed(&**text),
            _ => Cow::Owned(format!("the procedure answered with the status {status}")),
        };
        let r#type = ErrorKind::ProcedureError.name();
        let refused = WebErrorBody { status: "error", r#type, message, mimetype, result };
        json_within(&refused, least + refused.message.len(), charge)
    } else {
        json_within(&Success::new(mimetype, result, printed), least, charge)
    };
    Ok(envelope(status, body?.into()))
}

/// A failure that a web procedure put into words itself.
#[derive(Serialize)]
struct WebErrorBody<'a, T> {
    status: &'static str,
    r#type: &'static str,
    message: Cow<'a, str>,
    mimetype: &'static str,
    result: T,
}

/// What the envelope says of a value.
pub(in crate::front) fn mimetype(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "text/plain",
        Value::Bytes(_) => "application/octet-stream",
        _ => JSON,
    }
}

/// Bytes of what is around a value.
pub(super) const ENVELOPE: usize = 256;

/// An object with a value in it that takes at least `least` bytes.
pub(super) fn json_within(
    object: &impl Serialize,
    least: usize,
    charge: Charge,
) -> Result<Bytes, NoRoom> {
    Sink::with_size(least + ENVELOPE, charge)
        .fill(|sink| serde_json::to_writer(sink, object).map_err(io::Error::from))
}

fn object(status: StatusCode, object: &impl Serialize) -> Response {
    envelope(status, json(object).into())
}

/// An object in JSON.
pub(super) fn json(object: &impl Serialize) -> Vec<u8> {
    // Only a map with keys that are no strings could fail, and none is written.
    serde_json::to_vec(object).unwrap_or_else(|e| {
        format!(r#"{{"status":"error","type":"Internal","message":"{e}"}}"#).into()
    })
}

/// The reply with this object.
pub(super) fn envelope(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
