//! Times a connection: how long it may be silent, how long a request's headers may take, how long a
//! reply may find no reader.
//!
//! hyper's own timeout does not tell a silent connection from a slow header, and none for HTTP/2 or
//! a reader that stopped reading. What is timed here are bytes and requests under way; what they
//! say is not known here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Watches one connection; clones watch the same one.
#[derive(Clone)]
pub(super) struct Watchdog(Arc<Watch>);

struct Watch {
    start: Instant,
    header_timeout: Duration,
    idle_timeout: Duration,
    /// Requests whose reply has not been handed over whole.
    requests: AtomicUsize,
    /// Moments, in milliseconds from `start`, [`NEVER`] where there is none.
    idle_since: AtomicU64,
    first_byte: AtomicU64,
    write_stalled: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Watchdog {
    pub(super) fn new(header_timeout: Duration, idle_timeout: Duration) -> Self {
        Self(Arc::new(Watch {
            start: Instant::now(),
            header_timeout,
            idle_timeout,
            requests: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            first_byte: AtomicU64::new(NEVER),
            write_stalled: AtomicU64::new(NEVER),
        }))
    }

    /// A request is under way until the guard is dropped.
    pub(super) fn request(&self) -> RequestGuard {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.first_byte.store(NEVER, Ordering::Relaxed);
        RequestGuard(Arc::clone(&self.0))
    }

    /// Completes when one of the times is up, with the reason.
    pub(super) async fn expired(&self) -> &'static str {
        loop {
            let (deadline, reason) = self.0.deadline();
            if Instant::now() >= deadline {
                return reason;
            }
            // What happens meanwhile only moves the deadline back, or brings one that is no nearer
            // than the shortest of the times.
            let look_again =
                self.0.header_timeout.min(self.0.idle_timeout).max(Duration::from_millis(10));
            tokio::time::sleep_until(deadline.min(Instant::now() + look_again)).await;
        }
    }
}

impl Watch {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    fn deadline(&self) -> (Instant, &'static str) {
        let at = |moment: &AtomicU64| match moment.load(Ordering::Relaxed) {
            NEVER => None,
            moment => Some(self.start + Duration::from_millis(moment)),
        };
        let stalled = at(&self.write_stalled)
            .map(|since| (since + self.idle_timeout, "the reply found no reader"));
        let waiting = if self.requests.load(Ordering::Relaxed) > 0 {
            None
        } else if let Some(since) = at(&self.first_byte) {
            Some((since + self.header_timeout, "the request's headers took too long"))
        } else {
            at(&self.idle_since)
                .map(|since| (since + self.idle_timeout, "nothing was asked for too long"))
        };
        let nearest = stalled.into_iter().chain(waiting).min_by_key(|(deadline, _)| *deadline);
        nearest.unwrap_or((Instant::now() + self.idle_timeout, "idle"))
    }
}

/// A request that is under way.
pub(super) struct RequestGuard(Arc<Watch>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A reply's body, whose end is the end of the request.
pub(super) struct Guarded {
    body: Body,
    _guard: RequestGuard,
}

impl Guarded {
    pub(super) fn new(body: Body, guard: RequestGuard) -> Self {
        Self { body, _guard: guard }
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream whose bytes are noticed.
pub(super) struct Watched<S> {
    stream: S,
    watchdog: Watchdog,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, watchdog: Watchdog) -> Self {
        Self { stream, watchdog }
    }

    /// Notes since when nobody takes what is to be written.
    fn note<T>(&self, poll: Poll<T>) -> Poll<T> {
        let watch = &self.watchdog.0;
        if poll.is_pending() {
            let _ = watch.write_stalled.compare_exchange(
                NEVER,
                watch.now(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        } else {
            watch.write_stalled.store(NEVER, Ordering::Relaxed);
        }
        poll
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, into);
        let watch = &self.watchdog.0;
        if into.filled().len() > before && watch.requests.load(Ordering::Relaxed) == 0 {
            let _ = watch.first_byte.compare_exchange(
                NEVER,
                watch.now(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.note(poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
