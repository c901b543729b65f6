//! Synchronous calls with an idempotency key: the reply of the first request, and of every further one.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::find::jobs;
use super::outcome::outcome_of;
use super::submit::options;
use crate::catalog::Procedure;
use crate::error::{CallError, ErrorKind};
use crate::front::admission::Peer;
use crate::front::credentials::Sender;
use crate::front::request::ParsedRequest;
use crate::front::response::ErrorResponse;
use crate::front::state::State;
use crate::jobs::model::{IdempotencyKey, JobId};
use crate::jobs::{Jobs, Once, View};

/// How long to wait at a time; there is another time after it.
const TURN: Duration = Duration::from_secs(60);

/// Before asking again for a job that is in the store and, for a moment, nowhere else.
const PAUSE: Duration = Duration::from_millis(50);

/// Marks the reply to a request that ran nothing, since its key came before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Runs the call, or waits for the one that its key stands for, and gives what came of it.
pub(in crate::front) async fn once(
    state: &State,
    headers: &HeaderMap,
    procedure: &Arc<Procedure>,
    key: IdempotencyKey,
    asked: ParsedRequest,
    peer: &Peer,
    Sender { caller, recorder, .. }: &Sender,
) -> Result<Response, ErrorResponse> {
    let jobs = jobs(state)?;
    let ParsedRequest { arguments, form, presentation } = asked;
    let options = options(headers, presentation, &form, None, caller);
    let permit = state.permits.take(peer, procedure.permits.as_ref());
    let Once { id, is_new } = jobs.once(procedure, arguments, key, options, permit).await?;
    recorder.job(id);
    let view = ended(state, jobs, id, is_new).await?;
    let failure = view.failure_of_call();
    let mut response = outcome_of(state, &view, failure, headers, |_, _| Ok(form)).await?;
    if !is_new {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The job when it has ended. A host that is asked to stop lets no one wait but whose call it is.
async fn ended(state: &State, jobs: &Jobs, id: JobId, is_new: bool) -> Result<View, CallError> {
    loop {
        let view = tokio::select! {
            view = jobs.wait(id, TURN) => view?,
            () = state.shutdown.stopping(), if !is_new => {
                let view = jobs.view(id).await?;
                if view.job.state.is_terminal() {
                    return Ok(view);
                }
                let message = format!(
                    "the host is about to stop, and the request with this key is {}; send it again with the same key",
                    view.job.state.name()
                );
                return Err(CallError::new(ErrorKind::Unavailable, message).retry_after(1));
            }
        };
        if view.job.state.is_terminal() {
            return Ok(view);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
