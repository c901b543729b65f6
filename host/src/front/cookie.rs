//! The cookie in which a browser keeps the token of who has logged in.
//!
//! Cookies belong to a name, whatever the port. So the port is in the name of the cookie, and two hosts on
//! one machine do not log each other's people out.

use std::time::{Duration, SystemTime};

use http::header::COOKIE;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue};

use super::endpoint::Endpoint;

const NAME: &str = "tarp-token";

/// Browsers take a cookie of such a name over HTTPS alone, for the whole of one name, and not from a
/// neighbour below the same domain.
const HOST_PREFIX: &str = "__Host-";

/// The same, where the host has only a part of the name's paths.
const SECURE_PREFIX: &str = "__Secure-";

/// The cookie of one host.
pub(super) struct TokenCookie {
    name: String,
    path: String,
    is_secure: bool,
}

impl TokenCookie {
    /// Of the host that is addressed so.
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        let Endpoint { authority, is_secure, prefix } = endpoint;
        let kind = match (is_secure, prefix.is_empty()) {
            (true, true) => HOST_PREFIX,
            (true, false) => SECURE_PREFIX,
            (false, _) => "",
        };
        let name = match authority.as_ref().and_then(Authority::port_u16) {
            Some(port) => format!("{kind}{NAME}-{port}"),
            None => format!("{kind}{NAME}"),
        };
        Self { name, path: endpoint.path("/"), is_secure: *is_secure }
    }

    /// The token in a request with these headers. Of several cookies with this name none counts: who set
    /// which cannot be told.
    pub(super) fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        let values = headers.get_all(COOKIE).iter();
        let pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let mut tokens = pairs.filter_map(|pair| {
            pair.trim_ascii().strip_prefix(self.name.as_bytes())?.strip_prefix(b"=")
        });
        match (tokens.next(), tokens.next()) {
            (Some(token), None) => Some(token),
            _ => None,
        }
    }

    /// What has a browser keep the token until it expires, or until it is closed.
    pub(super) fn keep(&self, token: &str, expires: Option<SystemTime>) -> Option<HeaderValue> {
        let left = |at: SystemTime| at.duration_since(SystemTime::now()).unwrap_or_default();
        self.value(token, expires.map(left))
    }

    /// What has a browser forget the token.
    pub(super) fn forget(&self) -> Option<HeaderValue> {
        self.value("", Some(Duration::ZERO))
    }

    fn value(&self, token: &str, left: Option<Duration>) -> Option<HeaderValue> {
        let Self { name, path, is_secure } = self;
        let secure = if *is_secure { "; Secure" } else { "" };
        let left = left.map_or_else(String::new, |left| format!("; Max-Age={}", left.as_secs()));
        let text = format!("{name}={token}; Path={path}; HttpOnly; SameSite=Strict{secure}{left}");
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Whether a pair of a cookie's name and value is the token of this or of another host.
fn is_token(pair: &[u8]) -> bool {
    let name = pair.trim_ascii_start();
    let kinds = [HOST_PREFIX, SECURE_PREFIX];
    let bare = kinds.iter().find_map(|kind| name.strip_prefix(kind.as_bytes())).unwrap_or(name);
    bare.starts_with(NAME.as_bytes())
}

/// Takes the tokens of hosts out of a request for somebody who must not see them.
pub(super) fn hide(headers: &mut HeaderMap) {
    if !headers.contains_key(COOKIE) {
        return;
    }
    let others: Vec<HeaderValue> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| {
            let pairs = value.as_bytes().split(|byte| *byte == b';');
            let others: Vec<&[u8]> = pairs.filter(|pair| !is_token(pair)).collect();
            let others = others.join(&b';');
            let others = others.trim_ascii_start();
            (!others.is_empty()).then(|| HeaderValue::from_bytes(others).ok()).flatten()
        })
        .collect();
    headers.remove(COOKIE);
    for value in others {
        headers.append(COOKIE, value);
    }
}

/// Whether what a reply has a browser keep is the token of a host.
pub(super) fn sets_token(set_cookie: &HeaderValue) -> bool {
    is_token(set_cookie.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, cookie.parse().unwrap());
        }
        headers
    }

    fn of(authority: &str, is_secure: bool) -> TokenCookie {
        let authority = Some(authority.parse().unwrap());
        TokenCookie::new(&Endpoint { authority, is_secure, prefix: String::new() })
    }

    #[test]
    fn a_token_is_read_from_the_one_cookie_of_this_host() {
        let cookie = of("localhost:8080", false);
        let read = |cookies: &[&str]| {
            cookie.token(&headers(cookies)).map(|token| String::from_utf8_lossy(token).into_owned())
        };
        assert_eq!(read(&["tarp-token-8080=abc"]).as_deref(), Some("abc"));
        assert_eq!(read(&["a=1; tarp-token-8080=abc; b=2"]).as_deref(), Some("abc"));
        assert_eq!(read(&["a=1", "tarp-token-8080=abc"]).as_deref(), Some("abc"));
        for others in [
            &["tarp-token-8081=abc"][..],
            &["tarp-token=abc"],
            &["__Host-tarp-token-8080=abc"],
            &["x-tarp-token-8080=abc"],
            &["tarp-token-8080=a; tarp-token-8080=b"],
            &["tarp-token-8080"],
            &[],
        ] {
            assert_eq!(read(others), None, "{others:?}");
        }
    }

    #[test]
    fn the_cookie_is_for_this_host_and_no_script() {
        let kept = |cookie: TokenCookie, expires| {
            cookie.keep("abc", expires).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(
            kept(of("localhost:8080", false), None),
            "tarp-token-8080=abc; Path=/; HttpOnly; SameSite=Strict"
        );
        assert_eq!(
            kept(of("lab.example", true), None),
            "__Host-tarp-token=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        let authority = Some("lab.example".parse().unwrap());
        let below = Endpoint { authority, is_secure: true, prefix: "/tarp".into() };
        assert_eq!(
            kept(TokenCookie::new(&below), None),
            "__Secure-tarp-token=abc; Path=/tarp/; HttpOnly; SameSite=Strict; Secure"
        );
        let soon = Some(SystemTime::now() + Duration::from_millis(99_500));
        assert!(kept(of("lab.example", true), soon).ends_with("; Max-Age=99"));
        let forgotten = of("lab.example", true).forget().unwrap();
        assert!(forgotten.to_str().unwrap().contains("token=;"));
        assert!(forgotten.to_str().unwrap().ends_with("; Max-Age=0"));
        assert!(forgotten.is_sensitive());
    }

    #[test]
    fn the_tokens_of_all_hosts_are_hidden_and_nothing_else() {
        let mut headers = headers(&[
            "a=1; tarp-token-8080=abc; b=2",
            "__Host-tarp-token=abc",
            "__Secure-tarp-token=abc",
            " tarp-token-9=x;c=3",
        ]);
        hide(&mut headers);
        let left: Vec<_> = headers.get_all(COOKIE).iter().collect();
        assert_eq!(left, ["a=1; b=2", "c=3"]);
        assert!(sets_token(&"__Host-tarp-token-1=x; Path=/".parse().unwrap()));
        assert!(!sets_token(&"session=tarp-token".parse().unwrap()));
    }
}
