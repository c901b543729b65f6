//! Failures as replies, and the status of each kind of them.
//!
//! Every failure has an object as its body, which the original client relies on.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode, Uri};
use serde::Serialize;
use tracing::error;

use super::envelope::{Printed, envelope, json, json_within};
use crate::budget::Charge;
use crate::codec::json::{self, Json};
use crate::error::{CallError, ErrorKind, Output, excerpt};

/// What a page answers with.
pub(in crate::front) type Reply = Result<Response, ErrorResponse>;

/// Seconds after which the original client tries again where nothing else is said.
const DEFAULT_RETRY_AFTER: u32 = 5;

/// The status of each kind of failure, and the only table of them.
pub(in crate::front) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::BadRequest | ErrorKind::BadArguments => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::ProcedureError
        | ErrorKind::Trap
        | ErrorKind::OutOfFuel
        | ErrorKind::OutOfMemory
        | ErrorKind::Interrupted
        | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Gone => StatusCode::GONE,
        ErrorKind::Conflict | ErrorKind::Cancelled => StatusCode::CONFLICT,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Overloaded
        | ErrorKind::OperationInProgress
        | ErrorKind::InvalidServerState
        | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Seconds after which to try again, where that may help.
fn retry_after(error: &CallError) -> Option<u32> {
    let may_help = matches!(
        error.kind,
        ErrorKind::Overloaded
            | ErrorKind::OperationInProgress
            | ErrorKind::TooManyRequests
            | ErrorKind::Unavailable
    );
    error.retry_after.or_else(|| may_help.then_some(DEFAULT_RETRY_AFTER))
}

/// What is asked of a request without a valid token. Browsers know `Basic`, and ask the person for it.
const CHALLENGES: [&str; 2] = [BEARER, "Basic realm=\"tarp\", charset=\"UTF-8\""];

const BEARER: &str = "Bearer realm=\"tarp\"";

/// Has a refusal for want of a token not make a browser ask its reader for one.
pub(in crate::front) fn ask_no_person(response: &mut Response) {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER));
    }
}

/// A request that is refused, or a call that failed, as the caller is to see it.
pub(in crate::front) struct ErrorResponse {
    error: Box<CallError>,
    output: Output,
}

impl ErrorResponse {
    /// A call that failed after its guest wrote something.
    pub(in crate::front) fn new(error: Box<CallError>, output: Output) -> Self {
        Self { error, output }
    }

    /// Its type.
    pub(in crate::front) fn kind(&self) -> ErrorKind {
        self.error.kind
    }
}

impl From<CallError> for ErrorResponse {
    fn from(error: CallError) -> Self {
        Self { error: Box::new(error), output: Output::default() }
    }
}

/// The envelope of failure. The original client reads `status`, `type` and `message`; the rest is
/// for those who want to know more.
#[derive(Serialize)]
struct ErrorBody<'a> {
    status: &'static str,
    #[serde(flatten)]
    fault: ErrorFields<'a>,
    #[serde(flatten)]
    printed: Printed<'a>,
}

/// What is told of a failure wherever one is told of.
#[derive(Serialize)]
pub(in crate::front) struct ErrorFields<'a> {
    r#type: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backtrace: Option<&'a str>,
}

impl<'a> From<&'a CallError> for ErrorFields<'a> {
    fn from(error: &'a CallError) -> Self {
        Self {
            r#type: error.kind.name(),
            message: &error.message,
            value: error.value.as_ref().map(Json),
            backtrace: error.backtrace.as_deref(),
        }
    }
}

impl ErrorResponse {
    /// The reply, within what `charge` has room for: the procedure's own error may be large.
    pub(in crate::front) fn respond(self, charge: Charge) -> Response {
        let value = self.error.value.as_ref();
        match json_within(&self.failure(), value.map_or(0, json::least_size), charge) {
            Ok(body) => self.with(body),
            Err(no_room) => Self::from(CallError::from(no_room)).into_response(),
        }
    }

    fn failure(&self) -> ErrorBody<'_> {
        ErrorBody {
            status: "error",
            fault: ErrorFields::from(&*self.error),
            printed: Printed::from(&self.output),
        }
    }

    fn with(&self, body: Bytes) -> Response {
        let mut response = envelope(status(self.error.kind), body.into());
        response.extensions_mut().insert(self.error.kind);
        if self.error.kind == ErrorKind::RequestTimeout {
            // The rest of the body is still to come.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.error.kind == ErrorKind::Unauthorized {
            for challenge in CHALLENGES {
                let challenge = HeaderValue::from_static(challenge);
                response.headers_mut().append(WWW_AUTHENTICATE, challenge);
            }
        }
        if let Some(seconds) = retry_after(&self.error) {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let body = json(&self.failure());
        self.with(body.into())
    }
}

/// 404 below `/-/`, which is the host's own.
pub(in crate::front) async fn no_such_page(uri: Uri) -> Response {
    let message = below_a_path(uri.path())
        .unwrap_or_else(|| format!("the host has no page {}", excerpt(uri.path())));
    ErrorResponse::from(CallError::new(ErrorKind::NotFound, message)).into_response()
}

/// What is wrong with the path of a page below some other path: the address that its sender took for the
/// host's goes on, with a procedure or with a page. `None` for other paths.
pub(in crate::front) fn below_a_path(path: &str) -> Option<String> {
    let end = path.get(1..)?.find("/-/")? + 1;
    let (path, page) = (excerpt(&path[..end]), excerpt(&path[end..]));
    Some(format!(
        "`{page}` is right below the address of a host, and the address of this one has no path `{path}`"
    ))
}

/// A fault of the host itself, which must not take the connection with it.
#[expect(clippy::needless_pass_by_value, reason = "it is called by the layer that catches")]
pub(in crate::front) fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
    error!(panic = text, "a request failed inside the host");
    let message = "the request failed inside the host, whose log says more; please report it";
    ErrorResponse::from(CallError::new(ErrorKind::Internal, message)).into_response()
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;
    use crate::value::Value;

    #[tokio::test]
    async fn a_failure_says_all_that_is_known() {
        let error =
            CallError::new(ErrorKind::OperationInProgress, "busy").with_value(Value::Int(7));
        let output = Output { stdout: String::new(), stderr: "warming up".into() };
        let response = ErrorResponse::new(Box::new(error), output).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
            serde_json::json!({
                "status": "error", "type": "OperationInProgress", "message": "busy", "value": 7,
                "stderr": "warming up",
            })
        );
    }
}
