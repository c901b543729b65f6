//! Every URL of the host, on one screen.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, Request, Version};
use tower::ServiceExt as _;

use super::admission::{Allowance, Peer, Weight};
use super::compress::AcceptEncoding;
use super::cors::Sharing;
use super::credentials::{Credential, Sender};
use super::endpoint::Endpoint;
use super::methods::page;
use super::origin::Initiator;
use super::proxies::Forwarded;
use super::record::Record;
use super::response::{self, ErrorResponse};
use super::state::State;
use super::tally::{Recorder, Tally};
use super::{
    catalog, client, components, console, credentials, events, health, index, jobs, metrics,
    openapi, origin, procedure, session,
};
use crate::auth::{Caller, Certified, Right};
use crate::budget::{Charge, NoRoom, Purpose};
use crate::config::ServerConfig;
use crate::error::CallError;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// Who answers which URL.
#[derive(Clone)]
pub(super) struct Routes {
    state: State,
    pages: Router,
}

impl Routes {
    pub(super) fn new(state: State) -> Self {
        Self { pages: pages().with_state(state.clone()), state }
    }

    /// Who connects from this address.
    pub(super) fn peer(&self, address: IpAddr) -> Peer {
        self.state.permits.peer(address).with_account(&self.state.callers)
    }

    /// How the host serves.
    pub(super) fn config(&self) -> &ServerConfig {
        &self.state.config
    }

    /// What is counted.
    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.state.metrics
    }

    /// Says when to stop.
    pub(super) fn shutdown(&self) -> &Shutdown {
        &self.state.shutdown
    }

    /// Answers a request, whatever becomes of it.
    pub(super) async fn answer(&self, request: Request<Body>, peer: &Peer) -> Response {
        let _head = match self.charge_head(head_size(&request), is_shared(&request)).await {
            Ok(charge) => charge,
            Err(no_room) => {
                return ErrorResponse::from(CallError::from(no_room)).into_response();
            }
        };
        let accepted_encodings = AcceptEncoding::of(request.headers());
        let sharing = self.state.allowed_origins.sharing(request.headers());
        let mut tally = None;
        let answer = self.route(request, peer, &sharing, &mut tally);
        let answered = AssertUnwindSafe(answer).catch_unwind().await;
        let mut response = answered.unwrap_or_else(response::panicked);
        sharing.write(&mut response);
        let response = accepted_encodings.compress(response).await;
        match tally {
            Some(tally) => tally.sent(response),
            None => response,
        }
    }

    /// What holds room for the head of a request, of so many bytes, which is there until the request is answered.
    async fn charge_head(&self, size: usize, is_shared: bool) -> Result<Option<Charge>, NoRoom> {
        if size <= FREE_HEAD && !is_shared {
            return Ok(None);
        }
        let mut charge = self.state.sandbox.budget().charge(Purpose::Request);
        charge.take_soon(size).await?;
        Ok(Some(charge))
    }

    /// Who makes a request, if it is one for this host by somebody who may, and what it counts against.
    /// Nothing of its body has been read by then. To guess tokens uses up what an address may do.
    ///
    /// The request is borrowed alone, since a body must not be shared while something is waited for.
    async fn admit(
        &self,
        request: &mut Request<Body>,
        peer: &Peer,
        forwarded: Forwarded,
        record: Option<&Record>,
    ) -> Result<(Sender, [Option<Allowance>; 2]), CallError> {
        let weight = weight(request.uri().path(), request.headers());
        let callers = &self.state.callers;
        let of_address = callers.admit_address(peer.account(), weight)?;
        let endpoint = Endpoint::of(request, self.state.is_secure(), forwarded)?;
        let sender = self.identify(request, endpoint, record)?;
        let of_token = callers.admit_token(&sender.caller, weight).await?;
        Ok((sender, [of_address, of_token]))
    }

    /// Who makes a request, if it is one for this host by somebody who may.
    fn identify(
        &self,
        request: &Request<Body>,
        endpoint: Endpoint,
        record: Option<&Record>,
    ) -> Result<Sender, CallError> {
        let (state, path, headers) = (&self.state, request.uri().path(), request.headers());
        origin::check(&state.allowed_hosts, &endpoint, request.version())?;
        let (allowed, own) = (&state.allowed_origins, &state.public_origins);
        let initiator = Initiator::of(allowed, own, headers, &endpoint)?;
        if is_page(path) && !origin::only_reads(request.method()) {
            initiator.check(headers)?;
        }
        if is_open(path, headers) {
            let (caller, credential) = (Caller::anybody(), Credential::None);
            let recorder = Recorder::default();
            return Ok(Sender { caller, credential, initiator, endpoint, recorder });
        }
        let certified = request.extensions().get::<Arc<Certified>>();
        let sender = credentials::sender(state, headers, certified, initiator, endpoint)?;
        if let Some(record) = record {
            record.caller(&sender.caller);
        }
        needed(path).map_or(Ok(()), |right| sender.caller.check(&right))?;
        Ok(sender)
    }

    /// What the audit log will be told of a request, if there is one and it may be anything.
    fn record(&self, request: &Request<Body>, peer: &Peer) -> Option<Record> {
        let path = request.uri().path();
        let audit = self.state.audit.as_ref().filter(|_| !is_open(path, request.headers()))?;
        let method = request.method().clone();
        Some(Record::new(audit.clone(), method, path, !is_page(path), peer.address()))
    }

    async fn route(
        &self,
        mut request: Request<Body>,
        peer: &Peer,
        sharing: &Sharing,
        tally: &mut Option<Arc<Tally>>,
    ) -> Response {
        if let Some(reply) = sharing.preflight(&request) {
            return reply;
        }
        let said = self.state.trusted_proxies.forwarded(peer.address(), request.headers());
        let forwarded = match said {
            Ok(forwarded) => forwarded,
            Err(refusal) => {
                *tally = Tally::new([None, None], self.record(&request, peer));
                return self.refuse(refusal, request.headers());
            }
        };
        // It counts for whom a trusted proxy names.
        let client = forwarded.client.map(|address| self.peer(address));
        let peer = client.as_ref().unwrap_or(peer);
        let record = self.record(&request, peer);
        let admitted = self.admit(&mut request, peer, forwarded, record.as_ref()).await;
        let mut sender = match admitted {
            Ok((sender, allowances)) => {
                *tally = Tally::new(allowances, record);
                sender
            }
            Err(refusal) => {
                *tally = Tally::new([None, None], record);
                return self.refuse(refusal, request.headers());
            }
        };
        if let Some(tally) = tally {
            request = tally.received(request);
        }
        sender.recorder = Recorder::of(tally.as_ref());
        // Everything but the host's own pages is the name of a procedure. Calls are what there are
        // many of: they take no way through the router.
        let mut response = if is_page(request.uri().path()) {
            request.extensions_mut().insert(sender);
            let Ok(response) = self.pages.clone().oneshot(request).await;
            response
        } else {
            procedure::answer(&self.state, request, peer, &sender).await
        };
        catalog::stamp(&self.state, &mut response);
        response
    }

    fn refuse(&self, refusal: CallError, headers: &HeaderMap) -> Response {
        let refusal = ErrorResponse::from(refusal);
        self.state.metrics.refused(refusal.kind());
        let mut response = refusal.into_response();
        if is_script_s(headers) {
            response::ask_no_person(&mut response);
        }
        response
    }
}

/// Whether a page is shown to everybody: what watches over hosts has no token, and where somebody logs in,
/// nobody has one yet. These pages say nothing of what is served.
fn is_open(path: &str, headers: &HeaderMap) -> bool {
    health::PATHS.contains(&path)
        || path == "/" && console::is_wanted(headers)
        || path == console::DOCS_PATH
        || path.starts_with(console::FILES_PATH)
}

/// What a request counts as, by its address. What watches over the host, and what a browser needs to show the
/// console, is always answered, and so are streams of events, which go on for as long as their reader likes.
fn weight(path: &str, headers: &HeaderMap) -> Weight {
    let is_free = is_open(path, headers)
        || needed(path) == Some(Right::Metrics)
        || matches!(path, session::PATH | events::PATH);
    if is_free {
        Weight::Nothing
    } else if is_page(path) {
        Weight::Bytes
    } else {
        Weight::Call
    }
}

/// Whether a script makes the request, which itself knows how to ask its reader for a token.
fn is_script_s(headers: &HeaderMap) -> bool {
    headers.get(SEC_FETCH_MODE).is_some_and(|mode| mode != "navigate")
}

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The right without which a page is not shown. What a page shows may depend on further ones.
fn needed(path: &str) -> Option<Right> {
    match path {
        "/-/metrics" | "/-/overview" => Some(Right::Metrics),
        path if path.starts_with(components::PATH) => Some(Right::Deploy),
        path if path.starts_with("/-/jobs") || jobs::ORIGINAL_PATHS.contains(&path) => {
            Some(Right::Jobs)
        }
        _ => None,
    }
}

/// Whether its connection may hold many such heads at once: calls by HTTP/2. Those for pages are answered
/// at once.
fn is_shared(request: &Request<Body>) -> bool {
    request.version() == Version::HTTP_2 && !is_page(request.uri().path())
}

/// A head of no more bytes is not charged, where its connection has no other.
const FREE_HEAD: usize = 8 << 10;

/// About how many bytes a request's address and headers take in memory.
fn head_size(request: &Request<Body>) -> usize {
    /// Of a header beside its name and its value.
    const HEADER: usize = 128;
    let headers = request.headers().iter();
    let sizes = headers.map(|(name, value)| name.as_str().len() + value.len() + HEADER);
    let query = request.uri().query().map_or(0, str::len);
    sizes.sum::<usize>() + request.uri().path().len() + query
}

/// `/-/` is kept for the host itself; what else it answers is the original protocol's.
fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/-/") || jobs::ORIGINAL_PATHS.contains(&path)
}

fn pages() -> Router<State> {
    Router::new()
        .route("/", page(index::show))
        .route("/-/procedures", page(catalog::show))
        .route(console::DOCS_PATH, page(console::docs))
        .route("/-/health", page(health::show))
        .route("/-/health/live", page(health::live))
        .route("/-/health/ready", page(health::ready))
        .route("/-/metrics", page(metrics::metrics))
        .route("/-/overview", page(metrics::overview))
        .route(events::PATH, page(events::stream))
        .route(session::PATH, session::page())
        .route("/-/console/{*name}", page(console::asset))
        .route("/-/client/", page(client::page))
        .route("/-/client/{name}", page(client::wheel))
        .merge(components::routes())
        .merge(openapi::routes())
        .merge(jobs::routes())
        .fallback(response::no_such_page)
}
