//! Writes replies: the envelopes of the original protocol, and the status of each kind of failure.
//!
//! An envelope's content type is exactly `application/json`, and every failure has an object as its
//! body: the original client relies on both.

use std::borrow::Cow;
use std::io;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use serde::Serialize;
use tracing::error;

use super::compress::{self, Incompressible};
use super::sink::{self, Sink};
use super::web;
use crate::budget::{Charge, NoRoom};
use crate::codec::base64::{BASE64, Engine as _};
use crate::codec::json::{self, Json};
use crate::codec::pickle::{self, Arrays, Protocol};
use crate::codec::table::Columns;
use crate::error::{CallError, Kind, Output};
use crate::sandbox::Receipt;
use crate::value::Value;

/// The content type of envelopes, and the mimetype of what is no text and no bytes.
pub(super) const JSON: &str = "application/json";

/// The content type of raw pickles, in and out.
pub(super) const PICKLE: &str = "application/vnd.tarp.pickle";

/// The content type of a value without an envelope.
pub(super) const VALUE: &str = "application/vnd.tarp.value+json";

/// Seconds after which the original client tries again where nothing else is said.
const DEFAULT_RETRY_AFTER: u32 = 5;

/// The status of each kind of failure, and the only table of them.
pub(super) fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::BadRequest | Kind::BadArguments => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::ProcedureError
        | Kind::Trap
        | Kind::OutOfFuel
        | Kind::OutOfMemory
        | Kind::Interrupted
        | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Kind::Gone => StatusCode::GONE,
        Kind::Conflict | Kind::Cancelled => StatusCode::CONFLICT,
        Kind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Overloaded
        | Kind::OperationInProgress
        | Kind::InvalidServerState
        | Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Seconds after which to try again, where that may help.
fn retry_after(error: &CallError) -> Option<u32> {
    let may_help =
        matches!(error.kind, Kind::Overloaded | Kind::OperationInProgress | Kind::Unavailable);
    error.retry_after.or_else(|| may_help.then_some(DEFAULT_RETRY_AFTER))
}

/// How a caller wants the value that a procedure returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Pickled in an envelope, as RPC.
    Rpc(Arrays),
    /// A pickle and nothing else.
    Pickle(Arrays),
    /// In an envelope as itself.
    Envelope,
    /// As the web procedure that made it wants it.
    Web,
    /// As itself, in JSON.
    Value,
    /// Bytes or text and nothing else.
    Raw,
    /// A table with these columns, in CSV.
    Table(Columns),
}

/// The reply of success. `charge` is what holds room for the value, and then for the reply.
///
/// # Errors
///
/// Where there is no room for the reply, or a web procedure made none.
pub(super) fn success(value: &Value, form: &Form, charge: Charge) -> Result<Response, CallError> {
    let mut response = result(value, form, charge)?;
    // A web procedure knows for itself what its replies depend on.
    if *form != Form::Web {
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    }
    Ok(response)
}

fn result(value: &Value, form: &Form, mut charge: Charge) -> Result<Response, CallError> {
    Ok(match form {
        Form::Rpc(arrays) => {
            // Text of base64 needs no escapes, so it is written where it belongs at once.
            let pickle = pickled(value, *arrays, Protocol::Four, &mut charge)?;
            let length = 96 + pickle.len().div_ceil(3) * 4;
            charge_for(length, &mut charge)?;
            let mut body = String::with_capacity(length);
            body.push_str(
                r#"{"status":"success","mimetype":"application/json","result":{"payload":""#,
            );
            BASE64.encode_string(pickle, &mut body);
            body.push_str(r#""}}"#);
            let is_large = body.len() > compress::LARGE;
            let mut response = envelope(StatusCode::OK, held(body.into_bytes(), charge).into());
            if is_large {
                response.extensions_mut().insert(Incompressible);
            }
            response
        }
        Form::Pickle(arrays) => {
            let pickle = pickled(value, *arrays, Protocol::Five, &mut charge)?;
            ([(CONTENT_TYPE, PICKLE)], held(pickle, charge)).into_response()
        }
        Form::Envelope => content(StatusCode::OK, value, mimetype(value), charge)?,
        Form::Web => web::response(value, charge)?,
        Form::Value => bare_json(value, charge)?,
        Form::Raw => match value {
            Value::Bytes(bytes) => {
                let bytes = charge.hold(bytes.clone());
                ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
            }
            Value::Text(text) => {
                charge_for(text.len(), &mut charge)?;
                let text = held(text.as_bytes().to_vec(), charge);
                ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
            }
            // Nobody is offered it for anything else.
            other => bare_json(other, charge)?,
        },
        Form::Table(columns) => {
            let header = if columns.have_names() { "present" } else { "absent" };
            let content_type = format!("text/csv; charset=utf-8; header={header}");
            let table = Sink::new(charge).fill(|sink| columns.write(value, sink))?;
            ([(CONTENT_TYPE, content_type)], table).into_response()
        }
    })
}

fn bare_json(value: &Value, charge: Charge) -> Result<Response, NoRoom> {
    let body = json_within(&Json(value), json::least_size(value), charge)?;
    Ok(([(CONTENT_TYPE, VALUE)], body).into_response())
}

/// Takes room for a part of a reply, unless it is small.
fn charge_for(bytes: usize, charge: &mut Charge) -> Result<(), NoRoom> {
    if bytes > sink::FREE { charge.take(bytes) } else { Ok(()) }
}

fn pickled(
    value: &Value,
    arrays: Arrays,
    protocol: Protocol,
    charge: &mut Charge,
) -> Result<Vec<u8>, NoRoom> {
    charge_for(value.written_size(), charge)?;
    Ok(pickle::encode_as(value, arrays, protocol))
}

/// A reply that is whole, with the room that it takes.
fn held(bytes: Vec<u8>, mut charge: Charge) -> Bytes {
    if bytes.capacity() <= sink::FREE {
        return bytes.into();
    }
    charge.shrink_to(bytes.capacity());
    charge.hold(bytes)
}

/// About how many bytes a reply takes while it is written, beside its value.
pub(super) fn size(value: &Value, form: &Form) -> usize {
    match form {
        Form::Rpc(_) => value.written_size() / 3 * 7 + ENVELOPE,
        Form::Pickle(_) | Form::Table(_) => value.written_size(),
        Form::Envelope | Form::Web | Form::Value => json::least_size(value) + ENVELOPE,
        Form::Raw => match value {
            // It is there.
            Value::Bytes(_) => 0,
            other => other.written_size(),
        },
    }
}

/// Bytes of what is around a value.
const ENVELOPE: usize = 256;

/// An object with a value in it that takes at least `least` bytes.
fn json_within(object: &impl Serialize, least: usize, charge: Charge) -> Result<Bytes, NoRoom> {
    Sink::with_size(least + ENVELOPE, charge)
        .fill(|sink| serde_json::to_writer(sink, object).map_err(io::Error::from))
}

/// What the envelope says of a value.
pub(super) fn mimetype(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "text/plain",
        Value::Bytes(_) => "application/octet-stream",
        _ => JSON,
    }
}

/// A value in an envelope: of failure, where the status is that of one.
///
/// # Errors
///
/// Where there is no room for it.
pub(super) fn content(
    status: StatusCode,
    value: &Value,
    mimetype: &'static str,
    charge: Charge,
) -> Result<Response, NoRoom> {
    let (result, least) = (Json(value), json::least_size(value));
    let body = if status.is_client_error() || status.is_server_error() {
        let message = match value {
            Value::Text(text) => Cow::Borrowed(&**text),
            _ => Cow::Owned(format!("the procedure answered with the status {status}")),
        };
        let r#type = Kind::ProcedureError.name();
        let refused = Refused { status: "error", r#type, message, mimetype, result };
        json_within(&refused, least + refused.message.len(), charge)
    } else {
        json_within(&Success { status: "success", mimetype, result }, least, charge)
    };
    Ok(envelope(status, body?.into()))
}

/// A failure that a web procedure put into words itself.
#[derive(Serialize)]
struct Refused<'a, T> {
    status: &'static str,
    r#type: &'static str,
    message: Cow<'a, str>,
    mimetype: &'static str,
    result: T,
}

/// Something of the host's own without an envelope.
pub(super) fn bare<T: Serialize>(status: StatusCode, content: &T) -> Response {
    object(status, content)
}

/// Something of the host's own that is the same for a while, with a tag by which it is known.
#[derive(Clone)]
pub(super) struct Tagged {
    body: Bytes,
    tag: String,
}

impl Tagged {
    pub(super) fn new<T: Serialize>(content: &T) -> Self {
        let body = json(content);
        let tag = format!("\"{}\"", &blake3::hash(&body).to_hex()[..32]);
        Self { body: body.into(), tag }
    }

    /// The reply to a request with these headers: without the content where its sender has that.
    pub(super) fn reply(&self, request: &HeaderMap) -> Response {
        let mut response = if self.is_known(request) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            envelope(StatusCode::OK, self.body.clone().into())
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(ETAG, tag);
        }
        response
    }

    /// By the weak comparison of RFC 9110, 8.8.3.2: a compressed reply is tagged as weak.
    fn is_known(&self, request: &HeaderMap) -> bool {
        let values = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.tag)
    }
}

/// The envelope of success around something of the host's own.
pub(super) fn success_of<T: Serialize>(result: &T) -> Response {
    object(StatusCode::OK, &Success { status: "success", mimetype: JSON, result })
}

#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    mimetype: &'static str,
    result: T,
}

/// A request that is refused, or a call that failed, as the caller is to see it.
pub(super) struct Refusal {
    error: Box<CallError>,
    output: Output,
}

impl Refusal {
    /// A call that failed after its guest wrote something.
    pub(super) fn new(error: Box<CallError>, output: Output) -> Self {
        Self { error, output }
    }

    /// Its type.
    pub(super) fn kind(&self) -> Kind {
        self.error.kind
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        Self { error: Box::new(error), output: Output::default() }
    }
}

/// The envelope of failure. The original client reads `status`, `type` and `message`; the rest is
/// for those who want to know more.
#[derive(Serialize)]
struct Failure<'a> {
    status: &'static str,
    #[serde(flatten)]
    fault: Fault<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    stdout: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    stderr: &'a str,
}

/// What is told of a failure wherever one is told of.
#[derive(Serialize)]
pub(super) struct Fault<'a> {
    r#type: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backtrace: Option<&'a str>,
}

impl<'a> From<&'a CallError> for Fault<'a> {
    fn from(error: &'a CallError) -> Self {
        Self {
            r#type: error.kind.name(),
            message: &error.message,
            value: error.value.as_ref().map(Json),
            backtrace: error.backtrace.as_deref(),
        }
    }
}

impl Refusal {
    /// The reply, within what `charge` has room for: the procedure's own error may be large.
    pub(super) fn respond(self, charge: Charge) -> Response {
        let value = self.error.value.as_ref();
        match json_within(&self.failure(), value.map_or(0, json::least_size), charge) {
            Ok(body) => self.with(body),
            Err(no_room) => Self::from(CallError::from(no_room)).into_response(),
        }
    }

    fn failure(&self) -> Failure<'_> {
        Failure {
            status: "error",
            fault: Fault::from(&*self.error),
            stdout: &self.output.stdout,
            stderr: &self.output.stderr,
        }
    }

    fn with(&self, body: Bytes) -> Response {
        let mut response = envelope(status(self.error.kind), body.into());
        if self.error.kind == Kind::RequestTimeout {
            // The rest of the body is still to come.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = retry_after(&self.error) {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json(&self.failure());
        self.with(body.into())
    }
}

/// 405, with the methods that there are.
pub(super) fn method_not_allowed(allow: &'static str) -> Response {
    let message = format!("this address answers {allow}");
    let mut response =
        Refusal::from(CallError::new(Kind::MethodNotAllowed, message)).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// 404 below `/-/`, which is the host's own.
pub(super) async fn no_such_page(uri: Uri) -> Response {
    let message = format!("the host has no page {}", uri.path());
    Refusal::from(CallError::new(Kind::NotFound, message)).into_response()
}

/// A fault of the host itself, which must not take the connection with it.
#[expect(clippy::needless_pass_by_value, reason = "it is called by the layer that catches")]
pub(super) fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
    error!(panic = text, "a request failed inside the host");
    let message = "the request failed inside the host, whose log says more; please report it";
    Refusal::from(CallError::new(Kind::Internal, message)).into_response()
}

/// The answer to OPTIONS.
pub(super) fn options(allow: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, allow)]).into_response()
}

const FUEL: HeaderName = HeaderName::from_static("x-tarp-fuel");
const PEAK_MEMORY: HeaderName = HeaderName::from_static("x-tarp-peak-memory");
const INSTANTIATE: HeaderName = HeaderName::from_static("x-tarp-instantiate-us");
const RUN: HeaderName = HeaderName::from_static("x-tarp-run-us");

/// The receipt, as headers.
pub(super) fn write_receipt(receipt: &Receipt, headers: &mut HeaderMap) {
    let micros =
        |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    for (name, number) in [
        (FUEL, receipt.fuel),
        (PEAK_MEMORY, receipt.peak_memory as u64),
        (INSTANTIATE, micros(receipt.instantiate)),
        (RUN, micros(receipt.run)),
    ] {
        headers.insert(name, number.into());
    }
}

fn object(status: StatusCode, object: &impl Serialize) -> Response {
    envelope(status, json(object).into())
}

fn json(object: &impl Serialize) -> Vec<u8> {
    // Only a map with keys that are no strings could fail, and none is written.
    serde_json::to_vec(object).unwrap_or_else(|e| {
        format!(r#"{{"status":"error","type":"Internal","message":"{e}"}}"#).into()
    })
}

fn envelope(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> serde_json::Value {
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn the_mimetype_says_what_the_result_is() {
        for (value, mimetype, result) in [
            (Value::text("hi"), "text/plain", serde_json::json!("hi")),
            (Value::Bytes("hi".into()), "application/octet-stream", "aGk=".into()),
            (Value::Int(0), "application/json", 0.into()),
            (Value::Bool(false), "application/json", false.into()),
            (Value::None, "application/json", serde_json::Value::Null),
        ] {
            let body = body(success(&value, &Form::Envelope, Charge::unlimited()).unwrap()).await;
            assert_eq!(
                body,
                serde_json::json!({"status": "success", "mimetype": mimetype, "result": result})
            );
        }
    }

    #[tokio::test]
    async fn the_other_forms_are_the_value_alone() {
        let columns = |value| Form::Table(Columns::of_value(value).unwrap());
        let list = Value::List(vec![Value::Int(1), Value::Int(2)]);
        for (value, form, content_type, content) in [
            (&Value::text("hi"), Form::Value, "application/vnd.tarp.value+json", "\"hi\""),
            (&Value::text("hü"), Form::Raw, "text/plain; charset=utf-8", "hü"),
            (&Value::Bytes("hi".into()), Form::Raw, "application/octet-stream", "hi"),
            (&list, columns(&list), "text/csv; charset=utf-8; header=absent", "1\r\n2\r\n"),
        ] {
            let response = success(value, &form, Charge::unlimited()).unwrap();
            assert_eq!(response.headers()[CONTENT_TYPE], content_type);
            assert_eq!(response.headers()[VARY], "accept");
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            assert_eq!(body, content, "{form:?}");
        }
    }

    #[test]
    fn who_has_the_content_is_told_so() {
        let tagged = Tagged::new(&1);
        let tag = tagged.reply(&HeaderMap::new()).headers()[ETAG].to_str().unwrap().to_owned();
        for (known, status) in [
            (tag.clone(), 304),
            (format!("W/{tag}"), 304),
            (format!("\"other\", {tag}"), 304),
            ("*".into(), 304),
            ("\"other\"".into(), 200),
        ] {
            let known = HeaderValue::from_str(&known).unwrap();
            let response = tagged.reply(&HeaderMap::from_iter([(IF_NONE_MATCH, known)]));
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[ETAG], tag.as_str());
        }
    }

    #[tokio::test]
    async fn a_failure_says_all_that_is_known() {
        let error = CallError::new(Kind::OperationInProgress, "busy").with_value(Value::Int(7));
        let output = Output { stdout: String::new(), stderr: "warming up".into() };
        let response = Refusal::new(Box::new(error), output).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        assert_eq!(
            body(response).await,
            serde_json::json!({
                "status": "error", "type": "OperationInProgress", "message": "busy", "value": 7,
                "stderr": "warming up",
            })
        );
    }
}
