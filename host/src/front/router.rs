//! Every URL of the host, on one screen.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use futures_util::FutureExt as _;
use http::{Request, Version};
use tower::ServiceExt as _;

use super::places::{Peer, Places};
use super::{
    State, catalog, client, console, events, figures, health, jobs, listing, openapi, origin,
    procedure, reply,
};
use crate::budget::{Charge, NoRoom, Purpose};
use crate::error::CallError;

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

    /// The places for calls, of each peer too.
    pub(super) fn places(&self) -> &Places {
        &self.state.places
    }

    /// Answers a request, whatever becomes of it.
    pub(super) async fn answer(&self, request: Request<Body>, peer: &Peer) -> Response {
        let _head = match self.charge_head(head_size(&request), is_shared(&request)).await {
            Ok(charge) => charge,
            Err(no_room) => return reply::Refusal::from(CallError::from(no_room)).into_response(),
        };
        let answered = AssertUnwindSafe(self.route(request, peer)).catch_unwind().await;
        answered.unwrap_or_else(reply::panicked)
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

    async fn route(&self, request: Request<Body>, peer: &Peer) -> Response {
        if let Err(error) = origin::check(&self.state.allowed_hosts, &request) {
            return reply::Refusal::from(error).into_response();
        }
        // Everything but the host's own pages is the name of a procedure. Calls are what there are
        // many of: they take no way through the router.
        let mut response = if is_page(request.uri().path()) {
            let Ok(response) = self.pages.clone().oneshot(request).await;
            response
        } else {
            procedure::answer(&self.state, request, peer).await
        };
        catalog::stamp(&self.state, &mut response);
        response
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
        .route("/", page(listing::show))
        .route("/-/procedures", page(catalog::show))
        .route("/-/openapi.json", page(openapi::show))
        .route("/-/docs", page(console::docs))
        .route("/-/health", page(health::show))
        .route("/-/health/live", page(health::live))
        .route("/-/health/ready", page(health::ready))
        .route("/-/metrics", page(figures::metrics))
        .route("/-/overview", page(figures::overview))
        .route("/-/events", page(events::stream))
        .route("/-/console/{*name}", page(console::asset))
        .route("/-/client/", page(client::page))
        .route("/-/client/{name}", page(client::wheel))
        .merge(jobs::routes())
        .fallback(reply::no_such_page)
}

/// A page that is only read.
pub(super) fn page<H: Handler<T, State>, T: 'static>(show: H) -> MethodRouter<State> {
    with_methods(get(show), "GET, HEAD, OPTIONS")
}

/// A page with these methods, which it tells to who asks, or asks with another.
pub(super) fn with_methods(page: MethodRouter<State>, allow: &'static str) -> MethodRouter<State> {
    page.options(move || async move { reply::options(allow) })
        .fallback(move || async move { reply::method_not_allowed(allow) })
}
