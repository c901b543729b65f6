//! HTTPS: the certificate and its key, from PEM files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerConfig as RustlsConfig;
use tokio_rustls::TlsAcceptor;

use crate::config::ServerConfig;

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

/// `None` where neither file is configured.
pub(super) fn acceptor(config: &ServerConfig) -> Result<Option<TlsAcceptor>, TlsError> {
    let (certificate, key) = match (&config.tls_cert, &config.tls_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(TlsError::NoKey),
        (None, Some(_)) => return Err(TlsError::NoCertificate),
    };
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(bad_file(key, "private key"))?;
    let unusable = |source| TlsError::Unusable { file: certificate.clone(), source };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = RustlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(tls))))
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
