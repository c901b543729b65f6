//! HTTPS: the certificate and its key, from PEM files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig as RustlsConfig};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::config::ServerConfig;
use crate::files::FileIdentity;

/// How often to look whether a file has changed.
const POLL: Duration = Duration::from_secs(1);

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate without a key.
    #[error("a certificate without its key; give --tls-key too")]
    NoKey,
    /// A key without a certificate.
    #[error("a key without its certificate; give --tls-cert too")]
    NoCertificate,
    /// A file without what it should hold.
    #[error("{} has no {what} in PEM form: {source}", file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// A certificate or a private key.
        what: &'static str,
        /// What is there instead.
        source: pem::Error,
    },
    /// The two do not make a pair.
    #[error("{} and its key cannot be used: {source}", file.display())]
    Unusable {
        /// The certificate.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// What secures connections: a certificate that is replaced when its files are.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

/// The certificate that connections get from now on.
#[derive(Debug)]
struct Certificate {
    files: Files,
    current: ArcSwap<CertifiedKey>,
}

#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// What the configured files have; `None` where none are.
    ///
    /// # Errors
    ///
    /// Where they cannot be used.
    pub(super) fn new(config: &ServerConfig) -> Result<Option<Self>, TlsError> {
        let files = match (&config.tls_cert, &config.tls_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => {
                Files { certificate: certificate.clone(), key: key.clone() }
            }
            (Some(_), None) => return Err(TlsError::NoKey),
            (None, Some(_)) => return Err(TlsError::NoCertificate),
        };
        let current = ArcSwap::from_pointee(files.load()?);
        let certificate = Arc::new(Certificate { files, current });
        let mut tls = RustlsConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| certificate.files.unusable(e))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as _);
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(tls)), certificate }))
    }

    /// What accepts connections with the certificate of the moment.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Keeps to the files for as long as it is not dropped: takes what is put in their place, and at SIGHUP
    /// what is there. Connections that are open keep the certificate that they have.
    ///
    /// The files are looked at rather than watched: programs that renew certificates rename files, swap
    /// links and whole folders of them.
    pub(super) async fn keep_current(&self) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => Some(hangup),
            Err(error) => {
                warn!(%error, "SIGHUP will not reload the certificate; its files are looked at all the same");
                None
            }
        };
        let mut seen = self.certificate.files.identities().await;
        loop {
            let is_asked = tokio::select! {
                () = tokio::time::sleep(POLL) => false,
                () = next(hangup.as_mut()) => true,
            };
            let now = self.certificate.files.identities().await;
            if is_asked || now != seen {
                self.certificate.reload().await;
            }
            seen = now;
        }
    }
}

async fn next(hangup: Option<&mut Signal>) {
    let Some(hangup) = hangup else { return std::future::pending().await };
    if hangup.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

impl Certificate {
    /// Takes what is in the files if it can be used. Of a renewal that replaces one file after the other,
    /// the first does not fit the second for a moment; what is in use stays until they do.
    async fn reload(&self) {
        let files = self.files.clone();
        let loaded = tokio::task::spawn_blocking(move || files.load()).await;
        match loaded {
            Ok(Ok(new)) => {
                self.current.store(Arc::new(new));
                info!(file = %self.files.certificate.display(), "loaded the certificate");
            }
            Ok(Err(error)) => warn!(%error, "the certificate in use is kept"),
            Err(error) => warn!(%error, "reading the certificate failed; the one in use is kept"),
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Files {
    fn load(&self) -> Result<CertifiedKey, TlsError> {
        let chain = certificates(&self.certificate)?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(bad_file(&self.key, "private key"))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|e| self.unusable(e))
    }

    fn unusable(&self, source: rustls::Error) -> TlsError {
        TlsError::Unusable { file: self.certificate.clone(), source }
    }

    /// Which files there are; what cannot be told is as nothing.
    async fn identities(&self) -> [Option<FileIdentity>; 2] {
        let files = [self.certificate.clone(), self.key.clone()];
        let look = move || files.map(|file| FileIdentity::of(&file).ok().flatten());
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bad = bad_file(file, "certificate");
    let chain = CertificateDer::pem_file_iter(file).map_err(&bad)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(&bad)?;
    if chain.is_empty() { Err(bad(pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn bad_file(file: &Path, what: &'static str) -> impl Fn(pem::Error) -> TlsError {
    move |source| TlsError::Pem { file: file.into(), what, source }
}
