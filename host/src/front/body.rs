//! Reads a request's body within its limits of size and time: there is a time-out for its beginning, and
//! more time for each byte that came, by the slowest rate.

use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::state::State;
use crate::budget::{Charge, NoRoom, Purpose};
use crate::config::ServerConfig;
use crate::error::{CallError, ErrorKind};

/// How large a body may be, and what of the configuration says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct SizeLimit {
    pub(super) bytes: usize,
    pub(super) setting: &'static str,
}

impl SizeLimit {
    /// That of most requests.
    pub(super) fn of_requests(config: &ServerConfig) -> Self {
        Self { bytes: config.max_body, setting: "max_body" }
    }
}

/// The whole body, of the size that most requests may have.
///
/// # Errors
///
/// As [`read_within`].
pub(super) async fn read(state: &State, body: Body) -> Result<(Bytes, Charge), CallError> {
    read_within(state, body, SizeLimit::of_requests(&state.config)).await
}

/// The whole body.
///
/// # Errors
///
/// [`ErrorKind::TooLarge`] over the limit, [`ErrorKind::BadRequest`] where it breaks off, [`ErrorKind::RequestTimeout`]
/// where it comes too slowly, [`ErrorKind::Overloaded`] where there is no room for it.
pub(super) async fn read_within(
    state: &State,
    mut body: Body,
    limit: SizeLimit,
) -> Result<(Bytes, Charge), CallError> {
    let charge = state.sandbox.budget().charge(Purpose::Request);
    if body.is_end_stream() {
        return Ok((Bytes::new(), charge));
    }
    let announced = body.size_hint().lower();
    if announced <= limit.bytes as u64 {
        let pace = Pace::new(state.config.body_timeout, state.config.body_min_rate);
        match gather(Limited::new(&mut body, limit.bytes), announced as usize, &pace, charge).await
        {
            Ok(whole) => return Ok(whole),
            Err(Broken::NoRoom(no_room)) => return Err(no_room.into()),
            Err(Broken::Off(e)) if e.is::<LengthLimitError>() => {}
            Err(Broken::Off(e)) if e.is::<Elapsed>() => return Err(pace.too_slow()),
            Err(Broken::Off(e)) => {
                return Err(CallError::new(
                    ErrorKind::BadRequest,
                    format!("the request's body broke off: {e}"),
                ));
            }
        }
    }
    Err(too_large(limit))
}

/// The refusal of a body over the limit.
pub(super) fn too_large(SizeLimit { bytes, setting }: SizeLimit) -> CallError {
    let limit = bytesize::ByteSize(bytes as u64).display().iec();
    let message = format!(
        "the request's body is larger than {limit}; send less, or raise `{setting}` of the host"
    );
    CallError::new(ErrorKind::TooLarge, message)
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
        CallError::new(ErrorKind::RequestTimeout, message)
    }
}

/// Why a body is not whole.
enum Broken {
    Off(BoxError),
    NoRoom(NoRoom),
}

/// Puts the frames together as they come, so that the next is read into the memory of the last. Memory
/// grows, and is charged, with what has come: what is announced costs its sender nothing.
async fn gather(
    mut body: Limited<&mut Body>,
    announced: usize,
    pace: &Pace,
    mut charge: Charge,
) -> Result<(Bytes, Charge), Broken> {
    let mut whole = Vec::new();
    loop {
        let next = timeout_at(pace.deadline(whole.len()), body.frame()).await;
        let Some(frame) = next.map_err(|e| Broken::Off(e.into()))? else { break };
        let Ok(data) = frame.map_err(Broken::Off)?.into_data() else { continue };
        let wanted = whole.len() + data.len();
        if wanted > whole.capacity() {
            let doubled = wanted.max(2 * whole.capacity());
            let capacity = if announced >= wanted { doubled.min(announced) } else { doubled };
            let more = capacity - whole.capacity();
            charge.take_soon(more).await.map_err(Broken::NoRoom)?;
            whole
                .try_reserve_exact(capacity - whole.len())
                .map_err(|_| Broken::NoRoom(charge.refusal()))?;
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole.into(), charge))
}
