//! Requests that guests send: to the servers that they were granted, and to no others.
//!
//! [`Outgoing`] is the one way out. It reads the list, [`connect`] makes the connection, [`secret`](super::secret) puts
//! secrets into headers, [`body`] bounds what goes and comes. Redirects are the guest's own affair: where it
//! follows one, that is another request.

mod address;
mod body;
mod connect;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue, TE};
use hyper::http::uri::Scheme;
use hyper::{Method, Uri};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiHttpHooks,
};

use super::debt::{Debt, MAX_WRITE};
use super::grants::Grants;
use super::hints::Hints;
use super::messages::GuestBody;
use super::secret::{Secret, placeholder, reveal};
use super::target::Target;
use crate::budget::{Charge, MemoryBudget, Purpose};
use crate::config::{HttpGrant, HttpScheme};
use body::{Received, Sent};
use connect::CONNECT_TIMEOUT;

pub(super) use connect::Connector;

/// Requests of one call that are under way at once.
const MAX_REQUESTS: usize = 16;

/// Bytes of the head of a response, and what is read ahead of its body.
const MAX_HEAD: usize = 64 << 10;

/// Header fields of a response.
const MAX_FIELDS: usize = 200;

/// For a response to begin, and between two parts of its body, where the guest does not say.
const READ_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Bytes that a request takes in the host beside its body.
const REQUEST: usize = 4 * MAX_HEAD;

/// The requests of one call.
pub(super) struct Outgoing {
    grants: Arc<Grants>,
    connector: Arc<Connector>,
    hints: Hints,
    debt: Debt,
    budget: MemoryBudget,
    /// For this call's requests.
    requests: OnceLock<Arc<Semaphore>>,
    /// What connections take is shared with files.
    open_files: Arc<Semaphore>,
    placeholders: OnceLock<Vec<String>>,
}

/// What a request holds for as long as its response lasts.
type Held = (AbortOnDropHandle<()>, OwnedSemaphorePermit, OwnedSemaphorePermit, Charge);

/// A response, and what its connection comes to.
type Answer = (hyper::Response<GuestBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl Outgoing {
    pub(super) fn new(
        grants: &Arc<Grants>,
        connector: &Arc<Connector>,
        (hints, debt): (&Hints, &Debt),
        budget: &MemoryBudget,
        open_files: &Arc<Semaphore>,
    ) -> Self {
        Self {
            grants: Arc::clone(grants),
            connector: Arc::clone(connector),
            hints: hints.clone(),
            debt: debt.clone(),
            budget: budget.clone(),
            requests: OnceLock::new(),
            open_files: Arc::clone(open_files),
            placeholders: OnceLock::new(),
        }
    }

    /// What stands for the secrets in this call, by their names.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = (&str, &str)> {
        let made = self.made_placeholders().iter().map(|placeholder| &**placeholder);
        self.grants.secrets.iter().map(Secret::name).zip(made)
    }

    fn made_placeholders(&self) -> &[String] {
        let make = || self.grants.secrets.iter().map(|_| placeholder()).collect();
        self.placeholders.get_or_init(make)
    }

    /// For what a request takes in the host beside what is sent on.
    pub(super) fn charge(&self) -> Charge {
        self.budget.charge(Purpose::Work)
    }

    /// Where a request goes, if it may.
    fn target(&self, uri: &Uri) -> Result<Target, Error> {
        let scheme = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => HttpScheme::Http,
            Some(scheme) if *scheme == Scheme::HTTPS => HttpScheme::Https,
            _ => return Err(Error::HttpProtocolError),
        };
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        let host = authority.host().to_ascii_lowercase();
        // All of it must be understood: a name before the host would be part of the header `Host`.
        let rest = authority.as_str().strip_prefix(authority.host());
        let port = match rest.ok_or(Error::HttpRequestUriInvalid)? {
            "" => scheme.port(),
            rest => {
                let port = rest.strip_prefix(':').and_then(|port| port.parse::<u16>().ok());
                port.filter(|port| *port > 0).ok_or(Error::HttpRequestUriInvalid)?
            }
        };
        let mut target = Target { scheme, host, port, is_private: false };
        let allowing = self.grants.http.iter().filter(|g| g.allows(scheme, &target.host, port));
        let allowing: Vec<&HttpGrant> = allowing.collect();
        if allowing.is_empty() {
            self.hint(&target, "was not granted", |server| format!("\"{server}\""));
            return Err(Error::HttpRequestDenied);
        }
        target.is_private = allowing.iter().any(|grant| grant.allows_private());
        Ok(target)
    }

    /// Says what would grant a server.
    fn hint(&self, target: &Target, why: &str, entry: impl Fn(&HttpGrant) -> String) {
        let Target { scheme, host, port, .. } = target;
        let Ok(server) = HttpGrant::parse(&format!("{}://{host}:{port}", scheme.name())) else {
            self.hints.add("it sent a request to what is no server that could be granted");
            return;
        };
        self.hints.add(format!(
            "it sent a request to {server}, which {why}; under `[grants]` of its sidecar, `http = [{}]` \
             grants it",
            entry(&server)
        ));
    }

    /// What a request needs to be sent, and the request as it is sent.
    fn begin(
        &self,
        request: hyper::Request<GuestBody>,
    ) -> Result<(hyper::Request<Sent>, Target), Error> {
        let target = self.target(request.uri())?;
        let (mut head, body) = request.into_parts();
        // They ask a server to pass something on, or to send back what it was sent.
        if head.method == Method::CONNECT || head.method == Method::TRACE {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let host = match target.port == target.scheme.port() {
            true => target.host.clone(),
            false => format!("{}:{}", target.host, target.port),
        };
        let host = HeaderValue::try_from(host).map_err(|_| Error::HttpRequestUriInvalid)?;
        head.headers.insert(HOST, host);
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        head.uri = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
        let (secrets, placeholders) = (&self.grants.secrets, self.made_placeholders());
        reveal(&mut head.headers, &target, secrets, placeholders).map_err(|not| {
            self.hints.add(format!(
                "it sent the secret `{}` to {}, which is none of its servers; `to` of the secret in its \
                 sidecar names them",
                not.secret, target.host
            ));
            Error::HttpRequestDenied
        })?;
        let request = hyper::Request::from_parts(head, Sent::new(body, self.debt.clone()));
        Ok((request, target))
    }

    /// Room for one more request.
    fn hold(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit, Charge), Error> {
        let permit = |permits: &Arc<Semaphore>| {
            Arc::clone(permits).try_acquire_owned().map_err(|_| Error::ConnectionLimitReached)
        };
        let requests = self.requests.get_or_init(|| Arc::new(Semaphore::new(MAX_REQUESTS)));
        let own = permit(requests).inspect_err(|_| {
            self.hints.add(format!(
                "it had {MAX_REQUESTS} requests under way at once, which is the most"
            ));
        })?;
        let shared = permit(&self.open_files)?;
        let mut charge = self.budget.charge(Purpose::Work);
        if let Err(no_room) = charge.take(REQUEST) {
            self.hints.add(no_room.to_string());
            return Err(Error::ConnectionLimitReached);
        }
        Ok((own, shared, charge))
    }
}

/// Sends a request, and waits for the head of the response.
async fn send(
    connector: Arc<Connector>,
    request: hyper::Request<Sent>,
    target: &Target,
    options: RequestOptions,
    debt: Debt,
    (own, shared, charge): (OwnedSemaphorePermit, OwnedSemaphorePermit, Charge),
) -> Result<Answer, Error> {
    let timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
    let stream = connector.connect(target, timeout).await?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Error::HttpProtocolError)?;
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        if let Err(error) = connection.await {
            debug!(%error, "a connection to a granted server failed");
        }
    }));
    let read = |timeout: Option<Duration>| timeout.unwrap_or(READ_TIMEOUT).min(READ_TIMEOUT);
    let response =
        tokio::time::timeout(read(options.first_byte_timeout), sender.send_request(request));
    let response = response.await.map_err(|_| Error::ConnectionReadTimeout)?;
    let response = response.map_err(|error| broken(&error))?;
    // What reads it is bounded by what it reads at once, which may be somewhat more.
    let sizes = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if sizes.sum::<usize>() > MAX_HEAD {
        return Err(Error::HttpResponseHeaderSectionSize(None));
    }
    let held: Held = (connection, own, shared, charge);
    let pause = read(options.between_bytes_timeout);
    let response = response.map(|body| Received::new(body, debt, pause, held).boxed_unsync());
    // The connection is driven by its own task, for as long as the response's body lasts.
    Ok((response, Box::new(async { Ok(()) })))
}

/// Why a request was not answered.
fn broken(error: &hyper::Error) -> Error {
    let own = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>());
    match own {
        Some(Error::HttpRequestBodySize(size)) => Error::HttpRequestBodySize(*size),
        _ if error.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(None),
        _ if error.is_incomplete_message() || error.is_closed() => Error::ConnectionTerminated,
        _ => Error::HttpProtocolError,
    }
}

impl WasiHttpHooks for Outgoing {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_WRITE
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_WRITE
    }

    /// What concerns one connection, which is the host's.
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| DEFAULT_FORBIDDEN_HEADERS.contains(name) || *name == TE)
    }

    fn send_request(
        &mut self,
        request: hyper::Request<GuestBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let begun = self.begin(request).and_then(|begun| Ok((begun, self.hold()?)));
        let ((request, target), held) = match begun {
            Ok(begun) => begun,
            Err(error) => return Box::new(async move { Err(error) }),
        };
        let (connector, debt) = (Arc::clone(&self.connector), self.debt.clone());
        let hints = self.hints.clone();
        let options = options.unwrap_or_default();
        Box::new(async move {
            let sent = send(connector, request, &target, options, debt, held).await;
            sent.inspect_err(|error| explain(error, &target, &hints))
        })
    }
}

/// What the operator can do about a request that failed.
fn explain(error: &Error, target: &Target, hints: &Hints) {
    let host = &target.host;
    match error {
        Error::DestinationIpProhibited => hints.add(format!(
            "`{host}` leads to an address that is not public; under `[grants]` of its sidecar, `http = \
             [{{ to = \"{}://{host}:{}\", private = true }}]` grants that",
            target.scheme.name(),
            target.port
        )),
        Error::TlsCertificateError => hints.add(format!(
            "the certificate of `{host}` is from no authority that the host trusts, or is not for that \
             name; `authorities` under `[outgoing]` of the host's configuration names further ones"
        )),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::Empty;

    use super::*;

    fn outgoing(http: &[&str]) -> Outgoing {
        let http = http.iter().map(|server| HttpGrant::parse(server).unwrap()).collect();
        let grants = Arc::new(Grants { http, ..Grants::default() });
        let connector = Arc::new(Connector::new(Vec::new()));
        let (hints, debt) = (Hints::default(), Debt::default());
        let (budget, files) = (MemoryBudget::unlimited(), Arc::new(Semaphore::new(1)));
        Outgoing::new(&grants, &connector, (&hints, &debt), &budget, &files)
    }

    #[test]
    fn where_a_request_goes_is_all_of_its_authority() {
        let outgoing = outgoing(&["api.lab.example", "http://127.0.0.1:9000"]);
        for (uri, host, port) in [
            ("https://API.lab.example/x", "api.lab.example", 443),
            ("https://api.lab.example:443", "api.lab.example", 443),
            ("http://127.0.0.1:9000/", "127.0.0.1", 9000),
        ] {
            let target = outgoing.target(&uri.parse().unwrap()).unwrap();
            assert_eq!((&*target.host, target.port), (host, port));
        }
        for refused in [
            "http://api.lab.example/",
            "https://api.lab.example:8443/",
            "https://me@api.lab.example/",
            "https://api.lab.example@evil.example/",
            "https://api.lab.example:99999/",
            "https://api.lab.example:0/",
            "https://evil.example/",
            "/",
        ] {
            let Ok(uri) = refused.parse::<Uri>() else { continue };
            assert!(outgoing.target(&uri).is_err(), "{refused}");
        }
        let hints = outgoing.hints.all().join("\n");
        assert!(hints.contains(r#"`http = ["https://evil.example"]` grants it"#), "{hints}");
    }

    #[test]
    fn the_host_says_whom_it_asks_for() {
        let outgoing = outgoing(&["http://127.0.0.1:9000"]);
        let request = |method: &str, uri: &str| {
            let empty = Empty::new().map_err(|never: Infallible| -> Error { match never {} });
            let request = hyper::Request::builder().method(method).uri(uri);
            request.header(HOST, "evil.example").body(empty.boxed_unsync()).unwrap()
        };
        let (sent, _) = outgoing.begin(request("GET", "http://127.0.0.1:9000?a=1")).unwrap();
        assert_eq!(sent.headers()[HOST], "127.0.0.1:9000");
        assert_eq!(sent.headers().get_all(HOST).iter().count(), 1);
        assert_eq!(sent.uri(), "/?a=1");
        for method in ["CONNECT", "TRACE"] {
            let refused = outgoing.begin(request(method, "http://127.0.0.1:9000/"));
            assert!(matches!(refused, Err(Error::HttpRequestMethodInvalid)), "{method}");
        }
    }
}
