//! `GET /`: what there is to call, as the original client discovers it, and what is wrong with files.

use axum::extract::State as Extract;
use axum::response::Response;
use serde::Serialize;

use super::catalog::{Complaint, complaints};
use super::{State, reply};
use crate::catalog::{Catalog, Procedure};
use crate::config::Mode;

#[derive(Serialize)]
struct Listing<'a> {
    #[serde(rename = "GET")]
    get: [(); 0],
    #[serde(rename = "POST")]
    post: [(); 0],
    #[serde(rename = "RPC")]
    rpc: Vec<Entry<'a>>,
    #[serde(rename = "ASYNCRPC")]
    asyncrpc: Vec<Entry<'a>>,
    problems: Vec<Complaint<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    description: String,
}

/// The listing.
pub(super) async fn show(Extract(state): Extract<State>) -> Response {
    let catalog = state.catalog.load();
    reply::success_of(&listing(&catalog, state.jobs.is_some()))
}

/// The answer to OPTIONS.
pub(super) async fn options() -> Response {
    reply::options("GET, HEAD, OPTIONS")
}

/// Where the host keeps no jobs, every procedure is called and waited for.
fn listing(catalog: &Catalog, keeps_jobs: bool) -> Listing<'_> {
    let is_async = |procedure: &&Procedure| keeps_jobs && procedure.jobs.mode == Mode::Async;
    let (asynchronous, synchronous): (Vec<_>, Vec<_>) = catalog.procedures().partition(is_async);
    Listing {
        get: [],
        post: [],
        rpc: synchronous.into_iter().map(entry).collect(),
        asyncrpc: asynchronous.into_iter().map(entry).collect(),
        problems: complaints(catalog),
    }
}

fn entry(procedure: &Procedure) -> Entry<'_> {
    Entry { name: &procedure.name, description: procedure.description() }
}
