//! Where a request of a guest goes.

use crate::config::HttpScheme;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scheme: HttpScheme,
    /// In lower case; an IPv6 address in brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether the host may be at an address that is not public.
    pub(super) is_private: bool,
}
