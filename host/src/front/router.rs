//! Every URL of the host, on one screen.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use tower_http::catch_panic::CatchPanicLayer;

use super::{State, catalog, console, jobs, listing, origin, procedure, reply};

pub(super) fn router(state: State) -> Router {
    Router::new()
        .route("/", get(listing::show).options(listing::options))
        .route("/-/procedures", get(catalog::show).options(listing::options))
        .route("/-/console/{*name}", get(console::asset).options(listing::options))
        .merge(jobs::routes())
        .route("/-/{*page}", any(reply::no_such_page))
        // Everything else is the name of a procedure; `/-/` is kept for the host itself.
        .fallback(procedure::answer)
        .method_not_allowed_fallback(|| async { reply::method_not_allowed("GET, HEAD, OPTIONS") })
        .layer(from_fn_with_state(state.clone(), catalog::stamp))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .layer(CatchPanicLayer::custom(reply::panicked))
        .with_state(state)
}
