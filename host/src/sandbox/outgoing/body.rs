//! The bodies of requests and responses: bounded, timed, and paid for by their guest.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::Error;

use super::super::debt::Debt;
use super::super::messages::GuestBody;

/// Bytes of a body, either way.
pub(super) const MAX_BODY: u64 = 1 << 30;

/// The body of a guest's request.
pub(super) struct Sent {
    body: GuestBody,
    debt: Debt,
    left: u64,
}

impl Sent {
    pub(super) fn new(body: GuestBody, debt: Debt) -> Self {
        Self { body, debt, left: MAX_BODY }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            self.debt.add(length);
            let Some(left) = self.left.checked_sub(length) else {
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(MAX_BODY)))));
            };
            self.left = left;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response to a guest, with what its connection holds.
pub(super) struct Received<H> {
    body: hyper::body::Incoming,
    debt: Debt,
    left: u64,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
    _held: H,
}

impl<H> Received<H> {
    /// Gives up where nothing comes for as long as `pause`.
    pub(super) fn new(body: hyper::body::Incoming, debt: Debt, pause: Duration, held: H) -> Self {
        let timer = Box::pin(sleep(pause));
        Self { body, debt, left: MAX_BODY, pause, timer, _held: held }
    }
}

impl<H: Unpin> Body for Received<H> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.timer.as_mut().poll(context));
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        Poll::Ready(match frame {
            None => None,
            Some(Err(_)) => Some(Err(Error::HttpResponseIncomplete)),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.debt.add(length);
                let next = Instant::now() + self.pause;
                self.timer.as_mut().reset(next);
                match self.left.checked_sub(length) {
                    Some(left) => {
                        self.left = left;
                        Some(Ok(frame))
                    }
                    None => Some(Err(Error::HttpResponseBodySize(Some(MAX_BODY)))),
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
