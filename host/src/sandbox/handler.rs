//! The interface `wasi:http`, of 0.2 and 0.3: a guest that answers whole requests, streaming both ways.
//!
//! Its types are the only HTTP that the sandbox knows: it neither reads nor writes any of its own.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, LengthLimitError};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{Error, WasiHttpView as _};

use super::failure::{Stop, explain};
use super::fair;
use super::frames::NonEmpty;
use super::messages::GuestBody;
use super::program::Program;
use super::run::prepare;
use super::state::CallState;
use crate::config::Limits;
use crate::error::{CallError, ErrorKind, Output};

/// A request for a guest.
pub type Request = hyper::Request<UnsyncBoxBody<Bytes, io::Error>>;

/// What a guest answered; its body comes while the guest goes on.
pub type Response = hyper::Response<Streamed>;

/// A component that answers requests.
#[derive(Clone)]
pub struct Handler {
    linked: Linked,
    program: Arc<Program>,
}

#[derive(Clone)]
enum Linked {
    /// With `wasi:http/incoming-handler@0.2`.
    P2(ProxyPre<CallState>),
    /// With `wasi:http/handler@0.3`.
    P3(ServicePre<CallState>),
}

impl Handler {
    /// Of a component that exports one.
    pub fn of(program: &Arc<Program>) -> Option<Self> {
        let proxy = ProxyPre::new(program.linked.clone()).map(Linked::P2);
        let linked = proxy.or_else(|_| ServicePre::new(program.linked.clone()).map(Linked::P3));
        linked.ok().map(|linked| Self { linked, program: Arc::clone(program) })
    }

    /// The version of the interface.
    pub fn version(&self) -> &'static str {
        match &self.linked {
            Linked::P2(_) => "0.2",
            Linked::P3(_) => "0.3",
        }
    }

    /// Has an instance of its own answer the request. The limits hold for all of it, to the end of the
    /// response's body, and until then `permit` is held. Whoever drops the future, or the body before
    /// its end, ends the guest.
    ///
    /// # Errors
    ///
    /// Why there is no response, and what the guest wrote.
    pub async fn handle(
        &self,
        name: &Arc<str>,
        limits: &Limits,
        request: Request,
        permit: impl Send + 'static,
    ) -> Result<Response, (CallError, Output)> {
        let (answer, answered) = oneshot::channel();
        let read = CancellationToken::new();
        let failed = Arc::new(AtomicBool::new(false));
        let sent = Streaming { answer, read: read.clone(), failed: Arc::clone(&failed) };
        let extra_memories = self.program.reserve().map_err(|e| (e, Output::default()))?;
        let guest = self.clone().run(Arc::clone(name), limits.clone(), request, sent);
        let room = Arc::clone(&self.program.context.room);
        let guest = AbortOnDropHandle::new(tokio::spawn(async move {
            let ended = room.long_calls.share(guest).await;
            drop((permit, extra_memories));
            ended
        }));
        match answered.await {
            Ok(Ok(response)) => Ok(response.map(|body| Streamed {
                body: NonEmpty(body),
                guest: Some(guest),
                failed,
                _read: read.drop_guard(),
            })),
            Ok(Err(code)) => {
                let message = format!("`{name}` answered with the error {code}");
                Err((CallError::new(ErrorKind::ProcedureError, message), Output::default()))
            }
            Err(_) => Err(match guest.await {
                Ok((Some(error), output)) => (error, output),
                Ok((None, output)) => {
                    let message = format!("`{name}` returned without a response");
                    (CallError::new(ErrorKind::ProcedureError, message), output)
                }
                Err(e) => {
                    let message = format!("`{name}` failed inside the host: {e}");
                    (CallError::new(ErrorKind::Internal, message), Output::default())
                }
            }),
        }
    }
}

impl Handler {
    /// From the request to the guest's end; gives how it failed, and what it wrote.
    async fn run(
        self,
        name: Arc<str>,
        limits: Limits,
        request: Request,
        sent: Streaming,
    ) -> (Option<CallError>, Output) {
        let request = request.map(|body| body.map_err(broken).boxed_unsync());
        let linked = match &self.linked {
            Linked::P2(pre) => pre.instance_pre(),
            Linked::P3(pre) => pre.instance_pre(),
        };
        let (mut store, prepared) = prepare(linked, &name, &limits, None, None, &self.program);
        let deadline = Instant::now() + limits.deadline;
        let failed = Arc::clone(&sent.failed);
        let call = async {
            prepared?;
            match &self.linked {
                Linked::P2(pre) => answer_p2(pre, &mut store, request, sent).await,
                Linked::P3(pre) => answer_p3(pre, &mut store, request, sent).await,
            }
        };
        let stopped = match fair::until(deadline, call).await {
            Some(Ok(())) => None,
            Some(Err(error)) => Some(Stop::Failed(error)),
            None => Some(Stop::Deadline),
        };
        failed.store(stopped.is_some(), Ordering::Release);
        let state = store.data();
        let output = state.output.ended(&name);
        let error = stopped
            .map(|stop| state.hints.explain(explain(&name, stop, &limits, state, &output.stderr)));
        let fuel = limits.fuel - store.get_fuel().unwrap_or(0);
        debug!(name = &*name, fuel, error = error.as_ref().map(ToString::to_string), "answered");
        (error, output)
    }
}

/// The error that a guest answered with, as its interface has it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ErrorCode(String);

/// Where the response goes.
struct Streaming {
    answer: oneshot::Sender<Result<hyper::Response<GuestBody>, ErrorCode>>,
    /// Cancelled when nobody reads its body any more.
    read: CancellationToken,
    /// Set where the guest failed, before its body ends with it.
    failed: Arc<AtomicBool>,
}

async fn answer_p2(
    pre: &ProxyPre<CallState>,
    store: &mut Store<CallState>,
    request: hyper::Request<GuestBody>,
    sent: Streaming,
) -> wasmtime::Result<()> {
    let proxy = pre.instantiate_async(&mut *store).await?;
    let scheme = match request.uri().scheme_str() {
        Some("https") => Scheme::Https,
        _ => Scheme::Http,
    };
    let mut http = store.data_mut().http();
    let request = http.new_incoming_request(scheme, request)?;
    let respond = http.new_response_outparam_from_callback({
        // The callback must be shareable, which a sender of a body is not.
        let answer = std::sync::Mutex::new(Some(sent.answer));
        move |response| {
            let answer = answer.into_inner().ok().flatten();
            if let Some(answer) = answer {
                let _ = answer.send(response.map_err(|code| ErrorCode(code.to_string())));
            }
        }
    })?;
    proxy.wasi_http_incoming_handler().call_handle(store, request, respond).await
}

async fn answer_p3(
    pre: &ServicePre<CallState>,
    store: &mut Store<CallState>,
    request: hyper::Request<GuestBody>,
    sent: Streaming,
) -> wasmtime::Result<()> {
    let service = pre.instantiate_async(&mut *store).await?;
    let (request, received) = p3::Request::from_http(store.data_mut().http().hooks, request);
    let ended = store.run_concurrent(async |accessor| {
        let response = match service.handle(accessor, request).await? {
            Ok(response) => response,
            Err(code) => {
                let _ = sent.answer.send(Err(ErrorCode(format!("{code:?}"))));
                return Ok(());
            }
        };
        let response = accessor.with(|store| response.into_http(store, received))?;
        if sent.answer.send(Ok(response)).is_ok() {
            // The guest may go on, and what it has written is moved out only while its store runs.
            sent.read.cancelled().await;
            poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
        }
        Ok(())
    });
    ended.await?
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn broken(error: io::Error) -> Error {
    if error.get_ref().and_then(|e| e.downcast_ref::<LengthLimitError>()).is_some() {
        Error::HttpRequestBodySize(None)
    } else {
        Error::InternalError(Some(error.to_string()))
    }
}

/// The body of a guest's response, as it comes.
pub struct Streamed {
    body: NonEmpty<GuestBody>,
    /// Ended if the body is dropped before its end.
    guest: Option<AbortOnDropHandle<(Option<CallError>, Output)>>,
    failed: Arc<AtomicBool>,
    _read: DropGuard,
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() {
            self.let_go();
            if self.failed.load(Ordering::Acquire) {
                // What came is not all of it, and its reader must see that.
                return Poll::Ready(Some(Err(Error::HttpResponseIncomplete)));
            }
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

impl Streamed {
    /// The guest may end by itself: all of its body was read.
    fn let_go(&mut self) {
        if let Some(guest) = self.guest.take() {
            drop(guest.detach());
        }
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.let_go();
        }
    }
}
