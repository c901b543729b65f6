//! Where the host is: its URL, who asks, and whom to trust. Sends nothing itself.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use reqwest::Url;

use crate::error::{Error, Result};

/// Where `tarp serve` listens unless told otherwise.
const DEFAULT: &str = "http://127.0.0.1:8080";

/// The port of a host whose address has neither a scheme nor a port.
const PORT: u16 = 8080;

/// The flags that say where the host is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Connection {
    /// The host: an address such as lab:8080, or a URL [default: http://127.0.0.1:8080]
    #[arg(long, global = true, env = "TARP_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The authorities to trust for https, in PEM form, in place of the system's
    #[arg(long, global = true, env = "TARP_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// A file with the token to send, in place of the variable TARP_TOKEN
    #[arg(long, global = true, env = "TARP_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// How a request says who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    None,
    Bearer(String),
    Basic(String, String),
}

/// The URL of a host, without what is secret in it.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    url: Url,
    pub(crate) credentials: Credentials,
    /// Whether commands find this host without being told.
    is_usual: bool,
}

/// Whether a word of the command line is meant as the address of a host, which no procedure's name looks
/// like: a URL, `host:8080`, `user:password@host`, an IP address, `localhost`.
pub(crate) fn is_address(word: &str) -> bool {
    if word.contains("://") {
        return true;
    }
    let authority = word.split('/').next().unwrap_or_default();
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let has_port = host.rsplit_once(':').is_some_and(|(name, port)| {
        !name.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let is_ip = name.parse::<IpAddr>().is_ok();
    host == "localhost" || has_port || is_ip || user.is_some_and(|user| !user.is_empty())
}

/// An address as a URL, with the usual scheme and port where it has none.
fn with_scheme(text: &str) -> Result<Url, impl std::fmt::Display + use<>> {
    if text.contains("://") {
        return Url::parse(text);
    }
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let is_bare_v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
    let host = if is_bare_v6 { format!("[{host}]") } else { host.to_owned() };
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let port = if has_port { String::new() } else { format!(":{PORT}") };
    Url::parse(&format!("http://{user}{host}{port}{path}"))
}

impl Connection {
    /// The host that is meant, and the token for it: `TARP_TOKEN`, or what is in the file. There is no flag
    /// for the token itself, since every user of the machine can read the command lines of all.
    pub(crate) fn address(&self) -> Result<Address> {
        let usual = std::env::var("TARP_URL").unwrap_or_else(|_| DEFAULT.to_owned());
        let text = self.url.as_deref().unwrap_or(DEFAULT);
        let mut address = Address::parse(text, self.token()?)?;
        address.is_usual = text == usual;
        Ok(address)
    }
}

impl Connection {
    fn token(&self) -> Result<Option<String>> {
        let token = match &self.token_file {
            None => std::env::var("TARP_TOKEN").unwrap_or_default(),
            Some(file) => std::fs::read_to_string(file).map_err(|e| {
                Error::Usage(format!("cannot read the token in {}: {e}", file.display()))
            })?,
        };
        let token = token.trim();
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let from = self
                .token_file
                .as_ref()
                .map_or_else(|| "TARP_TOKEN".to_owned(), |file| file.display().to_string());
            let message =
                format!("{from} holds no token: one is a word of visible ASCII characters");
            return Err(Error::Usage(message));
        }
        Ok((!token.is_empty()).then(|| token.to_owned()))
    }
}

impl Address {
    /// Reads a URL; user and password in it win over the token.
    pub(crate) fn parse(text: &str, token: Option<String>) -> Result<Self> {
        let wrong = |why: &str| {
            Error::Usage(format!("{why}; the address of a host is such as lab:8080 or {DEFAULT}"))
        };
        // Where a password may be in it, it is not repeated.
        let shown = if text.contains('@') { "this".into() } else { format!("{text:?}") };
        let mut url =
            with_scheme(text).map_err(|e| wrong(&format!("{shown} is no address: {e}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(&format!("{shown} does not begin with http:// or https://")));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("the address of a host has neither a query nor a fragment"));
        }
        let user = decoded(url.username());
        let password = decoded(url.password().unwrap_or_default());
        let credentials = match token {
            _ if !user.is_empty() || !password.is_empty() => Credentials::Basic(user, password),
            Some(token) => Credentials::Bearer(token),
            None => Credentials::None,
        };
        let forgotten = url.set_username("").and_then(|()| url.set_password(None));
        forgotten.map_err(|()| wrong("this URL has no host"))?;
        Ok(Self { url, credentials, is_usual: false })
    }

    /// The URL of a page of the host, below any path that its own URL has.
    pub(crate) fn page(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/').filter(|segment| !segment.is_empty()));
        }
        url
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is this machine, to which no proxy leads.
    pub(crate) fn is_local(&self) -> bool {
        let name = self.url.host_str().unwrap_or_default();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// What a command must be told to find this host, where that is anything.
    pub(crate) fn unusual(&self) -> Option<String> {
        (!self.is_usual).then(|| self.to_string())
    }

    /// The command line by which to come back to this host: `tarp jobs`, with `--url` where needed.
    pub(crate) fn jobs_command(&self) -> String {
        if self.is_usual { "tarp jobs".into() } else { format!("tarp jobs --url {self}") }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        Address::parse(text, Some("secret".into())).unwrap()
    }

    #[test]
    fn what_is_secret_in_a_url_is_sent_and_never_shown() {
        let address = parse("https://ada:p%40ss@lab.example:8443/tarp/");
        assert_eq!(address.credentials, Credentials::Basic("ada".into(), "p@ss".into()));
        assert_eq!(address.to_string(), "https://lab.example:8443/tarp");
        assert_eq!(address.jobs_command(), "tarp jobs --url https://lab.example:8443/tarp");
        assert_eq!(parse("http://[::1]:1").credentials, Credentials::Bearer("secret".into()));
    }

    #[test]
    fn pages_are_below_the_path_of_the_host() {
        assert_eq!(parse("http://h").page("/-/jobs").as_str(), "http://h/-/jobs");
        assert_eq!(parse("http://h/a/").page("stats/mean").as_str(), "http://h/a/stats/mean");
        assert_eq!(parse("http://h/a").page("é ?").as_str(), "http://h/a/%C3%A9%20%3F");
    }

    #[test]
    fn this_machine_is_known_by_every_name() {
        for local in
            ["http://localhost:1", "http://127.0.0.1", "http://127.8.0.1", "http://[::1]:1"]
        {
            assert!(parse(local).is_local(), "{local}");
        }
        assert!(!parse("http://192.168.0.1").is_local());
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for wrong in ["ftp://h", "http://", "", "lab:99999", "lab:8080?x=1", "a b:1"] {
            let error = Address::parse(wrong, None).unwrap_err();
            assert!(error.to_string().contains(DEFAULT), "{error}");
        }
        let secret = Address::parse("ada:pass:word@", None).unwrap_err().to_string();
        assert!(!secret.contains("pass"), "{secret}");
    }

    #[test]
    fn an_address_needs_no_scheme() {
        for (text, url) in [
            ("lab:8080", "http://lab:8080"),
            ("lab:80/tarp", "http://lab/tarp"),
            ("localhost", "http://localhost:8080"),
            ("127.0.0.1:1", "http://127.0.0.1:1"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("[::1]", "http://[::1]:8080"),
            ("::1", "http://[::1]:8080"),
            ("ada:p%40ss@lab:1", "http://lab:1"),
            ("ada@lab", "http://lab:8080"),
            ("http://lab", "http://lab"),
        ] {
            assert!(is_address(text), "{text}");
            assert_eq!(parse(text).to_string(), url, "{text}");
        }
        assert_eq!(
            parse("ada:p%40ss@lab:1").credentials,
            Credentials::Basic("ada".into(), "p@ss".into())
        );
        for name in ["stats/mean", "mean", "lab", "a=b:1", "@file", "stats:mean", ""] {
            assert_eq!(is_address(name), name == "a=b:1", "{name}");
        }
    }
}
