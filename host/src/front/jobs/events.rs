//! A job's events as they come: server-sent events, as the HTML standard defines them.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State as Extract};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderMap, StatusCode};

use super::find::{handle, jobs, view};
use super::query::NoQuery;
use super::show::{Line, Shown};
use crate::front::credentials::Sender;
use crate::front::response::Reply;
use crate::front::state::State;
use crate::jobs::model::{Job, LogLine};
use crate::jobs::{EventKind, Follower, Jobs, View};

/// The id of the last event there is. A browser that saw it asks once more, and is told that there
/// is nothing more to come.
const END: &str = "end";

/// How often a silent stream says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /-/jobs/ID/events`.
pub(super) async fn stream(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Reply {
    let id = handle(&id)?;
    let jobs = jobs(&state)?.clone();
    let view = view(&state, &caller, id).await?;
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok());
    if last == Some(END) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let seen = last.and_then(|last| last.parse().ok()).unwrap_or(0);
    Ok(match jobs.follow(id, seen) {
        Some(follower) => {
            let events = stream::unfold(Some((jobs, follower)), next);
            send(events.take_until(state.no_longer_serves(caller)))
        }
        // It has ended, maybe just now: what it logged is in its record.
        None => {
            let view = if view.job.state.is_terminal() { view } else { jobs.view(id).await? };
            let lines = jobs.logs(id).await?.lines;
            let missed = lines.iter().filter(|line| line.number > seen).map(log_event);
            // Only of a job that has ended there is nothing more to come.
            let number = (!view.job.state.is_terminal()).then_some(seen);
            let events = missed.chain([state_event(&view, number)]).map(Ok).collect::<Vec<_>>();
            send(stream::iter(events))
        }
    })
}

fn send(
    events: impl futures_util::Stream<Item = Result<Event, Infallible>> + Send + 'static,
) -> Response {
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

type Source = Option<(Jobs, Follower)>;

async fn next(source: Source) -> Option<(Result<Event, Infallible>, Source)> {
    let (jobs, mut follower) = source?;
    let event = follower.next().await?;
    let number = event.number;
    let sent = match &event.kind {
        EventKind::State(state) => {
            // A job whose record cannot be read now tells nothing; the next event may.
            let mut view = jobs.view(follower.id()).await.ok()?;
            if !state.is_terminal() {
                // It may have gone on since, which later events tell.
                view.job =
                    Job { state: *state, ended: None, kept_for: None, error: None, ..view.job };
            }
            let number = (!state.is_terminal()).then_some(number);
            state_event(&view, number)
        }
        EventKind::Progress(progress) => data("progress", progress).id(number.to_string()),
        EventKind::Log(line) => log_event(line),
    };
    Some((Ok(sent), Some((jobs, follower))))
}

fn state_event(view: &View, number: Option<u64>) -> Event {
    let id = number.map_or_else(|| END.to_owned(), |number| number.to_string());
    data("state", &Shown::from(view)).id(id)
}

fn log_event(line: &LogLine) -> Event {
    data("log", &Line::from(line)).id(line.number.to_string())
}

fn data(name: &str, content: &impl serde::Serialize) -> Event {
    // Only a map with keys that are no strings could fail, and none is sent.
    Event::default().event(name).data(serde_json::to_string(content).unwrap_or_default())
}
