//! Refuses requests that are not meant for this host: a page in a browser can make its visitor's
//! browser send requests to `localhost` too.
//!
//! A name that an attacker made point here (DNS rebinding) shows in `Host`; a page of another site shows in
//! `Sec-Fetch-Site` (a browser sends it over HTTPS and to its own machine), and in `Origin`.

use std::collections::HashSet;
use std::net::IpAddr;

use http::header::{ORIGIN, REFERER};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, Version};

use super::cors::AllowedOrigins;
use super::endpoint::Endpoint;
use super::headers::single;
use crate::error::{CallError, ErrorKind, excerpt};

/// The names under which clients may address the host.
pub(super) struct AllowedHosts(HashSet<String>);

impl AllowedHosts {
    /// `localhost`, the machine's own name (also as `NAME.local`), and those configured, as names and within
    /// the host's own origins. IP addresses are always allowed: no name can be made to point elsewhere
    /// with them.
    pub(super) fn new(configured: &[String], public_origins: &[String]) -> Self {
        let machine = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
        let local = format!("{machine}.local");
        let own = ["localhost".to_owned(), machine, local];
        let public = public_origins.iter().filter_map(|origin| {
            let authority = origin.split_once("://")?.1.parse::<Authority>().ok()?;
            Some(authority.host().to_owned())
        });
        let configured = configured.iter().map(|name| name.to_lowercase());
        Self(own.into_iter().chain(configured).chain(public).collect())
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
/// Why a request is not, as [`ErrorKind::BadRequest`] or [`ErrorKind::Forbidden`].
pub(super) fn check(
    allowed: &AllowedHosts,
    endpoint: &Endpoint,
    version: Version,
) -> Result<(), CallError> {
    let Some(authority) = &endpoint.authority else {
        // HTTP/1.0 knows no Host, and no browser speaks it.
        return if version < Version::HTTP_11 {
            Ok(())
        } else {
            Err(CallError::bad_request("no Host header"))
        };
    };
    let host = authority.host();
    if !allowed.allows(host) {
        return Err(CallError::new(
            ErrorKind::Forbidden,
            format!(
                "this host does not answer to the name {host:?}; use its IP address, or start it with --allow-host {host}"
            ),
        ));
    }
    Ok(())
}

/// Whose page has a browser make a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Initiator {
    /// Nobody's: the client is no browser, or somebody has typed the address.
    Nobody,
    /// One of this host.
    SameOrigin,
    /// One of an origin that the operator lists.
    Listed,
    /// Any other, or one that does not say.
    Foreign,
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Initiator {
    /// By the headers of a request that was sent to `endpoint`. A page cannot set them. `own` are further
    /// origins under which browsers see this host.
    ///
    /// Another port of one machine is another origin: what `Sec-Fetch-Site` calls the same site is not
    /// trusted for that.
    pub(super) fn of(
        allowed: &AllowedOrigins,
        own: &AllowedOrigins,
        headers: &HeaderMap,
        endpoint: &Endpoint,
    ) -> Result<Self, CallError> {
        let origin = single(headers, &ORIGIN)
            .map_err(|()| CallError::bad_request("more than one Origin header"))?;
        let is_listed = || origin.is_some_and(|origin| allowed.include(origin));
        let or_foreign = |is_listed| if is_listed { Self::Listed } else { Self::Foreign };
        Ok(match (single(headers, &SEC_FETCH_SITE), origin) {
            (Ok(Some("same-origin")), _) => Self::SameOrigin,
            (Ok(Some("none")), _) => Self::Nobody,
            (Ok(None), None) => Self::Nobody,
            (Ok(None), Some(origin)) if is_same(origin, endpoint) || own.include(origin) => {
                Self::SameOrigin
            }
            (Ok(None), Some(_)) => or_foreign(is_listed()),
            // A link or a picture has no `Origin`, but mostly says where it is.
            (_, None) => or_foreign(referrer(headers).is_some_and(|of| allowed.include(of))),
            (_, Some(_)) => or_foreign(is_listed()),
        })
    }

    /// Refuses a request that a page has made which may not have anything done here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`], which names the page's origin and how to let it in.
    pub(super) fn check(self, headers: &HeaderMap) -> Result<(), CallError> {
        if self != Self::Foreign {
            return Ok(());
        }
        let origin = single(headers, &ORIGIN).ok().flatten();
        let page = match origin.or_else(|| referrer(headers)) {
            Some(origin) if origin != "null" => format!("a page of {}", excerpt(origin)),
            _ => "a page of another site, or one that is shown without rights,".into(),
        };
        Err(CallError::new(
            ErrorKind::Forbidden,
            format!(
                "{page} may not call procedures of this host; if it should, list its origin in `allowed_origins` of [server], or in `public_origins` if browsers reach this very host there"
            ),
        ))
    }
}

/// Whether a method only reads, by its meaning in HTTP.
pub(super) fn only_reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The origin of the page that a request is made from.
fn referrer(headers: &HeaderMap) -> Option<&str> {
    let page = single(headers, &REFERER).ok()??;
    let host = page.find("://")? + 3;
    let end = page[host..].find(['/', '?', '#']).map_or(page.len(), |end| host + end);
    Some(&page[..end])
}

/// Whether a page of this origin is one of the host's. A port that is not named is the usual one of the
/// page's scheme, which a proxy may have changed on the way.
fn is_same(origin: &str, endpoint: &Endpoint) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let Ok(page) = host.parse::<Authority>() else { return false };
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(usual);
    endpoint
        .authority
        .as_ref()
        .is_some_and(|own| page.host().eq_ignore_ascii_case(own.host()) && port(&page) == port(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(authority: &str) -> Endpoint {
        let authority = Some(authority.parse().unwrap());
        Endpoint { authority, is_secure: false, prefix: String::new() }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn judge(endpoint: &Endpoint, version: Version) -> Result<(), ErrorKind> {
        let public = ["https://Public.example:8443".to_lowercase()];
        let allowed = AllowedHosts::new(&["lab.example".into()], &public);
        check(&allowed, endpoint, version).map_err(|error| error.kind)
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
            "public.example",
        ] {
            assert_eq!(judge(&endpoint(host), Version::HTTP_11), Ok(()), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example"] {
            let judged = judge(&endpoint(host), Version::HTTP_11);
            assert_eq!(judged, Err(ErrorKind::Forbidden), "{host}");
        }
    }

    #[test]
    fn a_host_that_is_missing_is_refused_but_by_old_clients() {
        let nowhere = Endpoint { authority: None, ..endpoint("localhost") };
        assert_eq!(judge(&nowhere, Version::HTTP_11), Err(ErrorKind::BadRequest));
        assert_eq!(judge(&nowhere, Version::HTTP_10), Ok(()));
    }

    #[test]
    fn whose_page_makes_a_request_is_told_by_the_browser() {
        let allowed = AllowedOrigins::new(&["https://lab.example".into()]);
        let own = AllowedOrigins::new(&["https://public.example".into()]);
        for (pairs, expected) in [
            (&[][..], Initiator::Nobody),
            (&[("origin", "http://localhost:8080")], Initiator::SameOrigin),
            (&[("origin", "http://LOCALHOST:8080")], Initiator::SameOrigin),
            (&[("origin", "http://localhost:3000")], Initiator::Foreign),
            (&[("origin", "null")], Initiator::Foreign),
            (&[("origin", "https://public.example")], Initiator::SameOrigin),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", "https://public.example")],
                Initiator::Foreign,
            ),
            (&[("origin", "https://lab.example")], Initiator::Listed),
            (&[("sec-fetch-site", "none")], Initiator::Nobody),
            (&[("sec-fetch-site", "same-origin")], Initiator::SameOrigin),
            // A proxy may have changed the name.
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "https://elsewhere.example")],
                Initiator::SameOrigin,
            ),
            (&[("sec-fetch-site", "same-site")], Initiator::Foreign),
            (&[("sec-fetch-site", "cross-site")], Initiator::Foreign),
            (&[("sec-fetch-site", "news")], Initiator::Foreign),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "none")], Initiator::Foreign),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", "https://lab.example")],
                Initiator::Listed,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")],
                Initiator::Foreign,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("referer", "https://lab.example/a?b")],
                Initiator::Listed,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("referer", "https://lab.example")],
                Initiator::Listed,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("referer", "https://lab.example.evil/")],
                Initiator::Foreign,
            ),
            // A page that says an origin is judged by it alone.
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "null"),
                    ("referer", "https://lab.example/"),
                ],
                Initiator::Foreign,
            ),
        ] {
            let headers = headers(pairs);
            let found = Initiator::of(&allowed, &own, &headers, &endpoint("localhost:8080"));
            assert_eq!(found, Ok(expected), "{pairs:?}");
            assert_eq!(expected.check(&headers).is_err(), expected == Initiator::Foreign);
        }
        let twice = headers(&[("origin", "null"), ("origin", "null")]);
        let refused = Initiator::of(&allowed, &own, &twice, &endpoint("localhost")).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::BadRequest);
    }

    #[test]
    fn a_usual_port_is_the_same_whether_it_is_named_or_not() {
        for (origin, authority, expected) in [
            ("http://lab.example", "lab.example:80", true),
            ("http://lab.example:80", "lab.example", true),
            ("https://lab.example", "lab.example:443", true),
            ("https://lab.example", "lab.example", true),
            ("http://[::1]", "[::1]:80", true),
            ("https://lab.example", "lab.example:80", false),
            ("http://lab.example:8080", "lab.example", false),
            ("http://lab.example", "other.example", false),
            ("file://lab.example", "lab.example", false),
        ] {
            assert_eq!(is_same(origin, &endpoint(authority)), expected, "{origin} {authority}");
        }
    }
}
