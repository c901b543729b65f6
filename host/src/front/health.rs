//! `/-/health`: whether the host is alive, and whether it is ready to be called, for whatever watches
//! over it.

use std::borrow::Cow;

use axum::extract::State as Extract;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::response;
use super::state::State;

/// Its pages, which are answered without a token: what watches over hosts has none.
pub(super) const PATHS: [&str; 3] = ["/-/health", "/-/health/live", "/-/health/ready"];

#[derive(Serialize)]
struct Health<'a> {
    live: bool,
    #[serde(flatten)]
    readiness: Readiness,
    version: &'static str,
    uptime: u64,
    catalog: &'a str,
    procedures: usize,
    problems: usize,
    jobs: bool,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// Why not.
    reason: Option<Cow<'static, str>>,
}

#[derive(Serialize)]
struct Liveness {
    live: bool,
}

/// `GET /-/health`: all of it.
pub(super) async fn show(Extract(state): Extract<State>) -> Response {
    let catalog = state.catalog.load();
    let readiness = readiness(&state).await;
    let status = readiness.status();
    let health = Health {
        live: true,
        readiness,
        version: env!("CARGO_PKG_VERSION"),
        uptime: state.metrics.uptime().as_secs(),
        catalog: catalog.version(),
        procedures: catalog.procedures().count(),
        problems: catalog.problems().len(),
        jobs: state.jobs.is_some(),
    };
    response::bare(status, &health)
}

/// `GET /-/health/live`: whoever gets an answer knows.
pub(super) async fn live() -> Response {
    response::bare(StatusCode::OK, &Liveness { live: true })
}

/// `GET /-/health/ready`: whether everything that was there at the start has been looked at, jobs can be
/// stored, and the host is not about to stop.
pub(super) async fn ready(Extract(state): Extract<State>) -> Response {
    let readiness = readiness(&state).await;
    response::bare(readiness.status(), &readiness)
}

async fn readiness(state: &State) -> Readiness {
    let of_host = Readiness::new(state.shutdown.is_stopping(), state.catalog.load().is_complete());
    match &state.jobs {
        Some(jobs) if of_host.ready => match jobs.probe().await {
            Ok(()) => of_host,
            Err(error) => Readiness { ready: false, reason: Some(error.message.into()) },
        },
        _ => of_host,
    }
}

impl Readiness {
    fn new(is_stopping: bool, is_complete: bool) -> Self {
        let reason = match (is_stopping, is_complete) {
            (true, _) => Some("stopping"),
            (false, false) => Some("loading"),
            (false, true) => None,
        };
        Self { ready: reason.is_none(), reason: reason.map(Cow::Borrowed) }
    }

    fn status(&self) -> StatusCode {
        if self.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_ready_from_its_loading_to_its_stopping() {
        for (is_stopping, is_complete, reason, status) in [
            (false, false, Some("loading"), 503),
            (false, true, None, 200),
            (true, true, Some("stopping"), 503),
            (true, false, Some("stopping"), 503),
        ] {
            let readiness = Readiness::new(is_stopping, is_complete);
            assert_eq!(
                (readiness.reason.as_deref(), readiness.status().as_u16()),
                (reason, status)
            );
        }
    }
}
