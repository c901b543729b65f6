//! Cross-origin resource sharing, as the Fetch standard has it: what a browser is told before and after a
//! page of another origin sends a request. Pages of the origins that the operator lists may call and read;
//! of all others the browser is told nothing.

use std::collections::HashSet;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};

/// How long a browser may remember what it was told before a request, in seconds.
const MAX_AGE: &str = "600";

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// A page of a public site asks whether it may send requests to a host on its visitor's own network.
const REQUEST_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// The origins whose pages may call and read.
pub(super) struct AllowedOrigins(HashSet<String>);

/// What is told of sharing with every reply to a request.
pub(super) enum Sharing {
    /// Nothing: no origin is listed.
    Off,
    /// That it depends on the origin, and that this one may read it.
    On(Option<HeaderValue>),
}

impl AllowedOrigins {
    /// Those that are configured, as browsers write them.
    pub(super) fn new(configured: &[String]) -> Self {
        Self(configured.iter().cloned().collect())
    }

    pub(super) fn include(&self, origin: &str) -> bool {
        self.0.contains(origin)
    }

    /// What replies to a request with these headers tell.
    pub(super) fn sharing(&self, request: &HeaderMap) -> Sharing {
        if self.0.is_empty() {
            return Sharing::Off;
        }
        let origin = request
            .get(ORIGIN)
            .filter(|origin| origin.to_str().is_ok_and(|origin| self.include(origin)));
        Sharing::On(origin.cloned())
    }
}

impl Sharing {
    /// The answer to a browser that asks in advance; `None` for any other request, and where no page may.
    pub(super) fn preflight(&self, request: &Request<Body>) -> Option<Response> {
        let asks = *request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || !matches!(self, Self::On(Some(_))) {
            return None;
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        // A component may take headers of its own, and `*` would not stand for `Authorization`.
        if let Some(wanted) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        if request.headers().contains_key(REQUEST_PRIVATE_NETWORK) {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        for name in [ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_REQUEST_HEADERS] {
            headers.append(VARY, HeaderValue::from(name));
        }
        Some(response)
    }

    /// Writes it on a reply.
    pub(super) fn write(self, response: &mut Response) {
        let Self::On(origin) = self else { return };
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from(ORIGIN));
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&'static str, &'static str)]) -> Request<Body> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    const ASKS: (&str, &str) = ("access-control-request-method", "POST");

    #[test]
    fn a_listed_origin_is_told_what_it_may_send_and_no_other_is() {
        let allowed = AllowedOrigins::new(&["https://lab.example".into()]);
        let listed = ("origin", "https://lab.example");
        let wanted = ("access-control-request-headers", "authorization, x-own");
        let asks = request("OPTIONS", &[listed, ASKS, wanted]);
        let sharing = allowed.sharing(asks.headers());
        let mut reply = sharing.preflight(&asks).unwrap();
        sharing.write(&mut reply);
        assert_eq!(reply.status(), StatusCode::NO_CONTENT);
        assert_eq!(reply.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "https://lab.example");
        assert_eq!(reply.headers()[ACCESS_CONTROL_ALLOW_HEADERS], wanted.1);
        assert!(!reply.headers().contains_key("access-control-allow-credentials"));
        assert_eq!(reply.headers().get_all(VARY).iter().count(), 3);
        for headers in [
            &[("origin", "https://lab.example.evil"), ASKS][..],
            &[("origin", "http://lab.example"), ASKS],
            &[("origin", "https://lab.example:444"), ASKS],
            &[("origin", "null"), ASKS],
            &[ASKS],
            &[listed],
        ] {
            let asks = request("OPTIONS", headers);
            assert!(allowed.sharing(asks.headers()).preflight(&asks).is_none(), "{headers:?}");
        }
        let post = request("POST", &[listed, ASKS]);
        assert!(allowed.sharing(post.headers()).preflight(&post).is_none());
    }

    #[test]
    fn every_reply_says_that_it_depends_on_the_origin_where_one_is_listed() {
        let written = |allowed: &[String], origin: &'static str| {
            let request = request("GET", &[("origin", origin)]);
            let mut response = Response::new(Body::empty());
            AllowedOrigins::new(allowed).sharing(request.headers()).write(&mut response);
            let headers = response.headers();
            (headers.contains_key(VARY), headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN))
        };
        let allowed = ["https://lab.example".to_owned()];
        assert_eq!(written(&allowed, "https://lab.example"), (true, true));
        assert_eq!(written(&allowed, "https://evil.example"), (true, false));
        assert_eq!(written(&[], "https://lab.example"), (false, false));
    }
}
