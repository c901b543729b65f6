//! Answers a request for a procedure or a mounted component: finds it, reads its arguments, runs the
//! call.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

use super::encoding::Encodings;
use super::reply::{self, Form, Refusal};
use super::request::{Asked, from_post, from_query};
use super::{State, body, jobs, mount, web};
use crate::call::{Call, Outcome, execute};
use crate::catalog::{Mount, Procedure};
use crate::config::WebMethod;
use crate::error::{CallError, Kind, excerpt};
use crate::value::Value;

/// Reading or writing more than this takes so long that other requests should not wait behind it.
const LARGE: usize = 1 << 20;

/// How long a call waits for a place before it is refused.
const PATIENCE: Duration = Duration::from_secs(1);

/// Calls the procedure that the path names.
pub(super) async fn answer(state: &State, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let answered = match find(state, &parts) {
        Ok(Found::Procedure(procedure)) => call(state, procedure, &parts, body).await,
        Ok(Found::Mount(mount, below)) => {
            mount::serve(state, mount, &below, parts, body).await.map_err(Refusal::from)
        }
        Err(error) => Err(error.into()),
    };
    answered.unwrap_or_else(|refusal| {
        state.metrics.refused(refusal.kind());
        refusal.into_response()
    })
}

async fn call(
    state: &State,
    procedure: Arc<Procedure>,
    parts: &Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let methods = procedure.web.as_deref().unwrap_or(&WebMethod::ALL);
    if parts.method == Method::OPTIONS {
        return Ok(reply::options(web::allow(methods)));
    }
    if !web::answers(methods, &parts.method) {
        return Ok(reply::method_not_allowed(web::allow(methods)));
    }
    let encodings = Encodings::of(&parts.headers)?;
    let body = body::read(state, &parts.headers, body).await?;
    if parts.method != Method::POST && !body.is_empty() {
        let message = format!("a body with {} is read by nobody; POST it", parts.method);
        return Err(CallError::new(Kind::BadRequest, message).into());
    }
    // It may be small only as long as it is packed.
    let size = if encodings.is_empty() { body.len() } else { usize::MAX };
    let body = unhurried(size, || encodings.decode(body, state.config.max_body))?;
    let size = body.len();
    let asked = unhurried(size, || match parts.method {
        _ if procedure.web.is_some() => web::ask(parts, &body),
        Method::POST => from_post(parts, &body, &procedure.signature),
        _ => from_query(parts, &procedure.signature),
    })?;
    // It may be as large as all that is made of it.
    drop(body);
    let key = jobs::key(state, &parts.method, &parts.headers, &procedure.name, &asked)?;
    if jobs::is_wanted(state, parts, &procedure, &asked.form) {
        return Ok(jobs::accept(state, &parts.headers, &procedure, key, asked).await?);
    }
    if let Some(key) = key {
        return jobs::once(state, &parts.headers, &procedure, key, asked).await;
    }
    let Asked { arguments, form, .. } = asked;
    let call = unhurried(size, || Call::new(procedure, arguments))?;
    let _place = place(state).await?;
    let outcome = execute(&state.sandbox, call, None).await;
    debug!(path = parts.uri.path(), receipt = ?outcome.receipt, failed = outcome.result.is_err(), "called");
    let size = outcome.result.as_ref().map_or(0, Value::written_size);
    Ok(unhurried(size, || respond(outcome, &form)))
}

/// Does work that takes long if `size` is large, without keeping other requests waiting.
pub(super) fn unhurried<T>(size: usize, work: impl FnOnce() -> T) -> T {
    if size > LARGE { tokio::task::block_in_place(work) } else { work() }
}

/// A place for a call, held until it is dropped.
pub(super) async fn place(state: &State) -> Result<OwnedSemaphorePermit, CallError> {
    if let Ok(place) = Arc::clone(&state.places).try_acquire_owned() {
        return Ok(place);
    }
    let place = Arc::clone(&state.places).acquire_owned();
    match tokio::time::timeout(PATIENCE, place).await {
        Ok(Ok(place)) => Ok(place),
        _ => {
            let message = "every place for a call is taken; try again later";
            Err(CallError::new(Kind::Overloaded, message).retry_after(1))
        }
    }
}

enum Found {
    Procedure(Arc<Procedure>),
    /// With the path below it.
    Mount(Arc<Mount>, String),
}

fn find(state: &State, parts: &Parts) -> Result<Found, CallError> {
    let path = parts.uri.path().trim_start_matches('/');
    let name = percent_decode_str(path).decode_utf8().map_err(|_| {
        CallError::new(Kind::BadRequest, "the URL's path is not UTF-8 in percent-encoding")
    })?;
    let catalog = state.catalog.load();
    if let Some(procedure) = catalog.find(&name) {
        return Ok(Found::Procedure(Arc::clone(procedure)));
    }
    // What is below a mount is its component's affair, with all its escapes.
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    for end in ends.rev() {
        let name = percent_decode_str(&path[..end]).decode_utf8_lossy();
        if let Some(mount) = catalog.mount(&name) {
            return Ok(Found::Mount(Arc::clone(mount), path[end..].to_owned()));
        }
    }
    if !catalog.is_complete() {
        let message =
            format!("the host is still loading its components; `{name}` may be among them");
        return Err(CallError::new(Kind::Overloaded, message).retry_after(1));
    }
    let meant = match name.trim_end_matches('/') {
        bare if bare.len() < name.len() && catalog.find(bare).is_some() => {
            format!("there is `{bare}`, without the slash at its end")
        }
        _ => "GET / lists all".into(),
    };
    let name = excerpt(&name);
    Err(CallError::new(Kind::NotFound, format!("there is no procedure `{name}`; {meant}")))
}

fn respond(outcome: Outcome, form: &Form) -> Response {
    let Outcome { result, receipt, output } = outcome;
    let mut response = match result {
        Ok(value) => reply::success(&value, form),
        Err(error) => Refusal::new(error, output).into_response(),
    };
    reply::write_receipt(&receipt, response.headers_mut());
    response
}
