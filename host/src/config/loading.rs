//! How components are loaded: [`LoadingConfig`].

use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::valid;

/// How components are loaded: the table `[loading]` of `tarp.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadingConfig {
    /// Bytes that compiling one component may take.
    #[serde(deserialize_with = "compile_memory")]
    pub compile_memory: u64,
    /// Processor time that compiling one component may take, of all its threads together.
    #[serde(deserialize_with = "compile_time")]
    pub compile_time: Duration,
    /// How long a component whose file is gone is served on, as is one whose sidecar is gone with
    /// the limits that it set: most often the next version is about to be written.
    #[serde(with = "humantime_serde")]
    pub removal_grace: Duration,
    /// How long the host's start waits for components that take long to compile.
    #[serde(with = "humantime_serde")]
    pub start_wait: Duration,
    /// Bytes of all compiled components that are kept.
    #[serde(deserialize_with = "valid::size")]
    pub cache_size: usize,
    /// Versions of each component that are kept, the one that is served included, so that one can be
    /// returned to.
    pub keep_versions: usize,
    /// Whether only what the folder's `components.lock` names is served.
    pub locked: bool,
}

impl Default for LoadingConfig {
    fn default() -> Self {
        Self {
            compile_memory: 2 << 30,
            compile_time: Duration::from_secs(120),
            removal_grace: Duration::from_secs(2),
            start_wait: Duration::from_secs(20),
            cache_size: 4 << 30,
            keep_versions: 5,
            locked: false,
        }
    }
}

/// Below this the compiler cannot even start.
const LEAST_MEMORY: u64 = 64 << 20;

fn compile_memory<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match ByteSize::deserialize(from)?.as_u64() {
        n if n >= LEAST_MEMORY => Ok(n),
        _ => Err(D::Error::custom("must be 64 MiB or more")),
    }
}

fn compile_time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    match humantime_serde::deserialize::<Duration, D>(from)? {
        time if time >= Duration::from_secs(1) => Ok(time),
        _ => Err(D::Error::custom("must be 1 s or more")),
    }
}
