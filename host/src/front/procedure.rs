//! Answers a request for a procedure or a mounted component: finds it, reads its arguments, runs the
//! call.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use tarp_schema::nearest::nearest;
use tracing::debug;

use super::admission::{LARGE, Peer, block_in_place_if_large};
use super::credentials::Sender;
use super::encoding::Encodings;
use super::preferences::Preference;
use super::request::{ParsedRequest, from_post, from_query};
use super::response::{self, ErrorResponse, Form};
use super::state::State;
use super::{body, catalog, jobs, methods, mount, web};
use crate::auth::{Caller, Right};
use crate::budget::Charge;
use crate::call::{Call, Outcome, execute};
use crate::catalog::{Catalog, Mount, Procedure};
use crate::codec::{json, text};
use crate::error::{CallError, ErrorKind, excerpt};

/// Calls the procedure that the path names.
pub(super) async fn answer(
    state: &State,
    request: Request<Body>,
    peer: &Peer,
    sender: &Sender,
) -> Response {
    let (parts, body) = request.into_parts();
    let caller = &sender.caller;
    let answered = match find(state, &parts, caller) {
        Ok(Found::Procedure(procedure)) => call(state, procedure, &parts, body, peer, sender).await,
        Ok(Found::Mount(mount, below)) => {
            mount::serve(state, mount, &below, parts, body, peer, sender).await.map_err(Into::into)
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
    sender: &Sender,
) -> Result<Response, ErrorResponse> {
    let Sender { caller, initiator, recorder, .. } = sender;
    let answered = procedure.methods();
    if parts.method == Method::OPTIONS {
        return Ok(methods::options(methods::allow(answered)));
    }
    recorder.call(&procedure.name);
    initiator.check(&parts.headers)?;
    if !methods::answers(answered, &parts.method) {
        return Ok(methods::method_not_allowed(methods::allow(answered)));
    }
    let encodings = Encodings::of(&parts.headers)?;
    let (body, mut charge) = body::read(state, body).await?;
    if parts.method != Method::POST && !body.is_empty() {
        let message = format!("a body with {} is read by nobody; POST it", parts.method);
        return Err(CallError::new(ErrorKind::BadRequest, message).into());
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
    recorder.arguments(&asked.arguments, &procedure.signature);
    jobs::check_pin(&parts.headers, &procedure)?;
    let key = jobs::key(state, &parts.method, &parts.headers, &procedure, &asked, caller)?;
    if jobs::is_wanted(state, parts, &procedure, &asked.form) {
        caller.check(&Right::Jobs)?;
        return Ok(jobs::accept(state, &parts.headers, &procedure, key, asked, peer, sender).await?);
    }
    if let Some(key) = key {
        return jobs::once(state, &parts.headers, &procedure, key, asked, peer, sender).await;
    }
    let ParsedRequest { arguments, form, .. } = asked;
    let permits = procedure.permits.clone();
    let call = block_in_place_if_large(size, || Call::within(procedure, arguments, charge))?;
    let _permit = state.permits.take(peer, permits.as_ref()).await?;
    let outcome = execute(&state.sandbox, call, None).await;
    debug!(path = parts.uri.path(), receipt = ?outcome.receipt, failed = outcome.result.is_err(), "called");
    let size = outcome.result.as_ref().map_or(0, |value| response::size(value, &form));
    let wants_output = Preference::Output.is_in(&parts.headers);
    Ok(respond(outcome, &form, wants_output, size).await?)
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
    match block_in_place_if_large(size, || decode(charge)) {
        Err(error) if error.kind == ErrorKind::Overloaded => {
            charge.wait_to_begin_again(before).await?;
            block_in_place_if_large(size, || decode(charge))
        }
        decoded => decoded,
    }
}

enum Found {
    Procedure(Arc<Procedure>),
    /// With the path below it.
    Mount(Arc<Mount>, String),
}

/// What the path names, if the caller may call it. Who may not is told so before anything else, so that
/// nobody learns what else there is.
fn find(state: &State, parts: &Parts, caller: &Caller) -> Result<Found, CallError> {
    let path = parts.uri.path().trim_start_matches('/');
    let name = percent_decode_str(path).decode_utf8().map_err(|_| {
        CallError::new(ErrorKind::BadRequest, "the URL's path is not UTF-8 in percent-encoding")
    })?;
    let catalog = state.catalog.load();
    if let Some(procedure) = catalog.find(&name) {
        if caller.may_call(&procedure.name) {
            return Ok(Found::Procedure(Arc::clone(procedure)));
        }
        // By a further name that the caller may use, they may know which it stands for.
        let is_known = caller.may_call(&name);
        return Err(lacks_call(caller, if is_known { &procedure.name } else { &name }));
    }
    // What is below a mount is its component's affair, with all its escapes.
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    for end in ends.rev() {
        let name = percent_decode_str(&path[..end]).decode_utf8_lossy();
        if let Some(mount) = catalog.mount(&name)
            && caller.may_call(&name)
        {
            return Ok(Found::Mount(Arc::clone(mount), path[end..].to_owned()));
        }
    }
    if !caller.may_call(&name) {
        return Err(lacks_call(caller, &name));
    }
    if !catalog.is_complete() {
        let message =
            format!("the host is still loading its components; `{name}` may be among them");
        return Err(CallError::new(ErrorKind::Overloaded, message).retry_after(1));
    }
    if let Some(message) = response::below_a_path(parts.uri.path()) {
        return Err(CallError::new(ErrorKind::NotFound, message));
    }
    let meant = match name.trim_end_matches('/') {
        bare if bare.len() < name.len() && catalog.find(bare).is_some() => {
            format!("there is `{bare}`, without the slash at its end")
        }
        bare => match nearest(bare, catalog::callable(&catalog, caller).map(|it| &*it.name)) {
            Some(near) => format!("did you mean `{near}`? GET / lists all"),
            None => format!("GET / lists all{}", problems(&catalog, caller)),
        },
    };
    let name = excerpt(&name);
    Err(CallError::new(ErrorKind::NotFound, format!("there is no procedure `{name}`; {meant}")))
}

/// What is wrong with files that may have what a name leads to, for those who may know.
fn problems(catalog: &Catalog, caller: &Caller) -> String {
    let problems = catalog::complaints(catalog, caller);
    match problems.as_slice() {
        [] => String::new(),
        [first, more @ ..] => {
            let file = excerpt(first.file);
            let cause = first.message.lines().next().unwrap_or_default();
            let more = match more.len() {
                0 => String::new(),
                n => format!("; files with problems: {}", n + 1),
            };
            format!("; there is a problem with {file}: {cause}{more}")
        }
    }
}

/// The refusal of a caller who may not call what has this name, whether there is anything or not.
fn lacks_call(caller: &Caller, name: &str) -> CallError {
    caller.lacks(&format_args!("call:{}", excerpt(name)))
}

/// The reply to a call, about so many bytes long.
async fn respond(
    outcome: Outcome,
    form: &Form,
    wants_output: bool,
    size: usize,
) -> Result<Response, CallError> {
    let Outcome { result, receipt, output, mut charge } = outcome;
    if size > LARGE {
        charge.reserve_soon(size).await?;
    }
    let mut response = block_in_place_if_large(size, || match result {
        Ok(value) => response::success(&value, form, wants_output.then_some(&output), charge)
            .unwrap_or_else(|error| ErrorResponse::from(error).into_response()),
        Err(error) => ErrorResponse::new(error, output).respond(charge),
    });
    response::write_receipt(&receipt, response.headers_mut());
    Ok(response)
}
