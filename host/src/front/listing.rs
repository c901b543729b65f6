//! `GET /`: what there is to call, as the original client discovers it, and what is wrong with files.

use axum::extract::State as Extract;
use axum::response::Response;
use serde::Serialize;

use super::catalog::{Complaint, complaints};
use super::{State, reply};
use crate::catalog::{Catalog, Procedure};

#[derive(Serialize)]
struct Listing<'a> {
    #[serde(rename = "GET")]
    get: [(); 0],
    #[serde(rename = "POST")]
    post: [(); 0],
    #[serde(rename = "RPC")]
    rpc: Vec<Entry<'a>>,
    #[serde(rename = "ASYNCRPC")]
    asyncrpc: [(); 0],
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
    reply::success_of(&listing(&catalog))
}

/// The answer to OPTIONS.
pub(super) async fn options() -> Response {
    reply::options("GET, HEAD, OPTIONS")
}

fn listing(catalog: &Catalog) -> Listing<'_> {
    Listing {
        get: [],
        post: [],
        rpc: catalog.procedures().map(entry).collect(),
        asyncrpc: [],
        problems: complaints(catalog),
    }
}

fn entry(procedure: &Procedure) -> Entry<'_> {
    Entry { name: &procedure.name, description: procedure.description() }
}
