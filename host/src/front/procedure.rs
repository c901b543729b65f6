//! Answers a request for a procedure or a mounted component: finds it, reads its arguments, runs the
//! call.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use tracing::debug;

use super::encoding::Encodings;
use super::places::Peer;
use super::reply::{self, Form, Refusal};
use super::request::{Asked, from_post, from_query};
use super::{State, body, jobs, mount, web};
use crate::budget::Charge;
use crate::call::{Call, Outcome, execute};
use crate::catalog::{Mount, Procedure};
use crate::codec::{json, text};
use crate::error::{CallError, Kind, excerpt};

/// Reading or writing more than this takes so long that other requests should not wait behind it.
const LARGE: usize = 1 << 20;

/// Calls the procedure that the path names.
pub(super) async fn answer(state: &State, request: Request<Body>, peer: &Peer) -> Response {
    let (parts, body) = request.into_parts();
    let answered = match find(state, &parts) {
        Ok(Found::Procedure(procedure)) => call(state, procedure, &parts, body, peer).await,
        Ok(Found::Mount(mount, below)) => {
            mount::serve(state, mount, &below, parts, body, peer).await.map_err(Refusal::from)
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
    peer: &Peer,
) -> Result<Response, Refusal> {
    let methods = procedure.methods();
    if parts.method == Method::OPTIONS {
        return Ok(reply::options(web::allow(methods)));
    }
    if !web::answers(methods, &parts.method) {
        return Ok(reply::method_not_allowed(web::allow(methods)));
    }
    let encodings = Encodings::of(&parts.headers)?;
    let (body, mut charge) = body::read(state, body).await?;
    if parts.method != Method::POST && !body.is_empty() {
        let message = format!("a body with {} is read by nobody; POST it", parts.method);
        return Err(CallError::new(Kind::BadRequest, message).into());
    }
    // It may be small only as long as it is packed.
    let size = if encodings.is_empty() { body.len() } else { usize::MAX };
    let body = if encodings.is_empty() {
        body
    } else {
        let limit = state.config.max_body;
        let unpack = |charge: &mut Charge| encodings.decode(body.clone(), limit, charge);
        let unpacked = patiently(size, &mut charge, unpack).await?;
        drop(body);
        // What was packed is gone, and so are the decoders.
        charge.shrink_to(unpacked.len());
        unpacked
    };
    charge.take_soon(expansion(parts, &body)).await.map_err(CallError::from)?;
    let size = body.len();
    let mut asked = patiently(size, &mut charge, |charge| match parts.method {
        _ if procedure.web.is_some() => web::ask(parts, &body),
        Method::POST => from_post(parts, &body, &procedure.signature, charge),
        _ => from_query(parts, &procedure.signature, charge),
    })
    .await?;
    // It may be as large as all that is made of it.
    drop(body);
    asked.write_arrays(procedure.arrays);
    jobs::check_pin(&parts.headers, &procedure)?;
    let key = jobs::key(state, &parts.method, &parts.headers, &procedure.name, &asked)?;
    if jobs::is_wanted(state, parts, &procedure, &asked.form) {
        return Ok(jobs::accept(state, &parts.headers, &procedure, key, asked).await?);
    }
    if let Some(key) = key {
        return jobs::once(state, &parts.headers, &procedure, key, asked, peer).await;
    }
    let Asked { arguments, form, .. } = asked;
    let places = procedure.places.clone();
    let call = unhurried(size, || Call::within(procedure, arguments, charge))?;
    let _place = state.places.take(peer, places.as_ref()).await?;
    let outcome = execute(&state.sandbox, call, None).await;
    debug!(path = parts.uri.path(), receipt = ?outcome.receipt, failed = outcome.result.is_err(), "called");
    let size = outcome.result.as_ref().map_or(0, |value| reply::size(value, &form));
    Ok(respond(outcome, &form, size).await?)
}

/// At least how many bytes are made of a body of text: each object, list and pair in it takes more than
/// its characters. A pickle, and a form of several parts, is charged while it is read.
fn expansion(parts: &Parts, body: &[u8]) -> usize {
    if body.is_empty() {
        return 0;
    }
    let media = parts.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let is = |name: &[u8]| media.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name));
    if is(b"json") {
        json::memory(body)
    } else if is(b"text/") {
        text::memory(body)
    } else if is(b"urlencoded") {
        text::form_memory(body)
    } else {
        0
    }
}

/// Decodes a request of this size. Where there is no room for what it says, it is decoded once more as
/// soon as there is.
async fn patiently<T>(
    size: usize,
    charge: &mut Charge,
    decode: impl Fn(&mut Charge) -> Result<T, CallError>,
) -> Result<T, CallError> {
    let before = charge.spent();
    match unhurried(size, || decode(charge)) {
        Err(error) if error.kind == Kind::Overloaded => {
            charge.wait_to_begin_again(before).await?;
            unhurried(size, || decode(charge))
        }
        decoded => decoded,
    }
}

/// Does work that takes long if `size` is large, without keeping other requests waiting.
pub(super) fn unhurried<T>(size: usize, work: impl FnOnce() -> T) -> T {
    if size > LARGE { tokio::task::block_in_place(work) } else { work() }
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

/// The reply to a call, about so many bytes long.
async fn respond(outcome: Outcome, form: &Form, size: usize) -> Result<Response, CallError> {
    let Outcome { result, receipt, output, mut charge } = outcome;
    if size > LARGE {
        charge.reserve_soon(size).await?;
    }
    let mut response = unhurried(size, || match result {
        Ok(value) => reply::success(&value, form, charge)
            .unwrap_or_else(|error| Refusal::from(error).into_response()),
        Err(error) => Refusal::new(error, output).respond(charge),
    });
    reply::write_receipt(&receipt, response.headers_mut());
    Ok(response)
}
