//! Jobs over HTTP: `/-/jobs` for programs and people, and the handles of the original protocol. Knows
//! how a job is shown, not how it runs.

mod arguments;
mod events;
mod key;
mod once;
mod original;
mod show;
mod submit;

use axum::Router;
use axum::extract::State as Extract;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};

use super::State;
use super::negotiate::{Offer, form};
use super::reply::{self, Form, Refusal};
use super::router::{page, with_methods};
use crate::budget::Purpose;
use crate::codec::pickle::Arrays;
use crate::error::{CallError, Kind, Output};
use crate::jobs::model::{JobId, Presentation};
use crate::jobs::{Jobs, View};
use crate::value::Value;
pub(super) use key::{IDEMPOTENCY_KEY, key};
pub(super) use once::once;
use show::Shown;
pub(super) use show::{CURSOR, LARGEST_PAGE, PAGE};
pub(super) use submit::{accept, check_pin, is_wanted};

/// What a waiting request may ask for, in seconds.
const LONGEST_WAIT: f64 = 60.0;

const ASYNC_GET: &str = "/asyncGet";
const ASYNC_PROBE: &str = "/asyncProbe";

/// Where the original client asks for a job.
pub(super) const ORIGINAL_PATHS: [&str; 2] = [ASYNC_GET, ASYNC_PROBE];

pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/-/jobs", page(list))
        .route("/-/jobs/counts", page(counts))
        .route("/-/jobs/{id}", with_methods(get(job).delete(cancel), "GET, HEAD, DELETE, OPTIONS"))
        .route("/-/jobs/{id}/result", page(result))
        .route("/-/jobs/{id}/arguments", page(arguments::show))
        .route("/-/jobs/{id}/logs", page(logs))
        .route("/-/jobs/{id}/events", page(events::stream))
        .route(ASYNC_GET, page(original::get))
        .route(ASYNC_PROBE, page(original::probe))
}

type Reply = Result<Response, Refusal>;

async fn list(Extract(state): Extract<State>, RawQuery(query): RawQuery) -> Reply {
    let filter = show::filter(query.as_deref().unwrap_or_default())?;
    let (jobs, next) = jobs(&state)?.list(&filter).await?;
    Ok(reply::bare(StatusCode::OK, &show::Listed::new(&jobs, next)))
}

async fn counts(Extract(state): Extract<State>, RawQuery(query): RawQuery) -> Reply {
    let procedure = show::counted(query.as_deref().unwrap_or_default())?;
    let counts = jobs(&state)?.counts(procedure.as_deref()).await?;
    Ok(reply::bare(StatusCode::OK, &show::Counts::new(counts)))
}

async fn job(Extract(state): Extract<State>, Path(id): Path<String>) -> Reply {
    let view = jobs(&state)?.view(handle(&id)?).await?;
    Ok(reply::bare(StatusCode::OK, &Shown::from(&view)))
}

async fn cancel(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Reply {
    let (id, jobs) = (handle(&id)?, jobs(&state)?);
    let view = match show::keep(query.as_deref().unwrap_or_default())? {
        true => jobs.cancel(id).await?,
        false => jobs.cancel_or_remove(id).await?,
    };
    Ok(reply::bare(StatusCode::OK, &Shown::from(&view)))
}

async fn logs(Extract(state): Extract<State>, Path(id): Path<String>) -> Reply {
    let logs = jobs(&state)?.logs(handle(&id)?).await?;
    Ok(reply::bare(StatusCode::OK, &show::Log::from(&logs)))
}

async fn result(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply {
    let id = handle(&id)?;
    let seconds = show::wait(query.as_deref().unwrap_or_default())?;
    let view = waited(&state, id, seconds).await?;
    outcome(&state, &view, |value, presentation| match presentation {
        Presentation::Web => Ok(Form::Web),
        _ => form(&headers, arrays(presentation), || Offer::of_value(value)),
    })
    .await
}

fn arrays(presentation: Presentation) -> Arrays {
    if presentation == Presentation::Numpy { Arrays::Numpy } else { Arrays::Lists }
}

/// A job after so many seconds, or after its end; or as it is when the host is asked to stop.
async fn waited(state: &State, id: JobId, seconds: f64) -> Result<View, CallError> {
    let jobs = jobs(state)?;
    let seconds = seconds.clamp(0.0, LONGEST_WAIT);
    tokio::select! {
        view = jobs.wait(id, std::time::Duration::from_secs_f64(seconds)) => view,
        () = state.closing.cancelled() => jobs.view(id).await,
    }
}

/// What came of a job, as a synchronous call would have given it; `form` chooses how to write a
/// result by how its submitter can take it.
async fn outcome(
    state: &State,
    view: &View,
    form: impl FnOnce(&Value, Presentation) -> Result<Form, CallError> + Send,
) -> Reply {
    outcome_of(state, view, view.failure(), form).await
}

/// The same, where `failure` is why there is no result.
async fn outcome_of(
    state: &State,
    view: &View,
    failure: Option<CallError>,
    form: impl FnOnce(&Value, Presentation) -> Result<Form, CallError> + Send,
) -> Reply {
    let jobs = jobs(state)?;
    let mut response = match failure {
        None => {
            let (value, presentation) = jobs.result(view.job.id).await?;
            let form = form(&value, presentation)?;
            let size = reply::size(&value, &form);
            let mut charge = state.sandbox.budget().charge(Purpose::Work);
            // For the value that was read, and for what is written of it.
            charge.take_soon(value.written_size()).await.map_err(CallError::from)?;
            charge.reserve_soon(size).await.map_err(CallError::from)?;
            super::procedure::unhurried(size, || reply::success(&value, &form, charge))?
        }
        Some(error) if !view.job.state.is_terminal() => return Err(error.into()),
        Some(error) => {
            let logs = jobs.logs(view.job.id).await?;
            let output = Output { stdout: logs.stdout, stderr: logs.stderr };
            Refusal::new(Box::new(error), output).into_response()
        }
    };
    reply::write_receipt(&view.job.receipt, response.headers_mut());
    Ok(response)
}

fn jobs(state: &State) -> Result<&Jobs, CallError> {
    state.jobs.as_ref().ok_or_else(|| {
        CallError::new(Kind::NotFound, "this host keeps no jobs: it was started with --jobs none")
    })
}

fn handle(id: &str) -> Result<JobId, CallError> {
    id.parse().map_err(|_| {
        CallError::new(Kind::NotFound, format!("there is no job {id:?}: a handle is a UUID"))
    })
}
