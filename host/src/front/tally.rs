//! What a request goes on to use after it was let through, until its reply has been sent: bytes, and its place
//! among the calls of its caller. What the audit log is told of it is complete then.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::Request;
use hyper::body::{Frame, SizeHint};

use super::admission::Allowance;
use super::record::Record;
use crate::audit::Event;
use crate::codec::types::{Arguments, Signature};
use crate::jobs::model::JobId;

/// Counts one request.
pub(super) struct Tally {
    /// Of its address, and of its token.
    allowances: [Option<Allowance>; 2],
    /// For the audit log.
    record: Option<Record>,
}

/// A way of its bytes.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

impl Tally {
    /// `None` where nothing is to be counted.
    pub(super) fn new(
        allowances: [Option<Allowance>; 2],
        record: Option<Record>,
    ) -> Option<Arc<Self>> {
        let counts = record.is_some() || allowances.iter().any(Option::is_some);
        counts.then(|| Arc::new(Self { allowances, record }))
    }

    /// The request, whose body is counted as it comes.
    pub(super) fn received(self: &Arc<Self>, request: Request<Body>) -> Request<Body> {
        if request.body().is_end_stream() {
            return request;
        }
        request.map(|body| Body::new(Counted { body, way: Way::In, tally: Arc::clone(self) }))
    }

    /// The reply, whose body is counted as it is sent.
    pub(super) fn sent(self: Arc<Self>, reply: Response) -> Response {
        if let Some(record) = &self.record {
            record.answer(&reply);
        }
        reply.map(|body| Body::new(Counted { body, way: Way::Out, tally: self }))
    }

    fn count(&self, way: Way, bytes: usize) {
        self.allowances.iter().flatten().for_each(|allowance| allowance.charge(bytes));
        if let Some(record) = &self.record {
            let counter = match way {
                Way::In => &record.received,
                Way::Out => &record.sent,
            };
            counter.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
}

/// Where whoever answers a request says what the audit log is to be told, if there is one.
#[derive(Clone, Default)]
pub(super) struct Recorder(Option<Arc<Tally>>);

impl Recorder {
    pub(super) fn of(tally: Option<&Arc<Tally>>) -> Self {
        Self(tally.filter(|tally| tally.record.is_some()).cloned())
    }

    fn tell(&self, of: impl FnOnce(&Record)) {
        if let Some(record) = self.0.as_ref().and_then(|tally| tally.record.as_ref()) {
            of(record);
        }
    }

    /// What is called, by its full name.
    pub(super) fn call(&self, procedure: &Arc<str>) {
        self.tell(|record| record.call(procedure));
    }

    /// What is called with, where that is to be told.
    pub(super) fn arguments(&self, arguments: &Arguments, signature: &Signature) {
        self.tell(|record| record.arguments(arguments, signature));
    }

    /// Something that is told of beside calls.
    pub(super) fn event(&self, event: Event) {
        self.tell(|record| record.event(event));
    }

    /// The job that it is about.
    pub(super) fn job(&self, id: JobId) {
        self.tell(|record| record.job(id));
    }
}

/// A body whose bytes are counted. While it is there, its request is under way.
struct Counted {
    body: Body,
    way: Way,
    tally: Arc<Tally>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.tally.count(self.way, frame.data_ref().map_or(0, Bytes::len));
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
