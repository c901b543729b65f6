//! What trusted proxies say of a request that they pass on: who sent it, and where to. They say it in
//! `Forwarded` (RFC 7239) or in `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`, and either way
//! in `X-Forwarded-Prefix`. What anybody else says in these headers is ignored.
//!
//! Each proxy appends what it knows. The last entries are those of the nearest one, and an entry is believed
//! only if a trusted proxy has written it; what the client itself wrote stands before those.

use std::net::{IpAddr, SocketAddr};

use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::error::{CallError, excerpt};

const FORWARDED: HeaderName = http::header::FORWARDED;
const X_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The proxies whose word counts.
pub(super) struct TrustedProxies(Vec<IpNet>);

/// What they say of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// Who sent it.
    pub(super) client: Option<IpAddr>,
    /// The host that it was sent to.
    pub(super) authority: Option<Authority>,
    /// Whether it was sent over HTTPS.
    pub(super) is_secure: Option<bool>,
    /// The path below which the host is, without a slash at its end.
    pub(super) prefix: String,
}

/// What one proxy says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hop {
    sender: Option<String>,
    host: Option<String>,
    proto: Option<String>,
}

impl TrustedProxies {
    pub(super) fn new(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    fn include(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// What is said of a request with these headers that came from `peer`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`] where a trusted proxy says what cannot be understood, or passes on both
    /// kinds of headers, of which it writes only one.
    ///
    /// [`ErrorKind::BadRequest`]: crate::error::ErrorKind::BadRequest
    pub(super) fn forwarded(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Forwarded, CallError> {
        if self.0.is_empty() || !self.include(peer) {
            return Ok(Forwarded::default());
        }
        let has_older = [X_FOR, X_PROTO, X_HOST].iter().any(|name| headers.contains_key(name));
        let hop = match (headers.contains_key(FORWARDED), has_older) {
            (true, true) => {
                return Err(CallError::bad_request(
                    "the request came through a proxy with both `Forwarded` and `X-Forwarded-` headers, and only one of the two is the proxy's own; have it remove the other",
                ));
            }
            (true, false) => self.standard(headers)?,
            (false, true) => self.older(headers)?,
            (false, false) => (None, Hop::default()),
        };
        let (client, Hop { host, proto, .. }) = hop;
        let unusable = |what: &str, text: &str| {
            CallError::bad_request(format!("the proxy names {} as {what}", excerpt(text)))
        };
        let authority = match host {
            Some(host) => Some(host.parse().map_err(|_| unusable("the host", &host))?),
            None => None,
        };
        let is_secure = match proto.as_deref() {
            Some(proto) if proto.eq_ignore_ascii_case("https") => Some(true),
            Some(proto) if proto.eq_ignore_ascii_case("http") => Some(false),
            Some(proto) => return Err(unusable("the protocol", proto)),
            None => None,
        };
        let mut prefix = String::new();
        for part in list(headers, &X_PREFIX)? {
            let part = part.trim_end_matches('/');
            if !part.is_empty() && !is_prefix(part) {
                return Err(unusable("the prefix of the path", part));
            }
            prefix.push_str(part);
        }
        Ok(Forwarded { client, authority, is_secure, prefix })
    }

    /// By `Forwarded`.
    fn standard(&self, headers: &HeaderMap) -> Result<(Option<IpAddr>, Hop), CallError> {
        let mut hops = Vec::new();
        for value in headers.get_all(FORWARDED) {
            let read = value.to_str().ok().and_then(hops_of);
            hops.extend(read.ok_or_else(|| unreadable(&FORWARDED))?);
        }
        let senders: Vec<_> = hops.iter().map(|hop| hop.sender.as_deref()).collect();
        let (client, behind) = self.client(&senders);
        let index = hops.len().saturating_sub(behind);
        Ok((client, hops.into_iter().nth(index).unwrap_or_default()))
    }

    /// By the headers that were there before it.
    fn older(&self, headers: &HeaderMap) -> Result<(Option<IpAddr>, Hop), CallError> {
        let senders: Vec<_> = list(headers, &X_FOR)?.into_iter().map(Some).collect();
        let (client, behind) = self.client(&senders);
        let said = |name| -> Result<Option<String>, CallError> {
            let values = list(headers, name)?;
            let value = values.get(values.len().saturating_sub(behind));
            Ok(value.map(|value| (*value).to_owned()))
        };
        Ok((client, Hop { sender: None, host: said(&X_HOST)?, proto: said(&X_PROTO)? }))
    }

    /// The nearest sender that is no trusted proxy, and behind how many proxies it is. `None` where a proxy
    /// does not say whom it has a request from.
    fn client(&self, senders: &[Option<&str>]) -> (Option<IpAddr>, usize) {
        let mut client = None;
        for (i, sender) in senders.iter().rev().enumerate() {
            client = sender.and_then(address);
            if client.is_none_or(|address| !self.include(address)) {
                return (client, i + 1);
            }
        }
        (client, senders.len().max(1))
    }
}

fn unreadable(name: &HeaderName) -> CallError {
    CallError::bad_request(format!("the proxy's `{name}` header cannot be read"))
}

/// The entries of a header that is a list.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<&'a str>, CallError> {
    let mut entries = Vec::new();
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| unreadable(name))?;
        entries.extend(value.split(',').map(str::trim).filter(|entry| !entry.is_empty()));
    }
    Ok(entries)
}

/// The address of a sender, with its port or without; `None` for one that is hidden.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

/// A path from the root on. One that begins with two slashes would be another host to a browser.
fn is_prefix(text: &str) -> bool {
    text.starts_with('/')
        && !text.contains("//")
        // It would end the path of a cookie.
        && !text.contains(';')
        && text.split('/').all(|step| step != "." && step != "..")
        && text.parse::<PathAndQuery>().is_ok_and(|path| path.query().is_none())
}

/// The elements of a `Forwarded` header, as section 4 of RFC 7239 has them; `None` for what is none.
fn hops_of(mut rest: &str) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    let mut hop = Hop::default();
    let mut is_empty = true;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let name_end = rest.find(|c| !is_token_char(c)).unwrap_or(rest.len());
        if name_end > 0 {
            let (name, after) = rest.split_at(name_end);
            let (value, after) = value(after.strip_prefix('=')?)?;
            let known = match name.to_ascii_lowercase().as_str() {
                "for" => Some(&mut hop.sender),
                "host" => Some(&mut hop.host),
                "proto" => Some(&mut hop.proto),
                _ => None,
            };
            // A parameter occurs once at the most.
            if let Some(known) = known
                && known.replace(value).is_some()
            {
                return None;
            }
            (rest, is_empty) = (after, false);
        }
        rest = rest.trim_start_matches([' ', '\t']);
        let separator = rest.chars().next();
        if separator != Some(';') && !std::mem::replace(&mut is_empty, true) {
            hops.push(std::mem::take(&mut hop));
        }
        match separator {
            Some(';' | ',') => rest = &rest[1..],
            None => return Some(hops),
            Some(_) => return None,
        }
    }
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c| !is_token_char(c)).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((i, char)) = chars.next() {
        match char {
            '"' => return Some((value, &quoted[i + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(char),
        }
    }
    None
}

/// Of a token (RFC 9110, section 5.6.2).
fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(peer: &str, headers: &[(&'static str, &'static str)]) -> Result<Forwarded, String> {
        let networks = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies = TrustedProxies::new(&networks);
        proxies.forwarded(peer.parse().unwrap(), &map).map_err(|error| error.message)
    }

    fn client(headers: &[(&'static str, &'static str)]) -> Option<String> {
        read("127.0.0.1", headers).unwrap().client.map(|address| address.to_string())
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let all = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "lab.example"),
            ("x-forwarded-prefix", "/tarp/"),
        ];
        assert_eq!(read("192.0.2.9", &all), Ok(Forwarded::default()));
        let expected = Forwarded {
            client: Some("192.0.2.1".parse().unwrap()),
            authority: Some("lab.example".parse().unwrap()),
            is_secure: Some(true),
            prefix: "/tarp".into(),
        };
        assert_eq!(read("127.0.0.1", &all).as_ref(), Ok(&expected));
        // A socket for both versions of IP names those of version 4 so.
        assert_eq!(read("::ffff:127.0.0.1", &all).as_ref(), Ok(&expected));
        assert_eq!(read("127.0.0.1", &[]), Ok(Forwarded::default()));
    }

    #[test]
    fn the_client_is_the_nearest_that_is_no_proxy() {
        for (value, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            // The first was there when the request came to the proxy.
            ("6.6.6.6, 192.0.2.1", Some("192.0.2.1")),
            ("6.6.6.6, 192.0.2.1, 10.0.0.1", Some("192.0.2.1")),
            ("10.0.0.2, 10.0.0.1", Some("10.0.0.2")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:80", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1, unknown", None),
            ("", None),
        ] {
            assert_eq!(client(&[("x-forwarded-for", value)]).as_deref(), expected, "{value}");
        }
        let twice = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(client(&twice).as_deref(), Some("192.0.2.1"));
        for (value, expected) in [
            ("for=192.0.2.1", Some("192.0.2.1")),
            ("For=\"[2001:db8::1]:80\";by=10.0.0.1", Some("2001:db8::1")),
            ("for=6.6.6.6, for=192.0.2.1 ,for=10.0.0.1", Some("192.0.2.1")),
            ("for=6.6.6.6;host=\"a,b;c\\\"\", proto=http", None),
            ("for=_hidden", None),
        ] {
            assert_eq!(client(&[("forwarded", value)]).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn host_and_protocol_are_those_that_the_client_used() {
        let chain = [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.1"),
            ("x-forwarded-proto", "http, https, http"),
            ("x-forwarded-host", "evil.example, lab.example, inner:8080"),
            ("x-forwarded-prefix", "/lab"),
            ("x-forwarded-prefix", "/tarp/, /"),
        ];
        let read_ = read("127.0.0.1", &chain).unwrap();
        assert_eq!(read_.authority.unwrap(), "lab.example");
        assert_eq!((read_.is_secure, &*read_.prefix), (Some(true), "/lab/tarp"));
        let standard = [(
            "forwarded",
            "for=6.6.6.6;host=evil.example, for=192.0.2.1;host=lab.example;proto=HTTPS, for=10.0.0.1;host=inner",
        )];
        let read_ = read("127.0.0.1", &standard).unwrap();
        assert_eq!(read_.authority.unwrap(), "lab.example");
        assert_eq!(read_.is_secure, Some(true));
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for (headers, named) in [
            (&[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.1")][..], "both"),
            (&[("x-forwarded-proto", "gopher")], "gopher"),
            (&[("x-forwarded-host", "a b")], "a b"),
            (&[("x-forwarded-prefix", "//evil.example")], "//evil.example"),
            (&[("x-forwarded-prefix", "tarp")], "tarp"),
            (&[("x-forwarded-prefix", "/a/../b")], "/a/../b"),
            (&[("x-forwarded-prefix", "/a?b")], "/a?b"),
            (&[("x-forwarded-prefix", "/a;b")], "/a;b"),
            (&[("forwarded", "for")], "forwarded"),
            (&[("forwarded", "for=")], "forwarded"),
            (&[("forwarded", "for=a;for=b")], "forwarded"),
            (&[("forwarded", "for=\"a")], "forwarded"),
            (&[("forwarded", "for=a b")], "forwarded"),
        ] {
            let refused = read("127.0.0.1", headers).unwrap_err();
            assert!(refused.contains(named), "{headers:?}: {refused}");
        }
        assert_eq!(
            hops_of(" , for=a,,"),
            Some(vec![Hop { sender: Some("a".into()), ..Hop::default() }])
        );
    }
}
