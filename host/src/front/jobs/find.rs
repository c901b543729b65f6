//! Finds the job that a request is about.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Caller, Right};
use crate::error::{CallError, ErrorKind};
use crate::front::state::State;
use crate::jobs::model::JobId;
use crate::jobs::{Jobs, View};

/// What a waiting request may ask for, in seconds.
const MAX_WAIT: f64 = 60.0;

/// The jobs of this host.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] where it keeps none.
pub(super) fn jobs(state: &State) -> Result<&Jobs, CallError> {
    state.jobs.as_ref().ok_or_else(|| {
        CallError::new(
            ErrorKind::NotFound,
            "this host keeps no jobs: it was started with --jobs none",
        )
    })
}

/// The handle of a job.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] for what is no handle, since no job has it.
pub(super) fn handle(id: &str) -> Result<JobId, CallError> {
    id.parse().map_err(|_| {
        CallError::new(ErrorKind::NotFound, format!("there is no job {id:?}: a handle is a UUID"))
    })
}

/// The id of the caller's token, by which the jobs that they submit are their own.
pub(super) fn owner(caller: &Caller) -> Option<Arc<str>> {
    caller.id().map(|id| id.as_str().into())
}

/// Whose jobs the caller may see; `None` for those who may see all.
pub(super) fn visible_owner(caller: &Caller) -> Option<Arc<str>> {
    owner(caller).filter(|_| !caller.may(&Right::AllJobs))
}

/// The job with this handle, if the caller may see it.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] also for another's, [`ErrorKind::Gone`], and where the store fails.
pub(super) async fn view(state: &State, caller: &Caller, id: JobId) -> Result<View, CallError> {
    jobs(state)?.view_of_owner(id, visible_owner(caller).as_deref()).await
}

/// A job that the caller may see, after so many seconds, or after its end; or as it is when the host is asked to stop.
pub(super) async fn waited(
    state: &State,
    caller: &Caller,
    id: JobId,
    seconds: f64,
) -> Result<View, CallError> {
    let jobs = jobs(state)?;
    let view = view(state, caller, id).await?;
    if view.job.state.is_terminal() || seconds <= 0.0 {
        return Ok(view);
    }
    let seconds = seconds.clamp(0.0, MAX_WAIT);
    tokio::select! {
        view = jobs.wait(id, Duration::from_secs_f64(seconds)) => view,
        () = state.shutdown.stopping() => jobs.view(id).await,
    }
}
