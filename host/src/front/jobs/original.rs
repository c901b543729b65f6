//! The handles of the original protocol: `asyncProbe` and `asyncGet`.

use axum::Extension;
use axum::extract::{RawQuery, State as Extract};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{HeaderValue, RETRY_AFTER};
use serde::Serialize;

use super::find::{handle, view, waited};
use super::outcome::{arrays, outcome};
use super::query::Query;
use crate::error::{CallError, ErrorKind};
use crate::front::credentials::Sender;
use crate::front::response::{self, ErrorResponse, Form, Reply};
use crate::front::state::State;
use crate::jobs::View;
use crate::jobs::model::{self, JobId};
use crate::sandbox::Progress;
use crate::value::Value;

/// The address of [`get`].
pub(super) const GET: &str = "/asyncGet";

/// The address of [`probe`].
pub(super) const PROBE: &str = "/asyncProbe";

/// Where the original client asks for a job.
pub(in crate::front) const PATHS: [&str; 2] = [GET, PROBE];

/// How long `asyncGet` is held, in seconds: the original client's `wait()` returns as soon as the
/// job has ended, and its library has not given up yet.
const LONG_POLL: f64 = 20.0;

/// The handle of a job that was just queued.
pub(super) fn handed_out(view: &View) -> Response {
    #[derive(Serialize)]
    struct Handle {
        #[serde(rename = "ID")]
        id: String,
        suggested_wait: u32,
    }
    response::success_of(&Handle {
        id: view.job.id.to_string(),
        suggested_wait: view.job.suggested_wait,
    })
}

#[derive(Serialize)]
struct Probe<'a> {
    /// One of the three words that the original client knows.
    status: &'static str,
    suggested_wait: u32,
    state: &'static str,
    progress: Option<&'a Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// `GET /asyncProbe?UUID=ID`.
pub(super) async fn probe(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    RawQuery(query): RawQuery,
) -> Reply {
    let id = uuid(query.as_deref())?;
    let view = view(&state, &caller, id).await?;
    let job = &view.job;
    let (status, error) = match job.state {
        model::JobState::Queued | model::JobState::Running => ("in_progress", None),
        model::JobState::Succeeded => ("completed", None),
        _ => ("failed", view.failure().map(|error| error.message)),
    };
    Ok(response::success_of(&Probe {
        status,
        suggested_wait: job.suggested_wait,
        state: job.state.name(),
        progress: job.progress.as_ref(),
        error,
    }))
}

/// `GET /asyncGet?UUID=ID`: the result, as soon as it is there.
pub(super) async fn get(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    RawQuery(query): RawQuery,
) -> Reply {
    let id = uuid(query.as_deref())?;
    let view = waited(&state, &caller, id, LONG_POLL).await?;
    if view.job.state.is_terminal() {
        let form = |_: &Value, presentation| Ok(Form::Rpc(arrays(presentation)));
        return outcome(&state, &view, &HeaderMap::new(), form).await;
    }
    let message = format!("the job {id} is {}", view.job.state.name());
    let error = CallError::new(ErrorKind::OperationInProgress, message);
    let mut response = ErrorResponse::from(error).into_response();
    // It has waited already; asking again at once is no hot loop.
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("0"));
    Ok(response)
}

fn uuid(query: Option<&str>) -> Result<JobId, CallError> {
    let query = Query::read(query.unwrap_or_default(), &["UUID"])?;
    let uuid = query
        .one("UUID")?
        .ok_or_else(|| CallError::new(ErrorKind::BadRequest, "UUID parameter is required"))?;
    handle(uuid)
}
