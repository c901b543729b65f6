//! Reads a request's body within its limits of size and time.

use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody as _};
use bytes::BytesMut;
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

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
/// [`Kind::TooLarge`] over the limit, [`Kind::BadRequest`] where it breaks off or comes too slowly.
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
    let too_large = if announced > limit as u64 {
        true
    } else {
        let whole = gather(Limited::new(&mut body, limit), announced as usize);
        match tokio::time::timeout(state.config.body_timeout, whole).await {
            Ok(Ok(whole)) => return Ok(whole),
            Ok(Err(e)) if e.is::<LengthLimitError>() => true,
            Ok(Err(e)) => {
                return Err(CallError::new(
                    Kind::BadRequest,
                    format!("the request's body broke off: {e}"),
                ));
            }
            Err(_) => false,
        }
    };
    if !too_large {
        let waited = humantime::format_duration(state.config.body_timeout);
        let message = format!("the request's body did not arrive within {waited}");
        return Err(CallError::new(Kind::BadRequest, message));
    }
    // Who expects "100 Continue" has not begun to send.
    if !headers.contains_key(EXPECT) {
        let _ = tokio::time::timeout(DRAINING, drain(body)).await;
    }
    let limit = bytesize::ByteSize(limit as u64).display().iec();
    let message = format!(
        "the request's body is larger than {limit}; send less, or raise `max_body` of the host"
    );
    Err(CallError::new(Kind::TooLarge, message))
}

/// Puts the frames together as they come, so that the next is read into the memory of the last.
async fn gather(mut body: Limited<&mut Body>, announced: usize) -> Result<Bytes, BoxError> {
    let mut whole = BytesMut::with_capacity(announced);
    while let Some(frame) = body.frame().await {
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
