//! How much each caller may do: [`CallersConfig`].

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::valid;
use crate::auth::{ByteRate, CallRate, Rights, TokenLimits, TokenName};

/// How much each caller may do: the table `[callers]` of `tarp.toml`. There is no limit that is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallersConfig {
    /// Of each token, where it has no limits of its own.
    pub token: TokenLimitsTable,
    /// Those who are known by a certificate.
    #[serde(deserialize_with = "certificates")]
    pub certificate: Vec<CertificateTable>,
    /// Of each IP address; all IPv6 addresses of one /64 are one.
    pub address: AddressLimitsTable,
}

/// Somebody who is known by a certificate of an authority in `tls_client_ca`: an entry of
/// `[[callers.certificate]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateTable {
    /// What to call them.
    #[serde(deserialize_with = "valid::parsed")]
    pub name: TokenName,
    /// What their certificate calls them, where that is not the same: a common name, or any alternative name.
    pub subject: Option<String>,
    /// What they may do.
    #[serde(deserialize_with = "valid::rights")]
    pub allow: Rights,
    /// How much of it, where that is not as `token` has it.
    #[serde(default)]
    pub limits: TokenLimits,
}

fn certificates<'de, D>(from: D) -> Result<Vec<CertificateTable>, D::Error>
where
    D: Deserializer<'de>,
{
    let tables = Vec::<CertificateTable>::deserialize(from)?;
    let mut names = BTreeSet::new();
    match tables.iter().find(|table| !names.insert(&table.name)) {
        None => Ok(tables),
        Some(twice) => Err(D::Error::custom(format!("the name `{}` is there twice", twice.name))),
    }
}

/// What each token may do: the table `[callers.token]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenLimitsTable {
    /// Calls in a period.
    pub rate: Option<CallRate>,
    /// Calls at once after a pause; those of one period where it is not said.
    pub burst: Option<NonZeroU32>,
    /// Calls under way at once.
    pub max_calls: Option<NonZeroU32>,
    /// Bytes of bodies, received and sent, in a period.
    pub bytes: Option<ByteRate>,
}

/// What each address may do: the table `[callers.address]`. How many calls it may have under way is
/// `max_calls_per_peer` of `[server]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressLimitsTable {
    /// Calls in a period.
    pub rate: Option<CallRate>,
    /// Calls at once after a pause; those of one period where it is not said.
    pub burst: Option<NonZeroU32>,
    /// Bytes of bodies, received and sent, in a period.
    pub bytes: Option<ByteRate>,
}
