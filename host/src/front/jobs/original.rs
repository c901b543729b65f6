//! The handles of the original protocol: `asyncProbe` and `asyncGet`.

use axum::extract::{RawQuery, State as Extract};
use axum::response::{IntoResponse as _, Response};
use http::header::{HeaderValue, RETRY_AFTER};
use serde::Serialize;

use super::{Reply, arrays, handle, jobs, outcome, waited};
use crate::error::{CallError, Kind};
use crate::front::State;
use crate::front::reply::{self, Form, Refusal};
use crate::jobs::View;
use crate::jobs::model::{self, JobId};
use crate::sandbox::Progress;
use crate::value::Value;

/// How long `asyncGet` is held, in seconds: the original client's `wait()` returns as soon as the
/// job has ended, and its library has not given up yet.
const HELD: f64 = 20.0;

/// The handle of a job that was just queued.
pub(super) fn handed_out(view: &View) -> Response {
    #[derive(Serialize)]
    struct Handle {
        #[serde(rename = "ID")]
        id: String,
        suggested_wait: u32,
    }
    reply::success_of(&Handle {
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
pub(super) async fn probe(Extract(state): Extract<State>, RawQuery(query): RawQuery) -> Reply {
    let id = uuid(query.as_deref())?;
    let view = jobs(&state)?.view(id).await?;
    let job = &view.job;
    let (status, error) = match job.state {
        model::State::Queued | model::State::Running => ("in_progress", None),
        model::State::Succeeded => ("completed", None),
        _ => ("failed", view.failure().map(|error| error.message)),
    };
    Ok(reply::success_of(&Probe {
        status,
        suggested_wait: job.suggested_wait,
        state: job.state.name(),
        progress: job.progress.as_ref(),
        error,
    }))
}

/// `GET /asyncGet?UUID=ID`: the result, as soon as it is there.
pub(super) async fn get(Extract(state): Extract<State>, RawQuery(query): RawQuery) -> Reply {
    let id = uuid(query.as_deref())?;
    let view = waited(&state, id, HELD).await?;
    if view.job.state.is_terminal() {
        let form = |_: &Value, presentation| Ok(Form::Rpc(arrays(presentation)));
        return outcome(&state, &view, form).await;
    }
    let message = format!("the job {id} is {}", view.job.state.name());
    let error = CallError::new(Kind::OperationInProgress, message);
    let mut response = Refusal::from(error).into_response();
    // It has waited already; asking again at once is no hot loop.
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("0"));
    Ok(response)
}

fn uuid(query: Option<&str>) -> Result<JobId, CallError> {
    let query = query.unwrap_or_default();
    let uuid = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "UUID");
    let (_, uuid) =
        uuid.ok_or_else(|| CallError::new(Kind::BadRequest, "UUID parameter is required"))?;
    handle(&uuid)
}
