//! Connections to servers that were granted: the address that is checked is the one that is connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, Semaphore};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

use super::super::target::Target;
use super::address::is_public;
use crate::config::HttpScheme;

/// For a name to be looked up, a connection to be made, and TLS to be agreed on, together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Addresses of one name that are tried.
const MAX_TRIED: usize = 4;

/// Names that are looked up at once: each takes a thread, and may take long.
const MAX_LOOKUPS: usize = 32;

/// Looks names up.
pub(super) trait Resolve: Send + Sync {
    /// The addresses of a name.
    fn resolve(&self, name: String) -> Lookup;
}

pub(super) type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// As the operating system does.
struct System;

impl Resolve for System {
    fn resolve(&self, name: String) -> Lookup {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Makes connections for the guests of a host.
pub(in crate::sandbox) struct Connector {
    resolver: Box<dyn Resolve>,
    lookups: Semaphore,
    /// Authorities that are trusted beside those of the operating system.
    authorities: Vec<CertificateDer<'static>>,
    /// Made when the first guest needs it, since it reads files.
    tls: OnceCell<Arc<ClientConfig>>,
}

/// A connection, in the clear or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Connector {
    pub(in crate::sandbox) fn new(authorities: Vec<CertificateDer<'static>>) -> Self {
        Self::with(System, authorities)
    }

    fn with(resolver: impl Resolve + 'static, authorities: Vec<CertificateDer<'static>>) -> Self {
        let lookups = Semaphore::new(MAX_LOOKUPS);
        Self { resolver: Box::new(resolver), lookups, authorities, tls: OnceCell::new() }
    }

    /// Connects within the time.
    pub(super) async fn connect(
        &self,
        target: &Target,
        timeout: Duration,
    ) -> Result<Box<dyn Stream>, Error> {
        let connecting = async {
            let stream = self.reach(target).await?;
            match target.scheme {
                HttpScheme::Http => Ok(Box::new(stream) as Box<dyn Stream>),
                HttpScheme::Https => self.secure(target, stream).await,
            }
        };
        let connected = tokio::time::timeout(timeout.min(CONNECT_TIMEOUT), connecting).await;
        connected.unwrap_or(Err(Error::ConnectionTimeout))
    }

    async fn reach(&self, target: &Target) -> Result<TcpStream, Error> {
        let addresses = self.addresses(target).await?;
        let mut failure = Error::DestinationUnavailable;
        for address in addresses.into_iter().take(MAX_TRIED) {
            match TcpStream::connect(SocketAddr::new(address, target.port)).await {
                Ok(stream) => {
                    // It would hold back the last bytes of a request.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => failure = refusal(&error),
            }
        }
        Err(failure)
    }

    /// The addresses of a host that may be connected to.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Error> {
        let found = match bare(&target.host).parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => {
                let _permit = self.lookups.acquire().await.map_err(|_| Error::DnsTimeout)?;
                let found = self.resolver.resolve(target.host.clone()).await;
                found.map_err(|_| Error::DnsError { rcode: None, info_code: None })?
            }
        };
        if found.is_empty() {
            return Err(Error::DestinationNotFound);
        }
        let may = |address: &IpAddr| {
            let address = address.to_canonical();
            is_public(address)
                || (target.is_private && !address.is_multicast() && !address.is_unspecified())
        };
        let allowed: Vec<_> = found.into_iter().filter(may).collect();
        if allowed.is_empty() { Err(Error::DestinationIpProhibited) } else { Ok(allowed) }
    }

    async fn secure(&self, target: &Target, stream: TcpStream) -> Result<Box<dyn Stream>, Error> {
        let name = bare(&target.host).to_owned();
        let name = ServerName::try_from(name).map_err(|_| Error::HttpRequestUriInvalid)?;
        let config = self.tls.get_or_try_init(|| self.tls_config()).await?;
        let secured = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
        let secured = secured.map_err(|error| {
            let reason = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
            match reason {
                Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
                _ => Error::TlsProtocolError,
            }
        })?;
        Ok(Box::new(secured))
    }

    /// Trusts what the operating system does, and the operator's own authorities.
    async fn tls_config(&self) -> Result<Arc<ClientConfig>, Error> {
        let authorities = self.authorities.clone();
        let made = tokio::task::spawn_blocking(move || {
            let provider = Arc::new(ring::default_provider());
            let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(&provider))?;
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth();
            Ok::<_, rustls::Error>(Arc::new(config))
        });
        match made.await {
            Ok(Ok(config)) => Ok(config),
            _ => Err(Error::ConfigurationError),
        }
    }
}

fn refusal(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Error::DestinationIpUnroutable
        }
        _ => Error::DestinationUnavailable,
    }
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;

    /// Gives one answer after another, the last one again and again, and counts the questions.
    struct Answers {
        answers: Mutex<Vec<Vec<IpAddr>>>,
        asked: Arc<AtomicUsize>,
    }

    impl Resolve for Answers {
        fn resolve(&self, _: String) -> Lookup {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let mut answers = self.answers.lock().unwrap();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            Box::pin(async move { Ok(answer) })
        }
    }

    fn connector(answers: &[&[&str]]) -> (Connector, Arc<AtomicUsize>) {
        let asked = Arc::<AtomicUsize>::default();
        let addresses = |answer: &&[&str]| answer.iter().map(|a| a.parse().unwrap()).collect();
        let answers = Mutex::new(answers.iter().map(addresses).collect());
        let resolver = Answers { answers, asked: Arc::clone(&asked) };
        (Connector::with(resolver, Vec::new()), asked)
    }

    fn target(port: u16, is_private: bool) -> Target {
        Target { scheme: HttpScheme::Http, host: "lab.example".into(), port, is_private }
    }

    async fn connect(connector: &Connector, target: &Target) -> Result<Box<dyn Stream>, Error> {
        connector.connect(target, Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_or_its_network_is_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for answer in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "10.1.2.3"] {
            let (connector, _) = connector(&[&[answer]]);
            let failure = connect(&connector, &target(port, false)).await.err().unwrap();
            assert!(matches!(failure, Error::DestinationIpProhibited), "{answer}: {failure}");
        }
        let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "nothing was connected to");
        let (connector, _) = connector(&[&["127.0.0.1"]]);
        connect(&connector, &target(port, true)).await.ok().unwrap();
        let (connector, _) = connector_with_none();
        let failure = connect(&connector, &target(port, true)).await.err().unwrap();
        assert!(matches!(failure, Error::DestinationNotFound), "{failure}");
    }

    fn connector_with_none() -> (Connector, Arc<AtomicUsize>) {
        connector(&[&[]])
    }

    #[tokio::test]
    async fn an_answer_that_changes_between_the_check_and_the_connection_changes_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Public at the first question, this machine at every other: a second question would be answered
        // with what the first one was checked for.
        let (connector, asked) = connector(&[&["192.0.2.1"], &["127.0.0.1"]]);
        let found = connector.addresses(&target(port, false)).await;
        assert!(matches!(found, Err(Error::DestinationIpProhibited)));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let (connector, asked) = self::connector(&[&["1.1.1.1"], &["127.0.0.1"]]);
        let found = connector.addresses(&target(port, false)).await.unwrap();
        assert_eq!(found, ["1.1.1.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        // Every connection asks once, and is made to what was answered then.
        let (connector, asked) = self::connector(&[&["127.0.0.1"], &["192.0.2.1"]]);
        connect(&connector, &target(port, true)).await.ok().unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn of_several_addresses_only_those_that_may_be_are_tried() {
        let (connector, _) = connector(&[&["127.0.0.1", "1.1.1.1", "fe80::1", "2606:4700::1111"]]);
        let found = connector.addresses(&target(80, false)).await.unwrap();
        assert_eq!(found, ["1.1.1.1", "2606:4700::1111"].map(|a| a.parse::<IpAddr>().unwrap()));
        let never = Target { host: "224.0.0.1".into(), ..target(80, true) };
        let found = connector.addresses(&never).await;
        assert!(matches!(found, Err(Error::DestinationIpProhibited)), "nobody speaks HTTP there");
    }
}
