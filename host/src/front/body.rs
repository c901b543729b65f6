//! Reads a request's body within its limits of size and time: there is a time-out for its beginning, and
//! more time for each byte that came, by the slowest rate.

use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody as _};
use bytes::BytesMut;
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::State;
use crate::error::{CallError, Kind};

/// How much of a body that is too large is read and thrown away, so that its sender, who may look
/// for a reply only after sending all, gets to see why.
const DRAINED: usize = 256 << 20;

/// How long that may take.
const DRAINING: Duration = Duration::from_secs(10);

/// The whole body.
///
/// # Errors
///
/// [`Kind::TooLarge`] over the limit, [`Kind::BadRequest`] where it breaks off, [`Kind::RequestTimeout`]
/// where it comes too slowly.
pub(super) async fn read(
    state: &State,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<Bytes, CallError> {
    let limit = state.config.max_body;
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = body.size_hint().lower();
    if announced <= limit as u64 {
        let pace = Pace::new(state.config.body_timeout, state.config.body_min_rate);
        match gather(Limited::new(&mut body, limit), announced as usize, &pace).await {
            Ok(whole) => return Ok(whole),
            Err(e) if e.is::<LengthLimitError>() => {}
            Err(e) if e.is::<Elapsed>() => return Err(pace.too_slow()),
            Err(e) => {
                return Err(CallError::new(
                    Kind::BadRequest,
                    format!("the request's body broke off: {e}"),
                ));
            }
        }
    }
    // Who expects "100 Continue" has not begun to send.
    if !headers.contains_key(EXPECT) {
        let _ = tokio::time::timeout(DRAINING, drain(body)).await;
    }
    Err(too_large(limit))
}

/// The refusal of a body over the limit.
pub(super) fn too_large(limit: usize) -> CallError {
    let limit = bytesize::ByteSize(limit as u64).display().iec();
    let message = format!(
        "the request's body is larger than {limit}; send less, or raise `max_body` of the host"
    );
    CallError::new(Kind::TooLarge, message)
}

/// How long a body may take.
struct Pace {
    start: Instant,
    timeout: Duration,
    min_rate: usize,
}

impl Pace {
    fn new(timeout: Duration, min_rate: usize) -> Self {
        Self { start: Instant::now(), timeout, min_rate: min_rate.max(1) }
    }

    /// When the next byte must have come, after so many.
    fn deadline(&self, arrived: usize) -> Instant {
        self.start + self.timeout + Duration::from_secs_f64(arrived as f64 / self.min_rate as f64)
    }

    fn too_slow(&self) -> CallError {
        let waited = humantime::format_duration(self.timeout);
        let rate = bytesize::ByteSize(self.min_rate as u64).display().iec();
        let message = format!(
            "the request's body came too slowly: there are {waited}, and a second more for each {rate} of it; `body_timeout` and `body_min_rate` of the host set that"
        );
        CallError::new(Kind::RequestTimeout, message)
    }
}

/// Puts the frames together as they come, so that the next is read into the memory of the last.
async fn gather(
    mut body: Limited<&mut Body>,
    announced: usize,
    pace: &Pace,
) -> Result<Bytes, BoxError> {
    let mut whole = BytesMut::with_capacity(announced);
    while let Some(frame) = timeout_at(pace.deadline(whole.len()), body.frame()).await? {
        if let Ok(data) = frame?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

async fn drain(mut body: Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, Bytes::len);
        if drained > DRAINED {
            return;
        }
    }
}
