//! `GET /`: what there is to call, as the original client discovers it, and what is wrong with files; a
//! browser gets the console in its place.

use axum::Extension;
use axum::extract::State as Extract;
use axum::response::Response;
use http::header::{ACCEPT, VARY};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use super::catalog::{Complaint, callable, complaints};
use super::client::Client;
use super::credentials::Sender;
use super::state::State;
use super::{console, response};
use crate::auth::Caller;
use crate::catalog::{Catalog, Procedure};
use crate::config::{Mode, WebMethod};

#[derive(Serialize)]
struct Listing<'a> {
    #[serde(rename = "GET")]
    get: Vec<WebEntry<'a>>,
    #[serde(rename = "POST")]
    post: Vec<WebEntry<'a>>,
    #[serde(rename = "RPC")]
    rpc: Vec<Entry<'a>>,
    #[serde(rename = "ASYNCRPC")]
    asyncrpc: Vec<Entry<'a>>,
    problems: Vec<Complaint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Client>,
}

/// The original client knows a procedure by one name, so a further name is an entry of its own.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_of: Option<&'a str>,
}

/// A web procedure: what it takes is known to itself alone.
#[derive(Serialize)]
struct WebEntry<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    query_params: [(); 0],
    #[serde(flatten)]
    payload: Option<Payload>,
}

/// What the original client is told of a POST's body.
#[derive(Serialize)]
struct Payload {
    #[serde(rename = "payload_mimetype")]
    mimetype: &'static str,
    /// None: `null`.
    #[serde(rename = "payload_schema")]
    schema: (),
}

/// The listing, or the page.
pub(super) async fn show(
    Extract(state): Extract<State>,
    Extension(Sender { caller, endpoint, .. }): Extension<Sender>,
    headers: HeaderMap,
) -> Response {
    let mut response = if console::is_wanted(&headers) {
        console::page(&headers)
    } else {
        let catalog = state.catalog.load();
        let client = Client::told(&endpoint);
        response::success_of(&listing(&catalog, &caller, state.jobs.is_some(), client))
    };
    response.headers_mut().insert(VARY, HeaderValue::from_name(ACCEPT));
    response
}

/// Where the host keeps no jobs, every procedure is called and waited for.
fn listing<'a>(
    catalog: &'a Catalog,
    caller: &Caller,
    keeps_jobs: bool,
    client: Option<Client>,
) -> Listing<'a> {
    let is_async = |procedure: &&Procedure| keeps_jobs && procedure.jobs.mode == Mode::Async;
    let typed = callable(catalog, caller).filter(|procedure| procedure.web.is_none());
    let (asynchronous, synchronous): (Vec<_>, Vec<_>) = typed.partition(is_async);
    Listing {
        get: web(catalog, caller, WebMethod::Get).collect(),
        post: web(catalog, caller, WebMethod::Post).collect(),
        rpc: synchronous.into_iter().flat_map(|procedure| entries(catalog, procedure)).collect(),
        asyncrpc: asynchronous
            .into_iter()
            .flat_map(|procedure| entries(catalog, procedure))
            .collect(),
        problems: complaints(catalog, caller),
        client,
    }
}

fn web<'a>(
    catalog: &'a Catalog,
    caller: &Caller,
    method: WebMethod,
) -> impl Iterator<Item = WebEntry<'a>> {
    let answers = move |procedure: &&Procedure| {
        procedure.web.as_ref().is_some_and(|methods| methods.contains(&method))
    };
    let procedures = callable(catalog, caller).filter(answers);
    procedures.flat_map(move |procedure| entries(catalog, procedure)).map(move |entry| WebEntry {
        entry,
        query_params: [],
        payload: (method == WebMethod::Post).then_some(Payload { mimetype: "*/*", schema: () }),
    })
}

/// A procedure under all its names.
fn entries<'a>(catalog: &'a Catalog, procedure: &'a Procedure) -> impl Iterator<Item = Entry<'a>> {
    let own = (&*procedure.name, None);
    let further = catalog.aliases_of(procedure).map(|alias| (alias, Some(&*procedure.name)));
    let names = std::iter::once(own).chain(further);
    names.map(|(name, alias_of)| Entry { name, description: procedure.description(), alias_of })
}
