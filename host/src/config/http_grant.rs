//! Which HTTP servers a component may send requests to: [`HttpGrant`].

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};

/// Servers that a component may send requests to: an entry of `http` in `[grants]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpGrant {
    scheme: HttpScheme,
    host: HostPattern,
    port: u16,
    /// Whether names may lead to addresses that are not public.
    is_private: bool,
}

/// How requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpScheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Address(IpAddr),
    /// In lower case.
    Name(String),
    /// Every name that ends in this, which begins with a dot.
    Below(String),
}

/// A text names no servers that could be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{}\" {fault}; write a server as \"api.lab.example\", \"https://*.lab.example:8443\" or \
     \"http://127.0.0.1:9000\"",
    text.escape_debug()
)]
pub struct InvalidServer {
    text: String,
    fault: ServerFault,
}

/// What is wrong with such a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum ServerFault {
    #[error("has a scheme other than http and https")]
    Scheme,
    #[error("has more than a scheme, a host and a port")]
    More,
    #[error("lacks a `]`")]
    Bracket,
    #[error("is no IPv6 address")]
    Address,
    #[error("has no port from 1 to 65535")]
    Port,
    #[error("has no host")]
    Host,
    #[error("has a host that is neither a name nor an address")]
    Number,
    #[error("stands for all names of a whole domain")]
    Domain,
}

impl HttpScheme {
    /// The port where none is said.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// Its name in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl HttpGrant {
    /// Reads `[SCHEME://]HOST[:PORT]`; without a scheme it is `https`, without a port the scheme's.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, InvalidServer> {
        Self::read(text).map_err(|fault| InvalidServer { text: text.to_owned(), fault })
    }

    fn read(text: &str) -> Result<Self, ServerFault> {
        let (scheme, rest) = match text.split_once("://") {
            None => (HttpScheme::Https, text),
            Some(("https", rest)) => (HttpScheme::Https, rest),
            Some(("http", rest)) => (HttpScheme::Http, rest),
            Some(_) => return Err(ServerFault::Scheme),
        };
        if rest.contains(['/', '?', '#', '@']) {
            return Err(ServerFault::More);
        }
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']').ok_or(ServerFault::Bracket)?;
                let address = address.parse().map_err(|_| ServerFault::Address)?;
                let port = match after {
                    "" => None,
                    after => Some(after.strip_prefix(':').ok_or(ServerFault::Port)?),
                };
                (HostPattern::Address(IpAddr::V6(address)), port)
            }
            None => {
                let (host, port) = match rest.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (rest, None),
                };
                (HostPattern::parse(host)?, port)
            }
        };
        let port = match port {
            None => scheme.port(),
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(ServerFault::Port),
            },
        };
        Ok(Self { scheme, host, port, is_private: false })
    }

    /// Whether it is for requests to this host, in lower case, and port.
    pub(crate) fn allows(&self, scheme: HttpScheme, host: &str, port: u16) -> bool {
        self.scheme == scheme && self.port == port && self.host.matches(host)
    }

    /// Whether the name may lead to addresses that are not public. Who writes an address, or `localhost`,
    /// means just that.
    pub(crate) fn allows_private(&self) -> bool {
        self.is_private
            || match &self.host {
                HostPattern::Address(_) => true,
                HostPattern::Name(name) => name == "localhost",
                HostPattern::Below(_) => false,
            }
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self, ServerFault> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        let (name, is_pattern) = match host.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (host, false),
        };
        let is_label = |label: &str| {
            let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !label.is_empty() && label.len() <= 63 && label.chars().all(is_letter)
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(ServerFault::Host);
        }
        // What looks like a number is an address to some, and to which one nobody agrees.
        let last = name.rsplit('.').next().unwrap_or_default();
        if last.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(ServerFault::Number);
        }
        if is_pattern && !name.contains('.') {
            return Err(ServerFault::Domain);
        }
        let name = name.to_ascii_lowercase();
        Ok(if is_pattern { Self::Below(format!(".{name}")) } else { Self::Name(name) })
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Address(address) => {
                let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
                host.parse() == Ok(*address)
            }
            Self::Name(name) => host == name,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(&**suffix),
        }
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.name())?;
        match &self.host {
            HostPattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            HostPattern::Address(address) => write!(f, "{address}")?,
            HostPattern::Name(name) => f.write_str(name)?,
            HostPattern::Below(suffix) => write!(f, "*{suffix}")?,
        }
        if self.port != self.scheme.port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for HttpGrant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entry;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            to: String,
            #[serde(default)]
            private: bool,
        }

        impl<'de> Visitor<'de> for Entry {
            type Value = HttpGrant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a server such as \"api.lab.example\", or { to = \"…\", private = true }",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<HttpGrant, E> {
                HttpGrant::parse(text).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HttpGrant, A::Error> {
                let Table { to, private } = Table::deserialize(MapAccessDeserializer::new(map))?;
                let grant = HttpGrant::parse(&to).map_err(A::Error::custom)?;
                Ok(HttpGrant { is_private: private, ..grant })
            }
        }

        from.deserialize_any(Entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(grant: &str, request: (HttpScheme, &str, u16)) -> bool {
        let (scheme, host, port) = request;
        HttpGrant::parse(grant).unwrap().allows(scheme, host, port)
    }

    #[test]
    fn a_grant_is_for_one_scheme_and_port_and_for_the_names_that_it_says() {
        use HttpScheme::{Http, Https};
        for (grant, request) in [
            ("api.lab.example", (Https, "api.lab.example", 443)),
            ("API.lab.example", (Https, "api.lab.example", 443)),
            ("api.lab.example:8443", (Https, "api.lab.example", 8443)),
            ("http://api.lab.example", (Http, "api.lab.example", 80)),
            ("https://*.lab.example:8443", (Https, "a.lab.example", 8443)),
            ("https://*.lab.example", (Https, "a.b.lab.example", 443)),
            ("http://127.0.0.1:9000", (Http, "127.0.0.1", 9000)),
            ("http://[::1]:9000", (Http, "[::1]", 9000)),
            ("https://[2001:DB8::1]", (Https, "[2001:db8:0::1]", 443)),
            ("localhost", (Https, "localhost", 443)),
        ] {
            assert!(allows(grant, request), "{grant} {request:?}");
        }
        for (grant, request) in [
            ("api.lab.example", (Http, "api.lab.example", 80)),
            ("api.lab.example", (Http, "api.lab.example", 443)),
            ("api.lab.example", (Https, "api.lab.example", 80)),
            ("api.lab.example", (Https, "api.lab.example.evil.example", 443)),
            ("api.lab.example", (Https, "xapi.lab.example", 443)),
            ("api.lab.example", (Https, "api.lab.example.", 443)),
            ("https://*.lab.example", (Https, "lab.example", 443)),
            ("https://*.lab.example", (Https, ".lab.example", 443)),
            ("https://*.lab.example", (Https, "evillab.example", 443)),
            ("http://127.0.0.1:9000", (Http, "localhost", 9000)),
            ("http://127.0.0.1:9000", (Http, "127.1", 9000)),
        ] {
            assert!(!allows(grant, request), "{grant} {request:?}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (text, why) in [
            ("", "no host"),
            ("*", "no host"),
            ("*.example", "whole domain"),
            ("a.*.example", "no host"),
            ("ftp://a.example", "scheme"),
            ("https://a.example/path", "more than"),
            ("https://user@a.example", "more than"),
            ("a.example:0", "port"),
            ("a.example:70000", "port"),
            ("a.example:", "port"),
            ("a b.example", "no host"),
            ("ä.example", "no host"),
            ("[::1", "`]`"),
            ("[::g]", "IPv6"),
            ("http://2130706433", "neither a name nor an address"),
            ("http://0x7f.1", "neither a name nor an address"),
            ("http://127.1", "neither a name nor an address"),
        ] {
            let refusal = HttpGrant::parse(text).unwrap_err().to_string();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_meant_or_said() {
        let entry = |text: &str| {
            #[derive(Deserialize)]
            struct Table {
                http: Vec<HttpGrant>,
            }
            let table: Table = toml::from_str(&format!("http = [{text}]")).unwrap();
            table.http[0].clone()
        };
        assert!(!entry("'api.lab.example'").allows_private());
        assert!(!entry("'https://*.lab.example'").allows_private());
        assert!(!entry("{ to = 'api.lab.example' }").allows_private());
        assert!(entry("{ to = 'api.lab.example', private = true }").allows_private());
        assert!(entry("'http://127.0.0.1:9000'").allows_private());
        assert!(entry("'http://localhost:9000'").allows_private());
        assert_eq!(entry("'http://[::1]:80'").to_string(), "http://[::1]");
        assert_eq!(entry("'https://*.lab.example:8443'").to_string(), "https://*.lab.example:8443");
    }
}
