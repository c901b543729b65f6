//! What an operator can set: [`HostConfig`], from `tarp.toml`, `TARP_*` and flags, and a component's
//! [`Sidecar`].
//!
//! Everything is validated while it is read, so a message names the file, the line and the key.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;

/// The most that one call's memory can be: all that a 32-bit guest can address.
pub const MAX_MEMORY: u64 = 4 << 30;

/// What one call may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Work, in wasmtime's units: about one per wasm instruction, 9 to 21 thousand million a second.
    pub fuel: u64,
    /// Bytes of all the instance's memories together.
    pub memory: usize,
    /// Wall clock time, from the call's start to its result.
    pub deadline: Duration,
    /// Bytes kept of each of the guest's output streams.
    pub output: usize,
    /// Bytes that the result may take in the host.
    pub result: usize,
}

impl Default for Limits {
    /// Suits an ordinary machine: some ten seconds of work, memory for a few of them at once.
    fn default() -> Self {
        Self {
            fuel: 100_000_000_000,
            memory: 512 << 20,
            deadline: Duration::from_secs(60),
            output: 64 << 10,
            result: 128 << 20,
        }
    }
}

/// A table `[limits]`: what it leaves out stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsTable {
    #[serde(deserialize_with = "valid::count")]
    fuel: Option<u64>,
    #[serde(deserialize_with = "valid::memory")]
    memory: Option<u64>,
    #[serde(deserialize_with = "valid::duration")]
    deadline: Option<Duration>,
    #[serde(deserialize_with = "valid::bytes")]
    output: Option<u64>,
    #[serde(deserialize_with = "valid::bytes")]
    result: Option<u64>,
}

impl Limits {
    /// These limits, changed by what the table sets.
    #[must_use]
    pub fn with(&self, table: &LimitsTable) -> Self {
        let bytes = |set: Option<u64>, kept: usize| {
            set.map_or(kept, |n| usize::try_from(n).unwrap_or(usize::MAX))
        };
        Self {
            fuel: table.fuel.unwrap_or(self.fuel),
            memory: bytes(table.memory, self.memory),
            deadline: table.deadline.unwrap_or(self.deadline),
            output: bytes(table.output, self.output),
            result: bytes(table.result, self.result),
        }
    }
}

/// A component's sidecar: `math.toml` beside `math.wasm`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sidecar {
    /// Stands before the names of its procedures, in place of the folder's name.
    #[serde(deserialize_with = "valid::prefix")]
    pub prefix: Option<String>,
    /// Limits of all its procedures.
    pub limits: LimitsTable,
    /// By the procedure's name without its prefix, such as `statistics/mean`.
    pub procedures: BTreeMap<String, ProcedureTable>,
}

/// A table `[procedures.NAME]` of a sidecar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcedureTable {
    /// Documentation, in place of the component's own.
    pub description: Option<String>,
    /// Limits of this procedure.
    pub limits: LimitsTable,
}

/// How the host serves: the table `[server]` of `tarp.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The address to listen on.
    pub bind: IpAddr,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// PEM file with the certificate chain; with `tls_key` makes the host speak HTTPS.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// Names under which clients may address the host, besides IP addresses, `localhost` and the
    /// machine's own name.
    pub allowed_hosts: Vec<String>,
    /// Connections open at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// Bytes of a request's body.
    #[serde(deserialize_with = "valid::size")]
    pub max_body: usize,
    /// Calls running at once.
    pub max_calls: u32,
    /// For a request's headers, and a TLS handshake.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// For a request's body to arrive whole.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// For a connection on which nothing is under way.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// For running calls after the host was asked to stop.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            tls_cert: None,
            tls_key: None,
            allowed_hosts: Vec::new(),
            max_connections: 1024,
            max_body: 64 << 20,
            max_calls: 1000,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            grace: Duration::from_secs(10),
        }
    }
}

/// Everything that `tarp.toml` can say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// How the host serves.
    pub server: ServerConfig,
    /// Limits of all procedures.
    pub limits: LimitsTable,
    /// Where compiled components are kept.
    pub cache: Option<PathBuf>,
}

/// The whole configuration of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// The folder with the components.
    pub folder: PathBuf,
    /// The directory for compiled components; the host must be the only one that writes there.
    pub cache: PathBuf,
    /// How the host serves.
    pub server: ServerConfig,
    /// What a call may use, unless a sidecar says otherwise.
    pub limits: Limits,
}

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says something that it must not. The message has the line and the key.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why and where.
        source: toml::de::Error,
    },
}

/// Reads a TOML file, `tarp.toml` or a sidecar.
///
/// # Errors
///
/// Names the file, and for what is in it the line and the key.
pub fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Invalid { path: path.into(), source })
}

/// Deserialisers that refuse what makes no sense, so that the refusal has a line.
mod valid {
    use super::{ByteSize, Duration, MAX_MEMORY};
    use serde::de::{Deserialize, Deserializer, Error};

    pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        match u64::deserialize(from)? {
            0 => Err(D::Error::custom("must be more than 0")),
            n => Ok(Some(n)),
        }
    }

    pub(super) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        ByteSize::deserialize(from).map(|size| Some(size.as_u64()))
    }

    pub(super) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
        let size = ByteSize::deserialize(from)?.as_u64();
        usize::try_from(size).map_err(D::Error::custom)
    }

    pub(super) fn memory<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        const PAGE: u64 = 64 << 10;
        match ByteSize::deserialize(from)?.as_u64() {
            n if (PAGE..=MAX_MEMORY).contains(&n) => Ok(Some(n)),
            n => Err(D::Error::custom(format!(
                "must be from 64 KiB to 4 GiB, not {}",
                ByteSize(n).display().iec()
            ))),
        }
    }

    pub(super) fn duration<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        match humantime_serde::deserialize(from)? {
            Duration::ZERO => Err(D::Error::custom("must be more than 0, such as \"30 s\"")),
            duration => Ok(Some(duration)),
        }
    }

    pub(super) fn prefix<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
        let prefix = String::deserialize(from)?;
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let sound = |part: &str| !part.is_empty() && part.chars().all(is_name);
        if prefix.is_empty() || prefix.split('/').all(sound) {
            Ok(Some(prefix))
        } else {
            Err(D::Error::custom(
                "must be names of lower-case letters, digits and _, separated by /",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: for<'de> Deserialize<'de>>(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read::<T>(file.path()).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn a_sidecar_changes_what_it_names_and_no_more() {
        let sidecar: Sidecar = toml::from_str(
            "prefix = 'lab'\n[limits]\nmemory = '64 MiB'\n[procedures.add.limits]\ndeadline = '5 s'\nfuel = 1000",
        )
        .unwrap();
        let limits =
            Limits::default().with(&sidecar.limits).with(&sidecar.procedures["add"].limits);
        assert_eq!(limits.memory, 64 << 20);
        assert_eq!(limits.deadline, Duration::from_secs(5));
        assert_eq!(limits.fuel, 1000);
        assert_eq!(limits.result, Limits::default().result);
    }

    #[test]
    fn refusals_name_the_line_and_the_key() {
        for (text, line, word) in [
            ("\n\nprefx = 'a'", "line 3", "prefx"),
            ("[limits]\nmemory = '8 GiB'", "line 2", "4 GiB"),
            ("[limits]\nfuel = 0", "line 2", "more than 0"),
            ("[limits]\ndeadline = 'soon'", "line 2", "deadline"),
            ("prefix = '../etc'", "line 1", "lower-case"),
        ] {
            let message = refusal::<Sidecar>(text);
            assert!(message.contains(line) && message.contains(word), "{message}");
        }
        assert!(refusal::<ConfigFile>("[server]\nport = 99999").contains("line 2"));
    }
}
