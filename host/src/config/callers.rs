//! How much each caller may do: [`CallersConfig`].

use std::num::NonZeroU32;

use serde::Deserialize;

use crate::auth::{ByteRate, CallRate};

/// How much each caller may do: the table `[callers]` of `tarp.toml`. There is no limit that is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallersConfig {
    /// Of each token, where it has no limits of its own.
    pub token: TokenLimitsTable,
    /// Of each IP address; all IPv6 addresses of one /64 are one.
    pub address: AddressLimitsTable,
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
