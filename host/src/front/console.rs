//! The console: a page in the browser, made of files that are in the binary as they are in
//! `host/console/`.
//!
//! Knows nothing of procedures and jobs: the page asks for those over HTTP as everybody does.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode, Uri};

use super::response;

/// What the page may do: run and fetch what this host serves, and show pictures that it has made of
/// results. Nothing inline, nothing from elsewhere, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const PAGE: &str = "index.html";

/// Where the viewer of the OpenAPI document is.
pub(super) const DOCS_PATH: &str = "/-/docs";

/// Where the files are.
pub(super) const FILES_PATH: &str = "/-/console/";

/// The viewer of the OpenAPI document.
const DOCS: &str = "docs.html";

/// Names below `host/console/`, each with its content.
macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("../../console/", $name)))),*]
    };
}

/// All files of the console.
const FILES: &[(&str, &[u8])] = files! {
    "css/base.css"
    "css/docs.css"
    "css/form.css"
    "css/jobs.css"
    "css/procedures.css"
    "css/result.css"
    "css/shell.css"
    "docs.html"
    "docs.js"
    "early.js"
    "form/bytes.js"
    "form/choice.js"
    "form/fault.js"
    "form/field.js"
    "form/list.js"
    "form/map.js"
    "form/numbers.js"
    "form/pairs.js"
    "form/rows.js"
    "form/scalar.js"
    "form/take.js"
    "form/text.js"
    "form/upload.js"
    "icon.svg"
    "index.html"
    "lib/again.js"
    "lib/api.js"
    "lib/base.js"
    "lib/brackets.js"
    "lib/bytes.js"
    "lib/csv.js"
    "lib/docs.js"
    "lib/draft.js"
    "lib/drafts.js"
    "lib/element.js"
    "lib/encode.js"
    "lib/exact.js"
    "lib/format.js"
    "lib/job-states.js"
    "lib/job.js"
    "lib/live.js"
    "lib/markdown.js"
    "lib/media.js"
    "lib/notes.js"
    "lib/number.js"
    "lib/numbers.js"
    "lib/python.js"
    "lib/route.js"
    "lib/shape.js"
    "lib/snippets.js"
    "lib/stream.js"
    "lib/table.js"
    "lib/theme.js"
    "lib/types.js"
    "lib/web-snippets.js"
    "lib/worker.js"
    "lib/write-csv.js"
    "main.js"
    "pages/about.js"
    "pages/contents.js"
    "pages/job.js"
    "pages/jobs.js"
    "pages/log-in.js"
    "pages/overview.js"
    "pages/procedure.js"
    "pages/problems.js"
    "pages/procedures.js"
    "pages/shell.js"
    "pages/snippets.js"
    "pages/versions.js"
    "pages/web-snippets.js"
    "pages/web.js"
    "parts/answer.js"
    "parts/arguments.js"
    "parts/failure.js"
    "parts/job-panel.js"
    "parts/outcome.js"
    "parts/picture.js"
    "parts/plot.js"
    "parts/printed.js"
    "parts/progress.js"
    "parts/prose.js"
    "parts/spark.js"
    "parts/table.js"
    "parts/ui.js"
    "parts/value.js"
    "vendor/README.md"
    "vendor/htm-3.1.1/LICENSE"
    "vendor/htm-3.1.1/LICENSE-preact"
    "vendor/htm-3.1.1/standalone.module.js"
    "vendor/marked-18.2.1/LICENSE"
    "vendor/marked-18.2.1/marked.esm.js"
    "vendor/swagger-ui-dist-5.35.0/LICENSE"
    "vendor/swagger-ui-dist-5.35.0/NOTICE"
    "vendor/swagger-ui-dist-5.35.0/swagger-ui-bundle.js"
    "vendor/swagger-ui-dist-5.35.0/swagger-ui-bundle.js.LICENSE.txt"
    "vendor/swagger-ui-dist-5.35.0/swagger-ui.css"
    "vendor/uplot-1.6.32/LICENSE"
    "vendor/uplot-1.6.32/uPlot.esm.js"
    "vendor/uplot-1.6.32/uPlot.min.css"
};

/// Whether a request is a browser's that wants a page.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_html = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("text/html"));
        let refused = |weight: &str| weight.parse() == Ok(0.0);
        is_html && !parts.any(|parameter| parameter.strip_prefix("q=").is_some_and(refused))
    })
}

/// The page.
pub(super) fn page(headers: &HeaderMap) -> Response {
    file(PAGE, headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// `GET /-/docs`: the OpenAPI document for people.
pub(super) async fn docs(headers: HeaderMap) -> Response {
    file(DOCS, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// `GET /-/console/NAME`.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    match file(&name, &headers) {
        Some(response) => response,
        None => response::no_such_page(uri).await,
    }
}

/// A file, unless the browser has it already.
fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let &(name, content) = FILES.iter().find(|(known, _)| *known == name)?;
    let tag = response::tag(content);
    let fixed = [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Some(if response::is_known(headers, &tag) {
        (StatusCode::NOT_MODIFIED, fixed, [(ETAG, tag)]).into_response()
    } else {
        (fixed, [(ETAG, tag)], [(CONTENT_TYPE, media_type(name))], content).into_response()
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        // Licences.
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use http::header::IF_NONE_MATCH;

    use super::*;

    /// The names of all files below a folder.
    fn below(folder: &Path, prefix: &str, names: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                below(&entry.path(), &format!("{name}/"), names);
            } else {
                names.push(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let mut there = Vec::new();
        below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("console"), "", &mut there);
        there.sort();
        let mut served: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        served.sort();
        assert_eq!(served, there, "the list in console.rs differs from the folder");
    }

    #[test]
    fn a_page_is_for_whom_asks_for_one() {
        let wanted = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            is_wanted(&headers)
        };
        assert!(wanted("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wanted("application/json, Text/HTML; q=0.5"));
        for other in ["*/*", "application/json", "text/*", "text/html;q=0", "text/html-x"] {
            assert!(!wanted(other), "{other}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }

    #[test]
    fn who_has_a_file_is_not_sent_it_again() {
        let first = page(&HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        assert_eq!(page(&headers).status(), StatusCode::NOT_MODIFIED);
        headers.insert(IF_NONE_MATCH, "\"another\"".parse().unwrap());
        assert_eq!(page(&headers).status(), StatusCode::OK);
    }
}
