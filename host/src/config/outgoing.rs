//! How the host sends what guests ask for: [`OutgoingConfig`].

use std::path::PathBuf;

use serde::Deserialize;

/// How requests of guests are sent: the table `[outgoing]` of `tarp.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutgoingConfig {
    /// PEM file with certificates of authorities that are trusted beside those of the operating system.
    pub authorities: Option<PathBuf>,
}
