//! A request that becomes a job: who wants one, and what the reply is.

use std::sync::Arc;

use axum::response::Response;
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::find::{jobs, owner};
use super::original;
use super::show::Shown;
use crate::audit::Event;
use crate::auth::Caller;
use crate::catalog::Procedure;
use crate::codec::pickle::Arrays;
use crate::config::Mode;
use crate::error::{CallError, ErrorKind};
use crate::front::admission::Peer;
use crate::front::credentials::Sender;
use crate::front::preferences::Preference;
use crate::front::request::ParsedRequest;
use crate::front::response::{self, Form};
use crate::front::state::State;
use crate::jobs::SubmitOptions;
use crate::jobs::model::{IdempotencyKey, Presentation, Priority};

/// Pins a request to a version of its procedure: the digest of its file.
const PIN: &str = "x-tarp-digest";

/// Whether the request is to become a job: it says so (RFC 7240), or it is the original protocol's
/// RPC for an asynchronous procedure.
pub(in crate::front) fn is_wanted(
    state: &State,
    parts: &Parts,
    procedure: &Procedure,
    form: &Form,
) -> bool {
    // HEAD only asks, and leaves nothing behind.
    state.jobs.is_some()
        && parts.method != Method::HEAD
        && (Preference::RespondAsync.is_in(&parts.headers) || is_handle(procedure, form))
}

fn is_handle(procedure: &Procedure, form: &Form) -> bool {
    procedure.jobs.mode == Mode::Async && matches!(form, Form::Rpc(_))
}

/// Queues the call, and gives its handle in the form that the request has.
pub(in crate::front) async fn accept(
    state: &State,
    headers: &HeaderMap,
    procedure: &Arc<Procedure>,
    key: Option<IdempotencyKey>,
    asked: ParsedRequest,
    peer: &Peer,
    sender: &Sender,
) -> Result<Response, CallError> {
    let jobs = jobs(state)?;
    let options = SubmitOptions {
        peer: Some(peer.network()),
        ..options(headers, asked.presentation, &asked.form, key, &sender.caller)
    };
    let view = jobs.submit(procedure, asked.arguments, options).await?;
    sender.recorder.event(Event::JobSubmitted);
    sender.recorder.job(view.job.id);
    if is_handle(procedure, &asked.form) && !Preference::RespondAsync.is_in(headers) {
        return Ok(original::handed_out(&view));
    }
    let mut response = response::bare(StatusCode::ACCEPTED, &Shown::from(&view));
    let headers = response.headers_mut();
    let page = format!("/-/jobs/{}", view.job.id);
    if let Ok(location) = HeaderValue::from_str(&sender.endpoint.path(&page)) {
        headers.insert(LOCATION, location);
    }
    Preference::RespondAsync.applied(headers);
    Ok(response)
}

/// What a request says of its job besides the call.
pub(super) fn options(
    headers: &HeaderMap,
    presentation: Presentation,
    form: &Form,
    key: Option<IdempotencyKey>,
    caller: &Caller,
) -> SubmitOptions {
    let presentation = match form {
        Form::Pickle(Arrays::Numpy) => Presentation::Numpy,
        _ => presentation,
    };
    let is_pinned = headers.contains_key(PIN);
    SubmitOptions {
        priority: priority(headers),
        is_pinned,
        key,
        presentation,
        owner: owner(caller),
        // Who waits for a call has a permit for calls.
        peer: None,
    }
}

/// Refuses a request that is meant for another version of the procedure than there is.
///
/// # Errors
///
/// [`ErrorKind::Conflict`], which names both.
pub(in crate::front) fn check_pin(
    headers: &HeaderMap,
    procedure: &Procedure,
) -> Result<(), CallError> {
    let digest = &procedure.source.digest;
    match headers.get(PIN) {
        Some(wanted) if wanted.as_bytes() != digest.as_bytes() => {
            let wanted = String::from_utf8_lossy(wanted.as_bytes());
            let message = format!(
                "the request is for the version {wanted:?} of the procedure, which is in version {digest} now; GET /-/procedures has the digests"
            );
            Err(CallError::new(ErrorKind::Conflict, message))
        }
        _ => Ok(()),
    }
}

/// The urgency of RFC 9218, `u=2`; an unparseable header is treated as absent.
fn priority(headers: &HeaderMap) -> Option<Priority> {
    let mut values = headers.get_all("priority").iter().filter_map(|value| value.to_str().ok());
    let urgency = values.find_map(|value| {
        value.split(',').find_map(|member| member.trim().strip_prefix("u=")?.trim().parse().ok())
    });
    urgency.and_then(Priority::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))])
    }

    #[test]
    fn priorities_are_read_as_their_rfc_writes_them() {
        assert_eq!(priority(&headers("priority", "i, u=1")), Priority::new(1));
        assert_eq!(priority(&headers("priority", "u=9")), None);
        assert_eq!(priority(&headers("priority", "nonsense")), None);
    }
}
