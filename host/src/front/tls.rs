//! HTTPS: the certificate and its key, and the authorities of clients' certificates, from PEM files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig as RustlsConfig};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::auth::{Certified, Holders};
use crate::config::ServerConfig;
use crate::files::FileIdentity;

/// How often to look whether a file has changed.
const POLL: Duration = Duration::from_secs(1);

/// Why a certificate, its key or the authorities of clients cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate without a key.
    #[error("a certificate without its key; give --tls-key too")]
    NoKey,
    /// A key without a certificate.
    #[error("a key without its certificate; give --tls-cert too")]
    NoCertificate,
    /// Clients are to have certificates, and the host has none.
    #[error("`tls_client_ca` is for HTTPS; give `tls_cert` and `tls_key` of [server] too")]
    NoTls,
    /// Callers are known by certificates, and nobody vouches for any.
    #[error(
        "[[callers.certificate]] needs `tls_client_ca` of [server], a file with the authorities that vouch for them"
    )]
    NoClientAuthority,
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
    /// Nobody can be trusted by them.
    #[error("the authorities in {} cannot be used: {source}", file.display())]
    Authorities {
        /// The file.
        file: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
}

/// What secures connections: replaced when its files are.
pub(super) struct Tls {
    files: Files,
    /// Which files there were just before they were read first.
    read: Identities,
    holders: Holders,
    current: ArcSwap<Current>,
}

/// What connections get from now on.
struct Current {
    config: Arc<RustlsConfig>,
    authorities: Vec<CertificateDer<'static>>,
    /// Cancelled when other authorities are trusted.
    replaced: CancellationToken,
}

/// Of the certificate, its key and the authorities of clients.
type Identities = [Option<FileIdentity>; 3];

#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    client_authorities: Option<PathBuf>,
}

impl Tls {
    /// What the configured files have; `None` where none are. `holders` are those whose certificates count.
    ///
    /// # Errors
    ///
    /// Where they cannot be used.
    pub(super) fn new(config: &ServerConfig, holders: Holders) -> Result<Option<Self>, TlsError> {
        let client_authorities = config.tls_client_ca.clone();
        if client_authorities.is_none() && !holders.is_empty() {
            return Err(TlsError::NoClientAuthority);
        }
        let files = match (&config.tls_cert, &config.tls_key) {
            (None, None) if client_authorities.is_some() => return Err(TlsError::NoTls),
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => {
                Files { certificate: certificate.clone(), key: key.clone(), client_authorities }
            }
            (Some(_), None) => return Err(TlsError::NoKey),
            (None, Some(_)) => return Err(TlsError::NoCertificate),
        };
        // What changes while they are read is noticed later.
        let read = files.identities();
        let current = ArcSwap::from_pointee(files.load()?);
        Ok(Some(Self { files, read, holders, current }))
    }

    /// Secures a connection, and says who it is from if its client has a certificate that names somebody.
    ///
    /// # Errors
    ///
    /// Where that fails: the client is not answered.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<Arc<Certified>>)> {
        let current = self.current.load_full();
        let stream = TlsAcceptor::from(Arc::clone(&current.config)).accept(stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certified = certificate.and_then(|it| self.holders.find(it, &current.replaced));
        Ok((stream, certified.map(Arc::new)))
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
        let mut seen = self.read;
        loop {
            let is_asked = tokio::select! {
                () = tokio::time::sleep(POLL) => false,
                () = next(hangup.as_mut()) => true,
            };
            let files = self.files.clone();
            let look = tokio::task::spawn_blocking(move || files.identities());
            let now = look.await.unwrap_or_default();
            if is_asked || now != seen {
                self.reload().await;
            }
            seen = now;
        }
    }

    /// Takes what is in the files if it can be used. Of a renewal that replaces one file after the other,
    /// the first does not fit the second for a moment; what is in use stays until they do.
    async fn reload(&self) {
        let files = self.files.clone();
        match tokio::task::spawn_blocking(move || files.load()).await {
            Ok(Ok(new)) => {
                self.replace(new);
                info!(file = %self.files.certificate.display(), "loaded the certificate");
            }
            Ok(Err(error)) => warn!(%error, "the certificate in use is kept"),
            Err(error) => warn!(%error, "reading the certificate failed; the one in use is kept"),
        }
    }

    /// What other authorities have vouched for counts no longer.
    fn replace(&self, new: Current) {
        let old = self.current.load();
        if new.authorities == old.authorities {
            let replaced = old.replaced.clone();
            self.current.store(Arc::new(Current { replaced, ..new }));
        } else {
            self.current.store(Arc::new(new));
            old.replaced.cancel();
        }
    }
}

async fn next(hangup: Option<&mut Signal>) {
    let Some(hangup) = hangup else { return std::future::pending().await };
    if hangup.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

impl Files {
    fn load(&self) -> Result<Current, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(&self.certificate)?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(bad_file(&self.key, "private key"))?;
        let unusable = |source| TlsError::Unusable { file: self.certificate.clone(), source };
        let certificate = CertifiedKey::from_der(chain, key, &provider).map_err(unusable)?;
        let authorities = match &self.client_authorities {
            Some(file) => certificates(file)?,
            None => Vec::new(),
        };
        let verifier = match &self.client_authorities {
            Some(file) => {
                let bad = |source| TlsError::Authorities { file: file.clone(), source };
                let mut roots = RootCertStore::empty();
                for authority in &authorities {
                    let bad = |e| TlsError::Unusable { file: file.clone(), source: e };
                    roots.add(authority.clone()).map_err(bad)?;
                }
                let builder = WebPkiClientVerifier::builder_with_provider(
                    roots.into(),
                    Arc::clone(&provider),
                );
                // Whoever has none may have a token.
                builder.allow_unauthenticated().build().map_err(bad)?
            }
            None => WebPkiClientVerifier::no_client_auth(),
        };
        let mut config = RustlsConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certificate)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let replaced = CancellationToken::new();
        Ok(Current { config: Arc::new(config), authorities, replaced })
    }

    /// Which files there are; what cannot be told is as nothing.
    fn identities(&self) -> Identities {
        let Self { certificate, key, client_authorities } = self;
        let files = [Some(certificate), Some(key), client_authorities.as_ref()];
        files.map(|file| FileIdentity::of(file?).ok().flatten())
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn what_changes_before_the_first_look_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| home.path().join(name));
        let renew = || {
            let made = rcgen::generate_simple_self_signed(vec!["lab".into()]).unwrap();
            fs::write(&cert, made.cert.pem()).unwrap();
            fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        };
        renew();
        let config = ServerConfig {
            tls_cert: Some(cert.clone()),
            tls_key: Some(key.clone()),
            ..ServerConfig::default()
        };
        let tls = Tls::new(&config, Holders::default()).unwrap().unwrap();
        let before = tls.current.load_full();
        renew();
        let is_replaced = async {
            while Arc::ptr_eq(&before, &tls.current.load_full()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = tls.keep_current() => {}
            () = is_replaced => return,
            () = tokio::time::sleep(Duration::from_secs(30)) => {}
        }
        panic!("the new certificate was not taken");
    }
}
