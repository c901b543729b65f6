//! Requests to one host, and what can go wrong on the way to it. Knows no command.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::address::{Address, Connection, Credentials};
use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::error_reply::ErrorReply;
use crate::tls;

/// A host that does not even accept a connection by then is not there.
const CONNECT: Duration = Duration::from_secs(10);

/// How long to try again before the host counts as gone.
pub(crate) const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Requests to one host.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) address: Address,
}

/// Pauses between attempts, each longer than the last, for as long as [`RETRY_TIMEOUT`].
#[derive(Debug)]
pub(crate) struct Attempts {
    since: Instant,
    pause: Duration,
}

impl Attempts {
    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), pause: FIRST_PAUSE }
    }

    /// Waits for the next attempt; false where there is to be none.
    pub(crate) async fn next(&mut self) -> bool {
        if self.since.elapsed() + self.pause > RETRY_TIMEOUT {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(MAX_PAUSE);
        true
    }
}

impl Client {
    pub(crate) fn new(connection: &Connection) -> Result<Self> {
        let address = connection.address()?;
        // The host may run in this same program's library, and have chosen already: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tarp/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(Policy::none());
        if address.is_local() {
            builder = builder.no_proxy();
        }
        builder = match &connection.ca {
            Some(file) => builder.tls_backend_preconfigured(tls::trusting(file)?),
            // Without TLS there is no need for the system to have any certificates.
            None if !address.is_https() => builder.tls_certs_only([]),
            None => builder,
        };
        let http = builder.build().map_err(|e| {
            Error::Unreachable(format!("cannot prepare for {address}: {}", causes(&e)))
        })?;
        Ok(Self { http, address })
    }

    /// A request that is yet to be sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.at(method, self.address.page(path))
    }

    /// The same, with a query.
    pub(crate) fn with_query(
        &self,
        method: Method,
        path: &str,
        query: &[(String, String)],
    ) -> RequestBuilder {
        let mut url = self.address.page(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.at(method, url)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// A request to a URL of the host.
    pub(crate) fn at(&self, method: Method, url: reqwest::Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.address.credentials {
            Credentials::None => request,
            Credentials::Bearer(token) => request.bearer_auth(token),
            Credentials::Basic(user, password) => request.basic_auth(user, Some(password)),
        }
    }

    /// Sends a request; gives the answer as soon as it begins, whatever it is.
    pub(crate) async fn open(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|e| self.lost(&e))?;
        if response.status().is_redirection() {
            let target = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let target = target.unwrap_or("somewhere else");
            let message = format!("{} is not a host: it leads to {target}", self.address);
            return Err(Error::Unreachable(message));
        }
        Ok(response)
    }

    /// Sends a request; gives its answer, whatever it is.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let mut response = self.open(request).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.lost(&e))? {
            body.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        Ok(Answer { status, headers: std::mem::take(response.headers_mut()), body })
    }

    /// Sends a request that may be repeated, until the host itself answers it.
    ///
    /// A lost connection, a proxy that answers in the host's place, and a host that starts or stops
    /// are waited out.
    pub(crate) async fn send_safely(&self, request: impl Fn() -> RequestBuilder) -> Result<Answer> {
        let mut attempts = Attempts::new();
        loop {
            let outcome = match self.send(request()).await {
                Ok(answer) if says_later(&answer) => Ok(answer),
                Ok(answer) if answer.is_of_a_host() => return Ok(answer),
                Ok(answer) => Err(self.nonsense(&format!("the status {}", answer.status))),
                Err(error) => Err(error),
            };
            if !attempts.next().await {
                return outcome;
            }
        }
    }

    /// The same, for the JSON of its success.
    pub(crate) async fn json_safely(&self, request: impl Fn() -> RequestBuilder) -> Result<Value> {
        self.json_in(&self.send_safely(request).await?)
    }

    /// Sends a request; gives the JSON of its success.
    pub(crate) async fn json(&self, request: RequestBuilder) -> Result<Value> {
        self.json_in(&self.send(request).await?)
    }

    fn json_in(&self, answer: &Answer) -> Result<Value> {
        if let Some(failure) = ErrorReply::of(answer) {
            return Err(failure.into());
        }
        match serde_json::from_slice(&answer.body) {
            Ok(value) if answer.status < 300 => Ok(value),
            _ => Err(self.nonsense(&format!("the status {} without JSON", answer.status))),
        }
    }

    /// Whoever answers is no TARP host, or not of our time.
    pub(crate) fn nonsense(&self, what: &str) -> Error {
        let host = &self.address;
        Error::Unreachable(format!("{host} does not answer as a TARP host does, but with {what}"))
    }

    /// A request that got no answer.
    fn lost(&self, error: &reqwest::Error) -> Error {
        let (host, why) = (&self.address, causes(error));
        if why.contains("certificate") {
            let cure = "--ca FILE says whom to trust";
            return Error::Unreachable(format!("{host} is not to be trusted: {why}; {cure}"));
        }
        if error.is_connect() || error.is_timeout() {
            let question = format!("is `tarp serve` running at {host}?");
            return Error::Unreachable(format!("cannot reach {host}: {why}; {question}"));
        }
        Error::Unreachable(format!("lost the connection to {host}: {why}"))
    }
}

/// Whether an answer says only that the host is starting, stopping or full.
fn says_later(answer: &Answer) -> bool {
    ErrorReply::of(answer).is_some_and(|failure| failure.is_of_the_moment())
}

/// The innermost cause, which says what happened; those around it say only where.
fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
