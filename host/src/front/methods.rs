//! The methods that an address answers: pages of the host, and web procedures.

use axum::handler::Handler;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

use super::response::ErrorResponse;
use super::state::State;
use crate::config::WebMethod;
use crate::error::{CallError, ErrorKind};

/// A page that is only read.
pub(super) fn page<H: Handler<T, State>, T: 'static>(show: H) -> MethodRouter<State> {
    with_methods(get(show), "GET, HEAD, OPTIONS")
}

/// A page with these methods, which it tells to who asks, or asks with another.
pub(super) fn with_methods(page: MethodRouter<State>, allow: &'static str) -> MethodRouter<State> {
    page.options(move || async move { options(allow) })
        .fallback(move || async move { method_not_allowed(allow) })
}

/// 405, with the methods that there are.
pub(super) fn method_not_allowed(allow: &'static str) -> Response {
    let message = format!("this address answers {allow}");
    let mut response =
        ErrorResponse::from(CallError::new(ErrorKind::MethodNotAllowed, message)).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// The answer to OPTIONS.
pub(super) fn options(allow: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, allow)]).into_response()
}

/// The methods that a web procedure answers, as the header `Allow` has them.
pub(super) fn allow(methods: &[WebMethod]) -> &'static str {
    match methods {
        [WebMethod::Get] => "GET, HEAD, OPTIONS",
        [WebMethod::Post] => "POST, OPTIONS",
        _ => "GET, HEAD, POST, OPTIONS",
    }
}

/// Whether a web procedure that answers these methods answers this one.
pub(super) fn answers(methods: &[WebMethod], method: &Method) -> bool {
    match *method {
        Method::GET | Method::HEAD => methods.contains(&WebMethod::Get),
        Method::POST => methods.contains(&WebMethod::Post),
        _ => false,
    }
}
