//! Answers a request for a procedure: finds it, reads its arguments, runs the call.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Extract;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use tracing::debug;

use super::reply::{self, Form, Refusal};
use super::request::{Asked, from_post, from_query};
use super::{State, body};
use crate::call::{Call, Outcome, execute};
use crate::catalog::Procedure;
use crate::error::{CallError, Kind};

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// Reading more than this, or writing the result of a guest that had more, takes so long that other
/// requests should not wait behind it.
const LARGE: usize = 1 << 20;

/// Calls the procedure that the path names.
pub(super) async fn answer(Extract(state): Extract<State>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match call(&state, &parts, body).await {
        Ok(response) => response,
        Err(error) => Refusal::from(error).into_response(),
    }
}

async fn call(state: &State, parts: &Parts, body: Body) -> Result<Response, CallError> {
    let procedure = find(state, parts)?;
    let (call, form) = match parts.method {
        Method::GET | Method::HEAD => {
            let Asked { arguments, form } = from_query(parts, &procedure.signature);
            (Call::new(procedure, arguments)?, form)
        }
        Method::POST => {
            let body = body::read(state, &parts.headers, body).await?;
            unhurried(body.len(), || {
                let Asked { arguments, form } = from_post(parts, &body, &procedure.signature)?;
                Ok((Call::new(procedure, arguments)?, form))
            })?
        }
        Method::OPTIONS => return Ok(reply::options(METHODS)),
        _ => return Ok(reply::method_not_allowed(METHODS)),
    };
    let outcome = execute(&state.sandbox, call).await;
    debug!(path = parts.uri.path(), receipt = ?outcome.receipt, failed = outcome.result.is_err(), "called");
    let size = outcome.receipt.peak_memory;
    Ok(unhurried(size, || respond(outcome, form)))
}

/// Does work that takes long if `size` is large, without keeping other requests waiting.
fn unhurried<T>(size: usize, work: impl FnOnce() -> T) -> T {
    if size > LARGE { tokio::task::block_in_place(work) } else { work() }
}

fn find(state: &State, parts: &Parts) -> Result<Arc<Procedure>, CallError> {
    let path = parts.uri.path().trim_start_matches('/');
    let name = percent_decode_str(path).decode_utf8().map_err(|_| {
        CallError::new(Kind::BadRequest, "the URL's path is not UTF-8 in percent-encoding")
    })?;
    let catalog = state.catalog.load();
    if let Some(procedure) = catalog.find(&name) {
        return Ok(Arc::clone(procedure));
    }
    if !catalog.is_complete() {
        let message =
            format!("the host is still loading its components; `{name}` may be among them");
        return Err(CallError::new(Kind::Overloaded, message).retry_after(1));
    }
    Err(CallError::new(Kind::NotFound, format!("there is no procedure `{name}`; GET / lists all")))
}

fn respond(outcome: Outcome, form: Form) -> Response {
    let Outcome { result, receipt, output } = outcome;
    let mut response = match result {
        Ok(value) => reply::success(&value, form),
        Err(error) => Refusal::new(error, output).into_response(),
    };
    reply::write_receipt(&receipt, response.headers_mut());
    response
}
