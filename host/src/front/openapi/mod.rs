//! `/-/openapi.json`: the host and everything that can be called, as OpenAPI 3.1 describes it.
//!
//! [`schema`] turns types into JSON Schema, [`examples`] into values to try, [`operations`] makes
//! operations of procedures and [`arguments`] what they take, [`own`] has those of the host itself, and [`components`] what all of them
//! share. It describes; what happens is decided elsewhere, and where that is a table it is read from
//! there.

mod arguments;
mod components;
mod examples;
mod operations;
mod own;
mod schema;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::extract::State as Extract;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::State;
use super::reply::Tagged;
use crate::catalog::Catalog;

/// The document that was made last, and the catalog that it was made of.
#[derive(Default)]
pub(super) struct Cache(Mutex<(Weak<Catalog>, Option<Tagged>)>);

impl Cache {
    fn document(&self, catalog: &Arc<Catalog>, keeps_jobs: bool) -> Tagged {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // While it is referred to, no other catalog can be at its address.
        let is_current = std::ptr::eq(made.0.as_ptr(), Arc::as_ptr(catalog));
        match &made.1 {
            Some(document) if is_current => document.clone(),
            _ => {
                let document = Tagged::new(&document(catalog, keeps_jobs));
                *made = (Arc::downgrade(catalog), Some(document.clone()));
                document
            }
        }
    }
}

/// The document, unless the caller has this very one.
pub(super) async fn show(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    let catalog = state.catalog.load_full();
    state.openapi.document(&catalog, state.jobs.is_some()).reply(&headers)
}

fn document(catalog: &Catalog, keeps_jobs: bool) -> Value {
    let mut paths = own::paths(keeps_jobs);
    let mut files = BTreeSet::new();
    for procedure in catalog.procedures() {
        let callable = operations::Callable::of(catalog, procedure);
        paths.insert(callable.path(), callable.path_item(keeps_jobs));
        files.insert(callable.file);
    }
    for mount in catalog.mounts() {
        let (path, item) = operations::mounted(&mount.name, &mount.source.file);
        paths.insert(path, item);
        files.insert(&mount.source.file);
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
        "servers": [{"url": "/"}],
        // Said rather than left out: nothing asks for credentials.
        "security": [],
        "tags": tags(&files, keeps_jobs),
        "paths": paths,
        "components": components::components(keeps_jobs),
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

/// A JSON object of these entries.
fn object(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(Map::from_iter(entries))
}

/// A reference to something that is shared.
fn shared(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_made_once_for_each_catalog() {
        let cache = Cache::default();
        let (first, second) = (Arc::<Catalog>::default(), Arc::<Catalog>::default());
        let made = || cache.0.lock().unwrap().0.as_ptr();
        cache.document(&first, true);
        assert_eq!(made(), Arc::as_ptr(&first));
        cache.document(&second, true);
        assert_eq!(made(), Arc::as_ptr(&second));
    }

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
        for keeps_jobs in [true, false] {
            let document = document(&Catalog::default(), keeps_jobs);
            let mut found = Vec::new();
            references(&document, &mut found);
            assert!(!found.is_empty());
            for target in found {
                assert!(document.pointer(&target[1..]).is_some(), "{target}");
            }
        }
    }
}
