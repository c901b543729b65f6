//! `/-/events`: server-sent events that tell when the catalog or some job has changed, so that nobody
//! needs to ask again and again.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State as Extract;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::credentials::Sender;
use super::state::State;
use crate::auth::Right;
use crate::catalog::Shared;

/// Its address.
pub(super) const PATH: &str = "/-/events";

/// How often a silent stream says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The least time between two events about jobs; a job may report progress a thousand times a second.
const BETWEEN_JOBS: Duration = Duration::from_secs(1);

/// `GET /-/events`. Ends when the host is asked to stop, or the caller's token is no longer valid.
pub(super) async fn stream(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
) -> Response {
    let mut catalog_changes = state.catalog_changes.clone();
    // How it is now is told first.
    catalog_changes.mark_changed();
    let source = Source {
        catalog: state.catalog.clone(),
        catalog_changes,
        job_changes: (state.jobs.as_ref().filter(|_| caller.may(&Right::Jobs)))
            .map(crate::jobs::Jobs::changes),
        next_about_jobs: Instant::now(),
    };
    let events = stream::unfold(source, |mut source| async {
        let event = source.next().await;
        Some((Ok::<_, Infallible>(event), source))
    });
    let events = events.take_until(state.no_longer_serves(caller));
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// Where the events of one stream come from.
struct Source {
    catalog: Shared,
    catalog_changes: watch::Receiver<()>,
    /// `None` where the host keeps no jobs.
    job_changes: Option<watch::Receiver<()>>,
    next_about_jobs: Instant,
}

impl Source {
    async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            () = changed(&mut self.catalog_changes) => {
                let version = json!({ "version": self.catalog.load().version() });
                Event::default().event("catalog").data(version.to_string())
            }
            () = job_changed(self.job_changes.as_mut(), self.next_about_jobs) => {
                self.next_about_jobs = Instant::now() + BETWEEN_JOBS;
                Event::default().event("jobs").data("{}")
            }
        }
    }
}

/// Waits for a change that was not seen yet; for ever where none can come.
async fn changed(changes: &mut watch::Receiver<()>) {
    if changes.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for a change of jobs that may be told. Dropped while it waits, it has seen none.
async fn job_changed(changes: Option<&mut watch::Receiver<()>>, not_before: Instant) {
    let Some(changes) = changes else { return std::future::pending().await };
    tokio::time::sleep_until(not_before).await;
    changed(changes).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn jobs_are_told_of_once_a_second_and_the_catalog_at_once() {
        let (catalog, catalog_changes) = watch::channel(());
        let (jobs, job_changes) = watch::channel(());
        let mut source = Source {
            catalog: Shared::default(),
            catalog_changes,
            job_changes: Some(job_changes),
            next_about_jobs: Instant::now(),
        };
        let start = Instant::now();
        jobs.send_replace(());
        assert!(format!("{:?}", source.next().await).contains("jobs"));
        assert!(start.elapsed() < BETWEEN_JOBS);
        for _ in 0..1000 {
            jobs.send_replace(());
        }
        catalog.send_replace(());
        assert!(format!("{:?}", source.next().await).contains("catalog"));
        assert!(start.elapsed() < BETWEEN_JOBS);
        assert!(format!("{:?}", source.next().await).contains("jobs"));
        assert!(start.elapsed() >= BETWEEN_JOBS);
        let more = tokio::time::timeout(BETWEEN_JOBS * 2, source.next()).await;
        assert!(more.is_err(), "all that has changed was told");
    }
}
