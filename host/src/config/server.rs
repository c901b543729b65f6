//! How the host serves: [`ServerConfig`].

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use super::valid;
use crate::budget::MemoryBudget;
use crate::machine;

/// How the host serves: the table `[server]` of `tarp.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The address to listen on.
    #[serde(deserialize_with = "valid::bind")]
    pub bind: IpAddr,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// PEM file with the certificate chain; with `tls_key` makes the host speak HTTPS.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// PEM file with the authorities whose certificates clients may have; `[[callers.certificate]]` says whose
    /// certificates allow what.
    pub tls_client_ca: Option<PathBuf>,
    /// Names under which clients may address the host, besides IP addresses, `localhost` and the
    /// machine's own name.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call procedures and read the replies, as browsers write them, such as
    /// `https://lab.example`.
    #[serde(deserialize_with = "valid::origins")]
    pub allowed_origins: Vec<String>,
    /// Further origins under which browsers see this host, such as those of a proxy that passes on another name
    /// or port than the browser used.
    #[serde(deserialize_with = "valid::origins")]
    pub public_origins: Vec<String>,
    /// Addresses and networks of proxies that are believed who made a request, and where it was sent: by
    /// `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix`, or `Forwarded`.
    #[serde(deserialize_with = "valid::networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Names of mounted components whose pages may do what their reader may: they get the host's own origin
    /// in a browser.
    pub trusted_mounts: Vec<String>,
    /// Connections open at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// Bytes of a request's body.
    #[serde(deserialize_with = "valid::size")]
    pub max_body: usize,
    /// Bytes of a component that is deployed, with its sidecar.
    #[serde(deserialize_with = "valid::size")]
    pub max_component: usize,
    /// Whether components may be deployed without a token, where the host has none.
    pub allow_deploy: bool,
    /// Whether `tarp serve` gives up access to all files but those that a host needs, where the kernel has
    /// Landlock.
    pub landlock: bool,
    /// Directories that it keeps access to as well, for grants that come while it runs.
    #[serde(deserialize_with = "valid::absolute_paths")]
    pub reachable_folders: Vec<PathBuf>,
    /// Calls running at once.
    pub max_calls: u32,
    /// Calls running at once for one peer, by its IP address, so that one caller cannot take every place;
    /// by default three quarters of `max_calls`.
    #[serde(deserialize_with = "valid::count")]
    pub max_calls_per_peer: Option<u32>,
    /// Bytes of memory that calls, jobs, requests, results and loading take together; by default half of
    /// what the machine, or the control group that the host runs in, has.
    #[serde(deserialize_with = "valid::budget")]
    pub memory: Option<usize>,
    /// For a request's headers, and a TLS handshake.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// For a request's body to arrive whole, besides what its bytes take at `body_min_rate`.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// Bytes a second: a sender who is as fast as this is never too slow.
    #[serde(deserialize_with = "valid::size")]
    pub body_min_rate: usize,
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
            tls_client_ca: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            public_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            trusted_mounts: Vec::new(),
            max_connections: 1024,
            max_body: 64 << 20,
            max_component: 128 << 20,
            allow_deploy: false,
            landlock: true,
            reachable_folders: Vec::new(),
            max_calls: 1000,
            max_calls_per_peer: None,
            memory: None,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            body_min_rate: 32 << 10,
            idle_timeout: Duration::from_secs(75),
            grace: Duration::from_secs(10),
        }
    }
}

impl ServerConfig {
    /// The memory budget: what is set, or half of what there is.
    #[must_use]
    pub fn budget(&self) -> MemoryBudget {
        MemoryBudget::new(self.memory.unwrap_or_else(|| machine::memory() / 2))
    }

    /// The calls that one peer may have running at once.
    #[must_use]
    pub fn calls_per_peer(&self) -> u32 {
        self.max_calls_per_peer.unwrap_or(self.max_calls - self.max_calls / 4)
    }
}
