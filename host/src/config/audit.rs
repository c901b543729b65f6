//! The audit log: [`AuditConfig`].

use std::path::PathBuf;

use bytesize::ByteSize;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// The audit log: the table `[audit]` of `tarp.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// The file to write to; `None` for no audit log.
    pub file: Option<PathBuf>,
    /// Bytes of a file, at which the next one is begun.
    #[serde(deserialize_with = "size")]
    pub max_size: u64,
    /// How many files are kept beside the one that is written to.
    pub keep: u32,
    /// Whether the arguments of calls are written too.
    pub arguments: bool,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { file: None, max_size: 64 << 20, keep: 8, arguments: false }
    }
}

/// A file has room for a few of the longest lines at least.
fn size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    const LEAST: u64 = 64 << 10;
    match ByteSize::deserialize(from)?.as_u64() {
        n if n >= LEAST => Ok(n),
        _ => Err(D::Error::custom("must be 64 KiB or more")),
    }
}
