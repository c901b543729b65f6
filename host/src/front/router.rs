//! Every URL of the host, on one screen.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    State, catalog, console, events, figures, health, jobs, listing, openapi, origin, procedure,
    reply,
};

pub(super) fn router(state: State) -> Router {
    Router::new()
        .route("/", page(listing::show))
        .route("/-/procedures", page(catalog::show))
        .route("/-/openapi.json", page(openapi::show))
        .route("/-/health", page(health::show))
        .route("/-/health/live", page(health::live))
        .route("/-/health/ready", page(health::ready))
        .route("/-/metrics", page(figures::metrics))
        .route("/-/overview", page(figures::overview))
        .route("/-/events", page(events::stream))
        .route("/-/console/{*name}", page(console::asset))
        .merge(jobs::routes())
        .route("/-/{*page}", any(reply::no_such_page))
        // Everything else is the name of a procedure; `/-/` is kept for the host itself.
        .fallback(procedure::answer)
        .layer(from_fn_with_state(state.clone(), catalog::stamp))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .layer(CatchPanicLayer::custom(reply::panicked))
        .with_state(state)
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
