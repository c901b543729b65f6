//! HTTPS: the certificate and its key, from PEM files.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerConfig as RustlsConfig;
use tokio_rustls::TlsAcceptor;

use crate::config::ServerConfig;

/// `None` where neither file is configured.
pub(super) fn acceptor(config: &ServerConfig) -> Result<Option<TlsAcceptor>> {
    let (cert, key) = match (&config.tls_cert, &config.tls_key) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => bail!("a certificate without its key; give --tls-key too"),
        (None, Some(_)) => bail!("a key without its certificate; give --tls-cert too"),
    };
    let chain = certificates(cert)?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("{} has no private key in PEM form", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = RustlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| format!("{} and its key cannot be used", cert.display()))?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(tls))))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = || format!("{} has no certificate in PEM form", path.display());
    let chain = CertificateDer::pem_file_iter(path)
        .with_context(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .with_context(unreadable)?;
    if chain.is_empty() {
        bail!(unreadable());
    }
    Ok(chain)
}
