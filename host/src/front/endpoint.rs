//! Where a client sent a request, as the client knows it: a proxy may stand between.

use axum::body::Body;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Request, Uri};

use super::headers::single;
use super::proxies::Forwarded;
use crate::error::CallError;

/// Where a client sent a request.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// The name and the port; HTTP/1.0 knows neither.
    pub(super) authority: Option<Authority>,
    /// Whether over HTTPS.
    pub(super) is_secure: bool,
    /// The path below which the client sees the host, such as `/tarp`; empty where that is `/`.
    pub(super) prefix: String,
}

impl Endpoint {
    /// By the request itself, and by what proxies say of it, if they are trusted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`] where the request contradicts itself.
    ///
    /// [`ErrorKind::BadRequest`]: crate::error::ErrorKind::BadRequest
    pub(super) fn of(
        request: &Request<Body>,
        is_secure: bool,
        forwarded: Forwarded,
    ) -> Result<Self, CallError> {
        let authority = authority(request.uri(), request.headers())?;
        Ok(Self {
            authority: forwarded.authority.or(authority),
            is_secure: forwarded.is_secure.unwrap_or(is_secure),
            prefix: forwarded.prefix,
        })
    }

    /// The path under which the client finds a page of the host.
    pub(super) fn path(&self, page: &str) -> String {
        format!("{}{page}", self.prefix)
    }

    /// The same with the scheme and the host, for who is to take it elsewhere.
    pub(super) fn url(&self, page: &str) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        let host = self.authority.as_ref().map_or("localhost", Authority::as_str);
        format!("{scheme}://{host}{}", self.path(page))
    }
}

fn authority(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, CallError> {
    let bad = |message: &str| CallError::bad_request(message);
    let header = single(headers, &HOST).map_err(|()| bad("more than one Host header"))?;
    let header = header.map(str::parse::<Authority>).transpose();
    let header = header.map_err(|_| bad("the Host header is not a host with an optional port"))?;
    match (uri.authority(), header) {
        (Some(a), Some(b)) if *a != b => Err(bad("the Host header is not the host of the URL")),
        (Some(authority), _) => Ok(Some(authority.clone())),
        (None, header) => Ok(header),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(uri: &str, headers: &[(&str, &str)]) -> Result<Endpoint, String> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        Endpoint::of(&request, false, Forwarded::default()).map_err(|error| error.message)
    }

    #[test]
    fn a_host_that_is_doubled_contradicted_or_none_is_refused() {
        for (uri, hosts) in [
            ("/", &["a b"][..]),
            ("/", &["localhost", "localhost"]),
            ("http://localhost/", &["127.0.0.1"]),
        ] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert!(endpoint(uri, &headers).unwrap_err().contains("Host header"), "{hosts:?}");
        }
        let of_uri = endpoint("http://localhost:1/", &[]).unwrap();
        assert_eq!(of_uri.authority.unwrap(), "localhost:1");
        assert!(endpoint("/", &[]).unwrap().authority.is_none());
    }

    #[test]
    fn addresses_are_those_that_the_client_can_use() {
        let mut endpoint = endpoint("/", &[("host", "localhost:8080")]).unwrap();
        assert_eq!(endpoint.path("/-/docs"), "/-/docs");
        endpoint.prefix = "/tarp".into();
        assert_eq!(endpoint.path("/-/docs"), "/tarp/-/docs");
        assert_eq!(endpoint.url("/-/docs"), "http://localhost:8080/tarp/-/docs");
    }
}
