//! Every URL of the host, on one screen.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use futures_util::FutureExt as _;
use http::Request;
use tower::ServiceExt as _;

use super::places::{Peer, Places};
use super::{
    State, catalog, client, console, events, figures, health, jobs, listing, openapi, origin,
    procedure, reply,
};

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
        let answered = AssertUnwindSafe(self.route(request, peer)).catch_unwind().await;
        answered.unwrap_or_else(reply::panicked)
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
