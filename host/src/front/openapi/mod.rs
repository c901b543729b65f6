//! `/-/openapi.json`: the host and everything that can be called, as OpenAPI 3.1 describes it.
//!
//! [`schema`] turns types into JSON Schema, [`examples`] into values to try, [`operations`] makes
//! operations of procedures and [`arguments`] what they take, [`own`] has those of the host itself, and [`components`] what all of them
//! share. [`security`] says which need a token, and [`cache`] keeps what was made. It describes; what happens is decided elsewhere, and where that is a table it is read from
//! there.

mod arguments;
mod cache;
mod components;
mod examples;
mod json;
mod operations;
mod own;
mod schema;
mod security;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State as Extract;
use axum::response::Response;
use axum::{Extension, Router};
use http::HeaderMap;
use serde_json::{Value, json};

use super::catalog::{callable, reachable};
use super::methods::page;
use super::response::Tagged;
use super::state::State;
use crate::auth::Caller;
use crate::catalog::Catalog;
use crate::front::credentials::Sender;
use cache::Cache;

pub(super) fn routes() -> Router<State> {
    Router::new().route("/-/openapi.json", page(show)).layer(Extension(Arc::<Cache>::default()))
}

/// `GET /-/openapi.json`: the document of what the caller may call, unless they have this very one.
async fn show(
    Extract(state): Extract<State>,
    Extension(cache): Extension<Arc<Cache>>,
    Extension(Sender { caller, endpoint, .. }): Extension<Sender>,
    headers: HeaderMap,
) -> Response {
    let catalog = state.catalog.load_full();
    let server = endpoint.path("/");
    let features = Features {
        keeps_jobs: state.jobs.is_some(),
        takes_certificates: !state.authenticator.holders().is_empty(),
    };
    let make = || Tagged::new(&document(&catalog, features, &caller, &server));
    cache.get(&catalog, (caller.rights(), &server), make).reply(&headers)
}

/// What of the host is described beside its catalog.
#[derive(Clone, Copy)]
struct Features {
    keeps_jobs: bool,
    takes_certificates: bool,
}

/// The document of what this catalog has for a caller: it depends on nothing of theirs but the rights,
/// and the path below which they see the host.
fn document(catalog: &Catalog, features: Features, caller: &Caller, server: &str) -> Value {
    let Features { keeps_jobs, takes_certificates } = features;
    let asks_for_tokens = caller.rights().is_some();
    let mut paths = own::paths(keeps_jobs);
    let mut files = BTreeSet::new();
    for procedure in callable(catalog, caller) {
        let callable = operations::Callable::of(catalog, procedure);
        paths.insert(callable.path(), callable.path_item(keeps_jobs));
        files.insert(callable.file);
    }
    for mount in reachable(catalog, caller) {
        let (path, item) = operations::mounted(&mount.name, &mount.source.file);
        paths.insert(path, item);
        files.insert(&mount.source.file);
    }
    let mut components = components::components(keeps_jobs);
    if asks_for_tokens {
        security::ask_for_tokens(&mut paths, &mut components, takes_certificates);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "TARP",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Procedures in WebAssembly components, called over HTTP.",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": security::requirements(asks_for_tokens, takes_certificates),
        "tags": tags(&files, keeps_jobs),
        "paths": paths,
        "components": components,
    })
}

const INTRODUCTION: &str = "\
Every procedure answers POST with its arguments by name in a JSON object, and GET with them in the query; \
HEAD is answered where GET is. \
The result comes in an envelope; with `Accept` it comes in the other forms that are listed with it. \
A failure is an object with its type and a message, whatever form was asked for.\n\n\
Where jobs are kept, `Prefer: respond-async` makes a job of any call: the reply is `202` with its handle. \
A request with an `Idempotency-Key` runs once, however often it is sent.\n\n\
An address longer than 64 KiB is refused with 414, headers larger than 128 KiB with 431, both without a body.";

fn tags(files: &BTreeSet<&str>, keeps_jobs: bool) -> Vec<Value> {
    let mut tags = vec![json!({"name": own::HOST, "description": "The host itself."})];
    if keeps_jobs {
        tags.push(json!({"name": own::JOBS, "description": "Calls that nobody waits for."}));
    }
    tags.extend(
        files
            .iter()
            .map(|file| json!({"name": file, "description": format!("Procedures of `{file}`.")})),
    );
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Rights, Token};

    /// Every reference in the document leads somewhere, and everything shared is referred to.
    #[test]
    fn references_lead_to_what_is_there() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(entries) => entries.iter().for_each(|(key, value)| match value {
                    Value::String(target) if key == "$ref" => found.push(target),
                    value => references(value, found),
                }),
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let token = Token::issue("alice".parse().unwrap(), Rights::default(), None).token;
        let (anybody, alice) = (Caller::anybody(), Caller::of(token.into()));
        for (keeps_jobs, caller) in [(true, &anybody), (false, &anybody), (true, &alice)] {
            let features = Features { keeps_jobs, takes_certificates: keeps_jobs };
            let document = document(&Catalog::default(), features, caller, "/");
            let mut found = Vec::new();
            references(&document, &mut found);
            assert!(!found.is_empty());
            for target in found {
                assert!(document.pointer(&target[1..]).is_some(), "{target}");
            }
        }
    }
}
