//! What an operator can set: [`HostConfig`], from `tarp.toml`, `TARP_*` and flags, and a component's
//! [`Sidecar`].
//!
//! Everything is validated while it is read, so a message names the file, the line and the key.

mod audit;
mod callers;
mod grants;
mod http_grant;
mod jobs;
mod labels;
mod limits;
mod loading;
mod outgoing;
mod server;
mod sidecar;
mod valid;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use audit::AuditConfig;
pub use callers::{AddressLimitsTable, CallersConfig, CertificateTable, TokenLimitsTable};
pub use grants::{
    FolderAccess, FolderGrant, Granted, GrantedFolder, GrantsTable, SecretGrant, SecretSource,
};
pub use http_grant::{HttpGrant, HttpScheme, InvalidServer};
pub use jobs::{JobsConfig, StoreKind};
pub use labels::{InvalidLabel, Labels};
pub use limits::{Limits, LimitsTable};
pub use loading::LoadingConfig;
pub use outgoing::OutgoingConfig;
pub use server::ServerConfig;
pub use sidecar::{ArrayReplies, Mode, ProcedureTable, Sidecar, WebMethod};
pub(crate) use valid::alias as check_alias;
pub use valid::{BindFault, MAX_MEMORY, bind_address};

/// Everything that `tarp.toml` can say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// How the host serves.
    pub server: ServerConfig,
    /// How much each caller may do.
    pub callers: CallersConfig,
    /// Limits of all procedures.
    pub limits: LimitsTable,
    /// How the host runs jobs.
    pub jobs: JobsConfig,
    /// How components are loaded.
    pub loading: LoadingConfig,
    /// How requests of guests are sent.
    pub outgoing: OutgoingConfig,
    /// The audit log.
    pub audit: AuditConfig,
    /// Where compiled components are kept.
    pub cache: Option<PathBuf>,
    /// Where the host keeps what must survive it, such as jobs.
    pub data: Option<PathBuf>,
}

/// The whole configuration of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// The folder with the components.
    pub folder: PathBuf,
    /// The directory for compiled components; the host must be the only one that writes there.
    pub cache: PathBuf,
    /// How components are loaded.
    pub loading: LoadingConfig,
    /// How requests of guests are sent.
    pub outgoing: OutgoingConfig,
    /// The program that compiles components in a process of its own, which is `tarp`. Without one they
    /// are compiled in this process, where nothing limits time and memory of it and a crash of the
    /// compiler is one of the host: for components that are trusted.
    pub compiler: Option<PathBuf>,
    /// How the host serves.
    pub server: ServerConfig,
    /// How much each caller may do.
    pub callers: CallersConfig,
    /// The audit log.
    pub audit: AuditConfig,
    /// What a call may use, unless a sidecar says otherwise.
    pub limits: Limits,
    /// What a job may use, unless a sidecar says otherwise.
    pub job_limits: Limits,
    /// How the host runs jobs.
    pub jobs: JobsConfig,
    /// The directory for what must survive the host; no other host may use it at the same time.
    pub data: PathBuf,
    /// The directory with the tokens that callers need, mostly the same; `None` for a host that asks for none.
    pub tokens: Option<PathBuf>,
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
    read_with_text(path).map(|(read, _)| read)
}

/// The same, with the text.
///
/// # Errors
///
/// As [`read`].
pub fn read_with_text<T: for<'de> Deserialize<'de>>(
    path: &Path,
) -> Result<(T, String), ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
    match toml::from_str(&text) {
        Ok(read) => Ok((read, text)),
        Err(source) => Err(ConfigError::Invalid { path: path.into(), source }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn the_address_to_listen_on_has_no_port() {
        for (text, address) in
            [("0.0.0.0", "0.0.0.0"), ("::1", "::1"), ("[::1]", "::1"), ("localhost", "127.0.0.1")]
        {
            assert_eq!(bind_address(text).unwrap().to_string(), address);
        }
        for (text, address) in [
            ("0.0.0.0:9000", "0.0.0.0:9000"),
            ("[::]:9000", "[::]:9000"),
            ("localhost:9000", "127.0.0.1:9000"),
        ] {
            assert_eq!(bind_address(text), Err(BindFault::Port(address.parse().unwrap())));
        }
        for text in ["", "lab", "lab:9000", "127.0.0.1:99999", ":9000", "http://127.0.0.1:9000"] {
            assert_eq!(bind_address(text), Err(BindFault::NoAddress), "{text}");
        }
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
        for (text, word) in [
            ("[callers.token]\nrate = '10'", "10/s"),
            ("[callers.token]\nmax_calls = 0", "nonzero"),
            ("[callers.address]\nbytes = '1 MiB'", "MiB/s"),
            ("[callers.address]\nmax_calls = 1", "max_calls"),
            ("[audit]\nmax_size = '1 KiB'", "64 KiB"),
        ] {
            let message = refusal::<ConfigFile>(text);
            assert!(message.contains("line 2") && message.contains(word), "{message}");
        }
        assert!(refusal::<ConfigFile>("[server]\nport = 99999").contains("line 2"));
        let bind = refusal::<ConfigFile>("[server]\nbind = '0.0.0.0:9000'");
        assert!(bind.contains("line 2") && bind.contains("port = 9000"), "{bind}");
        assert!(refusal::<ConfigFile>("[server]\nmemory = '1 MiB'").contains("64 MiB"));
    }
}
