//! The Python client, served by the host itself: a page with the wheel, and the wheel. Until the package
//! is published, this and a clone are where it can be installed from.

mod wheel;

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::Uri;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use serde::Serialize;
use tracing::error;

use super::compress::Incompressible;
use super::endpoint::Endpoint;
use super::response;
use wheel::{Sources, Wheel};

/// As they are in `clients/python`; written by `build.rs`.
const SOURCES: Sources = include!(concat!(env!("OUT_DIR"), "/client_sources.rs"));

/// Made when it is first asked for.
static CLIENT: LazyLock<Option<Wheel>> = LazyLock::new(|| {
    Wheel::of(&SOURCES).inspect_err(|e| error!(error = %e, "there is no wheel of the client")).ok()
});

/// What is told of the client where the host tells of itself.
#[derive(Serialize)]
pub(super) struct Client {
    name: &'static str,
    version: &'static str,
    requires_python: &'static str,
    /// Its address.
    wheel: String,
    sha256: &'static str,
    /// The command that installs it, by the address that the caller used.
    install: String,
}

impl Client {
    /// For a caller who asked there.
    pub(super) fn told(endpoint: &Endpoint) -> Option<Self> {
        let client = CLIENT.as_ref()?;
        let page = format!("/-/client/{}", client.file);
        Some(Self {
            name: &client.name,
            version: &client.version,
            requires_python: &client.requires_python,
            install: format!("pip install {}", endpoint.url(&page)),
            wheel: endpoint.path(&page),
            sha256: &client.sha256,
        })
    }
}

/// `GET /-/client/`, as package indexes have it (PEP 503), so that `pip --find-links` reads it too.
pub(super) async fn page(uri: Uri) -> Response {
    let Some(Wheel { name, version, requires_python, file, sha256, .. }) = &*CLIENT else {
        return response::no_such_page(uri).await;
    };
    // All of it comes from the client's own sources, and its only character with a meaning in HTML is
    // the `>` of a version, which an attribute may hold as it is.
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{name}</title></head>\n\
         <body>\n<h1>{name} {version}</h1>\n\
         <p>The Python client of this host. Install it with <code>pip install</code> and the address of \
         this link:</p>\n\
         <p><a href=\"{file}#sha256={sha256}\" data-requires-python=\"{requires_python}\">{file}</a></p>\n\
         </body>\n</html>\n"
    );
    let fixed = [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
    ];
    (fixed, page).into_response()
}

/// `GET /-/client/NAME`.
pub(super) async fn wheel(Path(name): Path<String>, uri: Uri) -> Response {
    let Some(Wheel { content, .. }) = CLIENT.as_ref().filter(|client| client.file == name) else {
        return response::no_such_page(uri).await;
    };
    let fixed = [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_DISPOSITION, "attachment"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_TYPE, "application/octet-stream"),
    ];
    let mut response = (fixed, content.as_slice()).into_response();
    // Its hash is that of these very bytes.
    response.extensions_mut().insert(Incompressible);
    response
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{CLIENT, SOURCES};

    /// Every module below a folder, by its name in the wheel.
    fn below(folder: &Path, name: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let full = format!("{name}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                below(&entry.path(), &full, found);
            } else if full.ends_with(".py") || full.ends_with("/py.typed") {
                found.push(full);
            }
        }
    }

    /// A module that was added without any change to another one is not noticed by the build script.
    #[test]
    fn every_module_of_the_client_is_here() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/python/src/tarp");
        let mut there = Vec::new();
        below(&sources, "tarp", &mut there);
        there.sort();
        let here: Vec<_> = SOURCES.modules.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(here, there, "touch host/build.rs");
    }

    #[test]
    fn there_is_a_wheel() {
        assert!(CLIENT.is_some());
    }
}
