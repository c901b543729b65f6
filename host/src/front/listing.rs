//! `GET /`: what there is to call, as the original client discovers it, and what is wrong with files.

use std::time::SystemTime;

use axum::extract::State as Extract;
use axum::response::Response;
use serde::Serialize;

use super::{State, reply};
use crate::catalog::{Catalog, Problem, Procedure};

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

#[derive(Serialize)]
struct Complaint<'a> {
    file: &'a str,
    message: &'a str,
    since: String,
    serving: bool,
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
        problems: catalog.problems().iter().map(complaint).collect(),
    }
}

fn entry(procedure: &Procedure) -> Entry<'_> {
    Entry { name: &procedure.name, description: procedure.description() }
}

fn complaint(problem: &Problem) -> Complaint<'_> {
    Complaint {
        file: &problem.file,
        message: &problem.message,
        since: humantime::format_rfc3339_seconds(problem.since.max(SystemTime::UNIX_EPOCH))
            .to_string(),
        serving: problem.serving,
    }
}
