//! Refuses requests that are not meant for this host: a page in a browser can make its visitor's
//! browser send requests to `localhost` too.
//!
//! A name that an attacker made point here (DNS rebinding) shows in `Host`; a page of another site
//! shows in `Origin`.

use std::collections::HashSet;
use std::net::IpAddr;

use axum::extract::Request;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, Version};

use crate::error::{CallError, Kind};

/// The names under which clients may address the host.
pub(super) struct AllowedHosts(HashSet<String>);

impl AllowedHosts {
    /// `localhost`, the machine's own name (also as `NAME.local`), and those configured. IP addresses
    /// are always allowed: no name can be made to point elsewhere with them.
    pub(super) fn new(configured: &[String]) -> Self {
        let machine = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
        let local = format!("{machine}.local");
        let own = ["localhost".to_owned(), machine, local];
        Self(own.into_iter().chain(configured.iter().map(|name| name.to_lowercase())).collect())
    }

    fn allows(&self, host: &str) -> bool {
        let unbracketed =
            host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        unbracketed.parse::<IpAddr>().is_ok()
            || self.0.contains(host.to_lowercase().trim_end_matches('.'))
    }
}

/// Lets through what is meant for this host.
///
/// # Errors
///
/// Why a request is not, as [`Kind::BadRequest`] or [`Kind::Forbidden`].
pub(super) fn check(allowed: &AllowedHosts, request: &Request) -> Result<(), CallError> {
    let bad = |message: &str| CallError::new(Kind::BadRequest, message);
    let header =
        single(request.headers(), HOST.as_str()).map_err(|()| bad("more than one Host header"))?;
    let header = header.map(str::parse::<Authority>).transpose();
    let header = header.map_err(|_| bad("the Host header is not a host with an optional port"))?;
    let authority = match (request.uri().authority(), header) {
        (Some(a), Some(b)) if *a != b => {
            return Err(bad("the Host header is not the host of the URL"));
        }
        (Some(authority), _) => Some(authority.clone()),
        (None, header) => header,
    };
    let Some(authority) = authority else {
        // HTTP/1.0 knows no Host, and no browser speaks it.
        return if request.version() < Version::HTTP_11 {
            Ok(())
        } else {
            Err(bad("no Host header"))
        };
    };
    let host = authority.host();
    if !allowed.allows(host) {
        return Err(CallError::new(
            Kind::Forbidden,
            format!(
                "this host does not answer to the name {host:?}; use its IP address, or start it with --allow-host {host}"
            ),
        ));
    }
    let reads_only = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = single(request.headers(), ORIGIN.as_str())
        .map_err(|()| bad("more than one Origin header"))?;
    match origin {
        Some(origin) if !reads_only && !is_same(origin, &authority) => Err(CallError::new(
            Kind::Forbidden,
            format!("a page of {origin} may not call procedures of this host"),
        )),
        _ => Ok(()),
    }
}

/// The header's value as text: none, one, or an error for several or what is no text.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(drop),
        (Some(_), Some(_)) => Err(()),
    }
}

fn is_same(origin: &str, authority: &Authority) -> bool {
    origin.split_once("://").is_some_and(|(_, host)| host.eq_ignore_ascii_case(authority.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn judge(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), Kind> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let allowed = AllowedHosts::new(&["lab.example".into()]);
        check(&allowed, &request.body(Body::empty()).unwrap()).map_err(|error| error.kind)
    }

    #[test]
    fn addresses_and_known_names_are_answered_to() {
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8080",
            "192.168.1.2",
            "Lab.example",
        ] {
            assert_eq!(judge("GET", "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example"] {
            assert_eq!(judge("GET", "/", &[("host", host)]), Err(Kind::Forbidden), "{host}");
        }
    }

    #[test]
    fn a_host_that_is_missing_doubled_or_contradicted_is_refused() {
        assert_eq!(judge("GET", "/", &[]), Err(Kind::BadRequest));
        assert_eq!(judge("GET", "/", &[("host", "a b")]), Err(Kind::BadRequest));
        assert_eq!(
            judge("GET", "/", &[("host", "localhost"), ("host", "localhost")]),
            Err(Kind::BadRequest)
        );
        assert_eq!(
            judge("GET", "http://localhost/", &[("host", "127.0.0.1")]),
            Err(Kind::BadRequest)
        );
        assert_eq!(judge("GET", "http://localhost/", &[]), Ok(()));
    }

    #[test]
    fn pages_of_other_sites_may_not_post() {
        let host = ("host", "localhost:8080");
        assert_eq!(judge("POST", "/", &[host, ("origin", "http://localhost:8080")]), Ok(()));
        assert_eq!(
            judge("POST", "/", &[host, ("origin", "http://localhost:3000")]),
            Err(Kind::Forbidden)
        );
        assert_eq!(judge("POST", "/", &[host, ("origin", "null")]), Err(Kind::Forbidden));
        assert_eq!(judge("GET", "/", &[host, ("origin", "https://evil.example")]), Ok(()));
    }
}
