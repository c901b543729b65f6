//! What the host counts of itself: `/-/metrics` for Prometheus, `/-/overview` for people.

use std::time::SystemTime;

use axum::extract::State as Extract;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::response;
use super::state::State;
use crate::metrics::{self, Overview};

/// `GET /-/metrics`.
pub(super) async fn metrics(Extract(state): Extract<State>) -> Response {
    let text = state.metrics.text(state.standing());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

#[derive(Serialize)]
struct Now {
    now: String,
    #[serde(flatten)]
    overview: Overview,
}

/// `GET /-/overview`.
pub(super) async fn overview(Extract(state): Extract<State>) -> Response {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let overview = state.metrics.overview(state.standing());
    response::bare(StatusCode::OK, &Now { now, overview })
}
