//! The addresses of jobs, and the pages `/-/jobs` but for those that are files of their own.

use axum::extract::State as Extract;
use axum::extract::{Path, RawQuery};
use axum::routing::get;
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode};

use super::find::{handle, jobs, view, visible_owner, waited};
use super::outcome::{arrays, outcome};
use super::query::NoQuery;
use super::show::Shown;
use super::{arguments, events, original, show};
use crate::audit::Event;
use crate::front::credentials::Sender;
use crate::front::methods::{page, with_methods};
use crate::front::negotiate::{Offer, form};
use crate::front::response::{self, Form, Reply};
use crate::front::state::State;
use crate::jobs::model::Presentation;
use crate::jobs::store::Filter;

pub(in crate::front) fn routes() -> Router<State> {
    Router::new()
        .route("/-/jobs", page(list))
        .route("/-/jobs/counts", page(counts))
        .route("/-/jobs/{id}", with_methods(get(job).delete(cancel), "GET, HEAD, DELETE, OPTIONS"))
        .route("/-/jobs/{id}/result", page(result))
        .route("/-/jobs/{id}/arguments", page(arguments::show))
        .route("/-/jobs/{id}/logs", page(logs))
        .route("/-/jobs/{id}/events", page(events::stream))
        .route(original::GET, page(original::get))
        .route(original::PROBE, page(original::probe))
}

async fn list(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    RawQuery(query): RawQuery,
) -> Reply {
    let filter = Filter {
        owner: visible_owner(&caller),
        ..show::filter(query.as_deref().unwrap_or_default())?
    };
    let (jobs, next) = jobs(&state)?.list(&filter).await?;
    Ok(response::bare(StatusCode::OK, &show::Listed::new(&jobs, next)))
}

async fn counts(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    RawQuery(query): RawQuery,
) -> Reply {
    let procedure = show::counted(query.as_deref().unwrap_or_default())?;
    let counts =
        jobs(&state)?.counts(procedure.as_deref(), visible_owner(&caller).as_deref()).await?;
    Ok(response::bare(StatusCode::OK, &show::Counts::new(counts)))
}

async fn job(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    Path(id): Path<String>,
    _: NoQuery,
) -> Reply {
    let view = view(&state, &caller, handle(&id)?).await?;
    Ok(response::bare(StatusCode::OK, &Shown::from(&view)))
}

async fn cancel(
    Extract(state): Extract<State>,
    Extension(Sender { caller, recorder, .. }): Extension<Sender>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Reply {
    let (id, jobs) = (handle(&id)?, jobs(&state)?);
    let had_ended = view(&state, &caller, id).await?.job.state.is_terminal();
    let keeps = show::keep(query.as_deref().unwrap_or_default())?;
    let view = match keeps {
        true => jobs.cancel(id).await?,
        false => jobs.cancel_or_remove(id).await?,
    };
    // To cancel what has ended does nothing.
    if !(keeps && had_ended) {
        recorder.event(if had_ended { Event::JobRemoved } else { Event::JobCancelled });
        recorder.job(id);
    }
    Ok(response::bare(StatusCode::OK, &Shown::from(&view)))
}

async fn logs(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    Path(id): Path<String>,
    _: NoQuery,
) -> Reply {
    let id = handle(&id)?;
    view(&state, &caller, id).await?;
    let logs = jobs(&state)?.logs(id).await?;
    Ok(response::bare(StatusCode::OK, &show::Log::from(&logs)))
}

async fn result(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply {
    let id = handle(&id)?;
    let seconds = show::wait(query.as_deref().unwrap_or_default())?;
    let view = waited(&state, &caller, id, seconds).await?;
    outcome(&state, &view, &headers, |value, presentation| match presentation {
        Presentation::Web => Ok(Form::Web),
        _ => form(&headers, arrays(presentation), || Offer::of_value(value)),
    })
    .await
}
