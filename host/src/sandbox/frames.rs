//! The body of a guest's answer without empty frames.
//!
//! A guest may write nothing as often as it likes. Empty frames need no room in HTTP/2's windows, so for
//! a reader that has stopped they would pile up in the host's memory without an end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

/// Empty frames that are passed over before others have their turn.
const AT_ONCE: usize = 64;

/// A body that never yields an empty frame of data.
pub(super) struct NonEmpty<B>(pub(super) B);

impl<B: Body<Data = Bytes> + Unpin> Body for NonEmpty<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        for _ in 0..AT_ONCE {
            match ready!(Pin::new(&mut self.0).poll_frame(context)) {
                Some(Ok(frame)) if frame.data_ref().is_some_and(|data| !data.has_remaining()) => {}
                other => return Poll::Ready(other),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use http_body_util::BodyExt as _;
    use hyper::HeaderMap;

    use super::*;

    struct Frames(VecDeque<Frame<Bytes>>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    #[tokio::test]
    async fn only_empty_data_is_left_out() {
        let mut frames: VecDeque<_> = (0..1000).map(|_| Frame::data(Bytes::new())).collect();
        frames.insert(500, Frame::data(Bytes::from_static(b"some")));
        frames.push_back(Frame::trailers(HeaderMap::new()));
        let mut body = NonEmpty(Frames(frames));
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "some");
        assert!(body.frame().await.unwrap().unwrap().is_trailers());
        assert!(body.frame().await.is_none());
    }

    #[test]
    fn others_have_their_turn_between_many_empty_frames() {
        let frames = (0..2 * AT_ONCE).map(|_| Frame::data(Bytes::new())).collect();
        let mut body = NonEmpty(Frames(frames));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut poll = || Pin::new(&mut body).poll_frame(&mut context).is_pending();
        assert_eq!([poll(), poll(), poll()], [true, true, false]);
    }
}
