//! A private authority, and the certificates that it signs.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use tarp_host::files::write_private;
use time::{Duration, OffsetDateTime};

/// For how long a certificate is valid: no longer than Mozilla's profiles for servers have it.
pub(super) const DAYS: i64 = 366;

/// For how long the authority is: clients are told to trust it once.
const AUTHORITY_DAYS: i64 = 3650;

/// A certificate and its key, as PEM files.
pub(super) struct Pair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What signs the host's certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    params: CertificateParams,
}

/// A certificate with its key, as PEM.
pub(super) struct Issued {
    certificate: String,
    key: String,
}

impl Issued {
    /// Writes both, the key first: a host that sees one of them without the other waits for it.
    pub(super) fn write(&self, pair: &Pair) -> Result<()> {
        for (file, text) in [(&pair.key, &self.key), (&pair.certificate, &self.certificate)] {
            write_private(file, text.as_bytes())
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}

impl Authority {
    /// One with a new key.
    pub(super) fn new() -> Result<Self> {
        Self::with(new_key()?)
    }

    /// The one whose key is there.
    pub(super) fn load(pair: &Pair) -> Result<Self> {
        let cannot = || {
            let key = pair.key.display();
            format!(
                "cannot use the authority's key in {key}; `tarp init` makes one, in a directory without"
            )
        };
        let key = fs::read_to_string(&pair.key).with_context(cannot)?;
        Self::with(KeyPair::from_pem(&key).with_context(cannot)?)
    }

    /// All that a certificate refers to follows from the key, so that the key alone is enough to go on.
    fn with(key: KeyPair) -> Result<Self> {
        let digest = blake3::hash(key.public_key_raw()).to_hex();
        let mut params = CertificateParams::new(Vec::new())?;
        let name = format!("TARP authority {}", &digest[..8]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid_for(&mut params, AUTHORITY_DAYS);
        Ok(Self { issuer: Issuer::new(params.clone(), key), params })
    }

    /// Writes its certificate and its key.
    pub(super) fn write(&self, pair: &Pair) -> Result<()> {
        let key = self.issuer.key();
        issued(&self.params.self_signed(key)?, key).write(pair)
    }

    /// A certificate for a host that is called by these names and addresses.
    pub(super) fn issue(&self, hosts: &BTreeSet<String>) -> Result<Issued> {
        let mut params = CertificateParams::new(hosts.iter().cloned().collect::<Vec<_>>())?;
        params.distinguished_name.push(DnType::CommonName, "TARP host");
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client of this name.
    pub(super) fn issue_to_client(&self, name: &str) -> Result<Issued> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<Issued> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        // Python refuses certificates without it since 3.13.
        params.use_authority_key_identifier_extension = true;
        valid_for(&mut params, DAYS);
        let key = new_key()?;
        Ok(issued(&params.signed_by(&key, &self.issuer)?, &key))
    }
}

fn new_key() -> Result<KeyPair> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

fn issued(certificate: &Certificate, key: &KeyPair) -> Issued {
    Issued { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// From a while ago: clocks differ.
fn valid_for(params: &mut CertificateParams, days: i64) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(days);
}
