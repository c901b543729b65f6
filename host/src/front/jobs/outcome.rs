//! What came of a job, as the reply that a synchronous call would have had.

use axum::response::IntoResponse as _;
use http::HeaderMap;

use super::find::jobs;
use crate::budget::Purpose;
use crate::codec::pickle::Arrays;
use crate::error::{CallError, Output};
use crate::front::admission::block_in_place_if_large;
use crate::front::preferences::Preference;
use crate::front::response::{self, ErrorResponse, Form, Reply};
use crate::front::state::State;
use crate::jobs::model::Presentation;
use crate::jobs::{Jobs, View};
use crate::value::Value;

/// How arrays are written for who can take a result in this way.
pub(super) fn arrays(presentation: Presentation) -> Arrays {
    if presentation == Presentation::Numpy { Arrays::Numpy } else { Arrays::Lists }
}

/// What came of a job, as a synchronous call would have given it; `form` chooses how to write a
/// result by how its submitter can take it. `headers` are those of the request.
pub(super) async fn outcome(
    state: &State,
    view: &View,
    headers: &HeaderMap,
    form: impl FnOnce(&Value, Presentation) -> Result<Form, CallError> + Send,
) -> Reply {
    outcome_of(state, view, view.failure(), headers, form).await
}

/// The same, where `failure` is why there is no result.
pub(super) async fn outcome_of(
    state: &State,
    view: &View,
    failure: Option<CallError>,
    headers: &HeaderMap,
    form: impl FnOnce(&Value, Presentation) -> Result<Form, CallError> + Send,
) -> Reply {
    let jobs = jobs(state)?;
    let mut response = match failure {
        None => {
            let (value, presentation) = jobs.result(view.job.id).await?;
            let form = form(&value, presentation)?;
            let size = response::size(&value, &form);
            let mut charge = state.sandbox.budget().charge(Purpose::Work);
            // For the value that was read, and for what is written of it.
            charge.take_soon(value.written_size()).await.map_err(CallError::from)?;
            charge.reserve_soon(size).await.map_err(CallError::from)?;
            let output = match Preference::Output.is_in(headers) {
                true => Some(output(jobs, view).await?),
                false => None,
            };
            let output = output.as_ref();
            block_in_place_if_large(size, || response::success(&value, &form, output, charge))?
        }
        Some(error) if !view.job.state.is_terminal() => return Err(error.into()),
        Some(error) => {
            let output = output(jobs, view).await?;
            ErrorResponse::new(Box::new(error), output).into_response()
        }
    };
    response::write_receipt(&view.job.receipt, response.headers_mut());
    Ok(response)
}

/// What a job printed.
async fn output(jobs: &Jobs, view: &View) -> Result<Output, CallError> {
    let logs = jobs.logs(view.job.id).await?;
    Ok(Output { stdout: logs.stdout, stderr: logs.stderr })
}
