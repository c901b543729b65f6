//! A request's body on its way: who sends it slowly is known by it, and what nobody has read of it is read
//! and thrown away, so that its sender sees the reply and the connection lives on.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming, SizeHint};

use super::watchdog::{ArrivingGuard, Watchdog};

/// How much is thrown away at the most.
const DRAINED: usize = 256 << 20;

/// How long that may take, and how long its sender may be silent meanwhile.
const DRAINING: Duration = Duration::from_secs(10);
const SILENT: Duration = Duration::from_secs(1);

/// A body that arrives. Dropped before its end, it leaves what is to come to [`Rest`].
struct Arriving {
    body: Option<(Incoming, ArrivingGuard)>,
    rest: Arc<Mutex<Option<(Incoming, ArrivingGuard)>>>,
}

/// What comes of a request's body after its reply is made.
pub(super) struct Rest {
    rest: Arc<Mutex<Option<(Incoming, ArrivingGuard)>>>,
    /// Its sender waits for "100 Continue", and has not begun.
    expects: bool,
}

/// The request, with a body that is watched, and what will be left of it; `None` for one without a body,
/// and where others share the connection, which a body that nobody reads does not hold up.
pub(super) fn watched(
    request: Request<Incoming>,
    watchdog: &Watchdog,
) -> (Request<Body>, Option<Rest>) {
    if HttpBody::is_end_stream(request.body()) {
        return (request.map(|_| Body::empty()), None);
    }
    let has_own_connection = request.version() < Version::HTTP_2;
    let expects = request.headers().contains_key(EXPECT);
    let rest = Arc::<Mutex<_>>::default();
    let request = request.map(|body| {
        let body = Some((body, watchdog.arriving()));
        Body::new(Arriving { body, rest: Arc::clone(&rest) })
    });
    (request, has_own_connection.then_some(Rest { rest, expects }))
}

impl Rest {
    /// Throws away what nobody has read. Where there is too much of it, the connection cannot go on, and
    /// the reply says so.
    pub(super) async fn settle(self, response: &mut Response) {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((body, arriving)) = rest else { return };
        let is_over = !self.expects
            && tokio::time::timeout(DRAINING, drain(body, &arriving)).await.unwrap_or(false);
        if !is_over {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Whether it came to the body's end.
async fn drain(mut body: Incoming, arriving: &ArrivingGuard) -> bool {
    let mut drained = 0;
    while let Ok(frame) = tokio::time::timeout(SILENT, body.frame()).await {
        let size = match frame {
            None => return true,
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) => return false,
        };
        arriving.arrived(size);
        drained += size;
        if drained > DRAINED {
            return false;
        }
    }
    false
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some((body, arriving)) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            arriving.arrived(frame.data_ref().map_or(0, Bytes::len));
        }
        // No longer arriving, though its reader may keep it for longer.
        if frame.is_none() || body.is_end_stream() {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), |(body, _)| body.size_hint())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
