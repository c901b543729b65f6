//! Times a connection: how long it may be silent, how long a request's headers may take, how long a
//! reply may find no reader.
//!
//! hyper's own timeout does not tell a silent connection from a slow header, and none for HTTP/2 or
//! a reader that stopped reading. What is timed here are bytes and requests under way; what they
//! say is not known here.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::{io, mem};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tracing::debug;

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
    /// Whether what is to be written waits at this moment.
    is_stalled: AtomicBool,
    /// Bytes taken since then; see [`TAKEN`].
    taken: AtomicUsize,
    /// Requests whose body has not arrived whole, since when there are any, and their bytes so far.
    arriving: AtomicUsize,
    arriving_since: AtomicU64,
    arrived: AtomicUsize,
}

const NEVER: u64 = u64::MAX;

/// A reader that stalled is a reader again once it has taken so much: a byte now and then does not keep a
/// reply in memory for ever.
const TAKEN: usize = 64 << 10;

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
            is_stalled: AtomicBool::new(false),
            taken: AtomicUsize::new(0),
            arriving: AtomicUsize::new(0),
            arriving_since: AtomicU64::new(NEVER),
            arrived: AtomicUsize::new(0),
        }))
    }

    /// A request is under way until the guard is dropped.
    pub(super) fn request(&self) -> RequestGuard {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.first_byte.store(NEVER, Ordering::Relaxed);
        RequestGuard(Arc::clone(&self.0))
    }

    /// A request's body is arriving until the guard is dropped.
    pub(super) fn arriving(&self) -> ArrivingGuard {
        if self.0.arriving.fetch_add(1, Ordering::Relaxed) == 0 {
            self.0.arriving_since.store(self.0.now(), Ordering::Relaxed);
            self.0.arrived.store(0, Ordering::Relaxed);
        }
        ArrivingGuard(Arc::clone(&self.0))
    }

    /// How soon the connection goes when room is wanted, the least first; `None` while a call runs or
    /// a reply is being read.
    pub(super) fn rank(&self) -> Option<Rank> {
        let watch = &self.0;
        let since = |moment: &AtomicU64| match moment.load(Ordering::Relaxed) {
            NEVER => None,
            moment => Some(watch.start + Duration::from_millis(moment)),
        };
        if watch.requests.load(Ordering::Relaxed) == 0 {
            let since = since(&watch.first_byte).or_else(|| since(&watch.idle_since))?;
            let is_young = since.elapsed() < YOUNG;
            return Some(if is_young { Rank::Young(since) } else { Rank::Waiting(since) });
        }
        if watch.arriving.load(Ordering::Relaxed) > 0 {
            let since = since(&watch.arriving_since)?;
            if since.elapsed() < YOUNG {
                return Some(Rank::Young(since));
            }
            let rate = watch.arrived.load(Ordering::Relaxed) as f64 / since.elapsed().as_secs_f64();
            return Some(Rank::Arriving(rate as u64));
        }
        let is_stalled = watch.is_stalled.load(Ordering::Relaxed);
        since(&watch.write_stalled).filter(|_| is_stalled).map(Rank::Unread)
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

/// Who goes first when room is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Nothing, or a request's headers, have been coming since then.
    Waiting(Instant),
    /// A request's body comes with so many bytes a second.
    Arriving(u64),
    /// A reply has found no reader since then.
    Unread(Instant),
    /// It has hardly had time to say what it wants.
    Young(Instant),
}

/// How long a new caller has before it counts as slow.
const YOUNG: Duration = Duration::from_millis(250);

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
            .filter(|_| self.is_stalled.load(Ordering::Relaxed))
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

/// A request's body that is arriving.
pub(super) struct ArrivingGuard(Arc<Watch>);

impl ArrivingGuard {
    /// So many bytes of it came.
    pub(super) fn arrived(&self, bytes: usize) {
        self.0.arrived.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for ArrivingGuard {
    fn drop(&mut self) {
        self.0.arriving.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A reply's body, whose end is the end of the request.
pub(super) struct Guarded {
    body: Body,
    /// On a stream of HTTP/2: whose reader is timed, and what it has not been given yet.
    stream: Option<(Arc<Reader>, Bytes)>,
    _guard: RequestGuard,
}

impl Guarded {
    /// Within [`Reader::time`], its reader is timed.
    pub(super) fn new(body: Body, guard: RequestGuard) -> Self {
        let stream = Reader::current().map(|reader| (reader, Bytes::new()));
        Self { body, stream, _guard: guard }
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, stream, .. } = &mut *self;
        let Some((reader, rest)) = stream else { return Pin::new(body).poll_frame(cx) };
        reader.asks();
        if rest.is_empty() {
            match ready!(Pin::new(body).poll_frame(cx)).transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => *rest = data,
                Some(Err(frame)) => return Poll::Ready(Some(Ok(frame))),
                None => return Poll::Ready(None),
            }
        }
        reader.was_given();
        if rest.len() <= PIECE {
            return Poll::Ready(Some(Ok(Frame::data(mem::take(rest)))));
        }
        // Copied, because what the stream still holds of a reader that stopped reading would hold all.
        let piece = Bytes::copy_from_slice(&rest.split_to(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.as_ref().is_none_or(|(_, rest)| rest.is_empty()) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.stream.as_ref().map_or(0, |(_, rest)| rest.len() as u64);
        let hint = self.body.size_hint();
        let mut whole = SizeHint::new();
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole.set_lower(hint.lower() + rest);
        whole
    }
}

/// A stream of HTTP/2 has no more than this of a reply; the rest waits outside.
const PIECE: usize = 64 << 10;

tokio::task_local! {
    static READER: Arc<Reader>;
}

/// Who reads the reply of one stream of HTTP/2. Its connection may be busy with other streams, so that
/// its silence shows here alone.
pub(super) struct Reader {
    start: Instant,
    /// When it was given a piece, in milliseconds from `start`, [`NEVER`] once it has asked for more.
    given: AtomicU64,
}

impl Reader {
    /// Drives a stream to its end, or until its reader has not asked for more for so long.
    pub(super) async fn time(stream: impl Future<Output = ()>, timeout: Duration) {
        let reader = Arc::new(Self { start: Instant::now(), given: AtomicU64::new(NEVER) });
        let stalled = reader.stalled(timeout);
        let stream = READER.scope(Arc::clone(&reader), stream);
        tokio::select! {
            biased;
            () = stream => {}
            () = stalled => debug!("stream closed: the reply found no reader"),
        }
    }

    fn current() -> Option<Arc<Self>> {
        READER.try_with(Arc::clone).ok()
    }

    fn asks(&self) {
        self.given.store(NEVER, Ordering::Relaxed);
    }

    fn was_given(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1);
        self.given.store(now, Ordering::Relaxed);
    }

    async fn stalled(&self, timeout: Duration) {
        loop {
            let deadline = match self.given.load(Ordering::Relaxed) {
                NEVER => Instant::now() + timeout,
                given => self.start + Duration::from_millis(given) + timeout,
            };
            if Instant::now() >= deadline {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
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
    fn note(&self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let watch = &self.watchdog.0;
        match &poll {
            Poll::Pending => {
                if watch.write_stalled.load(Ordering::Relaxed) == NEVER {
                    watch.taken.store(0, Ordering::Relaxed);
                    watch.write_stalled.store(watch.now(), Ordering::Relaxed);
                }
                watch.is_stalled.store(true, Ordering::Relaxed);
            }
            Poll::Ready(Ok(bytes)) => {
                let was_stalled = watch.is_stalled.swap(false, Ordering::Relaxed);
                let taken = watch.taken.fetch_add(*bytes, Ordering::Relaxed) + bytes;
                // Two writes without a stall between them, or much in one.
                if !was_stalled || taken >= TAKEN {
                    watch.write_stalled.store(NEVER, Ordering::Relaxed);
                }
            }
            Poll::Ready(Err(_)) => {}
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
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
