//! Callers that are known by the certificate with which their connection was made: [`Holder`].

use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use x509_cert::Certificate;
use x509_cert::TbsCertificate;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Any, Decode as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::limit::TokenLimits;
use super::right::Rights;
use super::token::{TokenId, TokenName};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Somebody who is known by a certificate, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Marks what belongs to them, for as long as they have this name.
    pub(super) id: TokenId,
    /// What people call them by.
    pub(super) name: TokenName,
    pub(super) rights: Rights,
    pub(super) limits: TokenLimits,
    /// What their certificates call them.
    subject: Box<str>,
}

impl Holder {
    /// One whose certificates have the name `subject`, or this very name.
    #[must_use]
    pub fn new(
        name: TokenName,
        subject: Option<&str>,
        rights: Rights,
        limits: TokenLimits,
    ) -> Self {
        let digest = Sha256::digest(name.as_str());
        let id = TokenId::of_certificate(&digest);
        let subject = subject.unwrap_or(name.as_str()).into();
        Self { id, name, rights, limits, subject }
    }
}

/// Whether this is the id of a certificate's holder, and not that of a token.
#[must_use]
pub fn is_of_certificate(id: &str) -> bool {
    id.starts_with(TokenId::OF_CERTIFICATE)
}

/// All holders of certificates that the host knows.
#[derive(Debug, Clone, Default)]
pub struct Holders(Arc<[Arc<Holder>]>);

impl FromIterator<Holder> for Holders {
    fn from_iter<I: IntoIterator<Item = Holder>>(holders: I) -> Self {
        Self(holders.into_iter().map(Arc::new).collect())
    }
}

impl Holders {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one with this id.
    pub(super) fn get(&self, id: &str) -> Option<&Holder> {
        self.0.iter().map(|holder| &**holder).find(|holder| holder.id.as_str() == id)
    }

    /// The first one whom this certificate names, in DER form. That an authority vouches for it has been seen to;
    /// it counts until `replaced` is cancelled. `None` where it names nobody that is known.
    #[must_use]
    pub fn find(&self, certificate: &[u8], replaced: &CancellationToken) -> Option<Certified> {
        let certificate = Certificate::from_der(certificate).ok()?.tbs_certificate;
        let names = names(&certificate);
        let is_named = |holder: &&Arc<Holder>| names.iter().any(|name| **name == *holder.subject);
        let Some(holder) = self.0.iter().find(is_named) else {
            tracing::debug!(
                ?names,
                "a client has a certificate with none of the names in [[callers.certificate]]"
            );
            return None;
        };
        Some(Certified {
            holder: Arc::clone(holder),
            expires: SystemTime::UNIX_EPOCH + certificate.validity.not_after.to_unix_duration(),
            replaced: replaced.clone(),
        })
    }
}

/// The names of whom a certificate is for: common names, names of machines, addresses of mail, and URIs.
fn names(certificate: &TbsCertificate) -> Vec<String> {
    let attributes = certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let common = attributes.filter(|attribute| attribute.oid == COMMON_NAME);
    let mut names: Vec<_> = common.filter_map(|attribute| text(&attribute.value)).collect();
    if let Ok(Some((_, SubjectAltName(alternatives)))) = certificate.get::<SubjectAltName>() {
        names.extend(alternatives.iter().filter_map(|name| match name {
            GeneralName::DnsName(name)
            | GeneralName::Rfc822Name(name)
            | GeneralName::UniformResourceIdentifier(name) => Some(name.to_string()),
            _ => None,
        }));
    }
    names
}

/// A text in one of the forms that names have.
fn text(value: &Any) -> Option<String> {
    let utf8 = value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned());
    let printable = || value.decode_as::<PrintableStringRef<'_>>().map(|it| it.as_str().to_owned());
    let teletex = || value.decode_as::<TeletexStringRef<'_>>().map(|it| it.as_str().to_owned());
    let ia5 = || value.decode_as::<Ia5StringRef<'_>>().map(|text| text.as_str().to_owned());
    utf8.or_else(|_| printable()).or_else(|_| teletex()).or_else(|_| ia5()).ok()
}

/// A holder with a certificate that an authority vouched for when the connection was made.
#[derive(Debug, Clone)]
pub struct Certified {
    pub(super) holder: Arc<Holder>,
    pub(super) expires: SystemTime,
    /// Cancelled when other authorities are trusted.
    pub(super) replaced: CancellationToken,
}

impl Certified {
    /// Completes when other authorities are trusted.
    pub async fn replaced(&self) {
        self.replaced.cancelled().await;
    }

    /// Whether it counts no longer.
    pub(super) fn has_ended(&self, now: SystemTime) -> bool {
        now >= self.expires || self.replaced.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};

    use super::*;

    fn certificate(common_name: &str, others: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names = others;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn holder(name: &str, subject: Option<&str>) -> Holder {
        Holder::new(name.parse().unwrap(), subject, Rights::default(), TokenLimits::default())
    }

    #[test]
    fn a_certificate_names_a_holder_in_any_of_its_names() {
        let holders: Holders = [
            holder("instrument-7", None),
            holder("alice", Some("alice@lab.example")),
            holder("robot", Some("spiffe://lab.example/robot")),
            holder("mueller", Some("Jürgen Müller")),
        ]
        .into_iter()
        .collect();
        let ia5 = |text: &str| Ia5String::try_from(text).unwrap();
        let name_of = |certificate: &[u8]| {
            let found = holders.find(certificate, &CancellationToken::new());
            found.map(|found| found.holder.name.to_string())
        };
        for (common_name, others, name) in [
            ("instrument-7", vec![], Some("instrument-7")),
            ("x", vec![SanType::DnsName(ia5("instrument-7"))], Some("instrument-7")),
            ("x", vec![SanType::Rfc822Name(ia5("alice@lab.example"))], Some("alice")),
            ("x", vec![SanType::URI(ia5("spiffe://lab.example/robot"))], Some("robot")),
            ("Jürgen Müller", vec![], Some("mueller")),
            ("x", vec![SanType::IpAddress([127, 0, 0, 1].into())], None),
            ("Instrument-7", vec![], None),
            ("instrument-7 ", vec![], None),
            ("alice", vec![], None),
            ("", vec![], None),
        ] {
            assert_eq!(
                name_of(&certificate(common_name, others.clone())).as_deref(),
                name,
                "{common_name} {others:?}"
            );
        }
        assert_eq!(name_of(b"no certificate"), None);
    }

    #[test]
    fn a_certificate_counts_until_it_expires_or_another_authority_is_trusted() {
        let holders: Holders = [holder("alice", None)].into_iter().collect();
        let replaced = CancellationToken::new();
        let certified = holders.find(&certificate("alice", vec![]), &replaced).unwrap();
        let hour = Duration::from_secs(3600);
        assert!(!certified.has_ended(certified.expires - hour));
        assert!(certified.has_ended(certified.expires));
        replaced.cancel();
        assert!(certified.has_ended(certified.expires - hour));
    }

    #[test]
    fn what_belongs_to_a_holder_follows_from_their_name_and_is_no_token_s() {
        let [first, same, other] = ["alice", "alice", "bob"].map(|name| holder(name, Some("x")));
        assert_eq!(first.id, same.id);
        assert_ne!(first.id, other.id);
        assert!(first.id.as_str().starts_with("cert-"), "{}", first.id);
        assert!(first.id.as_str().parse::<TokenId>().is_err());
    }
}
