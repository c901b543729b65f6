//! `tarp serve`: configuration from file, environment and flags, then the host until it is told to
//! stop.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use tarp_host::Host;
use tarp_host::catalog::Catalog;
use tarp_host::config::{ConfigFile, HostConfig, Limits, StoreKind, read};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;

use super::compile::compiler;
use super::confine::confine;
use super::directories::{self, Own};
use super::exposure;
use super::log::{LogFormat, log_to_stderr};
use super::screen::{EventPrinter, counted};

/// Serve the procedures of a folder.
///
/// Every component (a `.wasm` file) in DIR and its subfolders is loaded, and loaded again when it
/// changes. Flags win over `TARP_*` variables, and those over `tarp.toml`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The folder with the components
    dir: PathBuf,
    /// The address to listen on; 0.0.0.0 for all of this machine [default: 127.0.0.1]
    #[arg(long, env = "TARP_BIND", value_name = "ADDRESS", value_parser = exposure::bind)]
    bind: Option<IpAddr>,
    /// The port to listen on; 0 takes a free one, which is printed [default: 8080]
    #[arg(long, env = "TARP_PORT")]
    port: Option<u16>,
    /// The configuration file
    #[arg(long, env = "TARP_CONFIG", value_name = "tarp.toml")]
    config: Option<PathBuf>,
    /// How to write log lines, to standard error; TARP_LOG says which (such as `debug`)
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log: LogFormat,
    /// The certificate chain for HTTPS, in PEM form
    #[arg(long, env = "TARP_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM form
    #[arg(long, env = "TARP_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// A name that clients may call this host by, besides IP addresses, localhost and the machine's
    /// own name; may be repeated
    #[arg(
        long = "allow-host",
        env = "TARP_ALLOW_HOST",
        value_delimiter = ',',
        value_name = "NAME"
    )]
    allow_hosts: Vec<String>,
    /// Where to keep jobs; `none` turns them off [default: sqlite]
    #[arg(long, env = "TARP_JOBS", value_enum)]
    jobs: Option<JobsFlag>,
    /// The directory for what must survive the host, such as jobs; one host at a time may use it
    /// [default: in the user's data directory]
    #[arg(long, env = "TARP_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Serve other machines without tokens or without TLS: whoever reaches the host can call everything, or
    /// read the tokens of those who do
    #[arg(long, env = "TARP_INSECURE", value_parser = clap::builder::FalseyValueParser::new())]
    insecure: bool,
    /// Let components be deployed without a token while the host has none: whoever reaches it can then
    /// change what it serves
    #[arg(long, env = "TARP_ALLOW_DEPLOY", value_parser = clap::builder::FalseyValueParser::new())]
    allow_deploy: bool,
    /// Serve only what `components.lock` in DIR names, which `tarp lock` writes
    #[arg(long, env = "TARP_LOCKED", value_parser = clap::builder::FalseyValueParser::new())]
    locked: bool,
    /// Keep access to all files of the machine, not only to those that a host needs
    #[arg(long, env = "TARP_NO_LANDLOCK", value_parser = clap::builder::FalseyValueParser::new())]
    no_landlock: bool,
    /// The directory for compiled components [default: in the user's cache directory]
    #[arg(long, env = "TARP_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum JobsFlag {
    Sqlite,
    None,
}

impl Serve {
    /// Serves until SIGINT or SIGTERM.
    ///
    /// # Errors
    ///
    /// Where the host cannot start, with what to do about it.
    pub(crate) fn run(self) -> Result<()> {
        log_to_stderr(self.log, LevelFilter::INFO, None)?;
        let (folder, insecure) = (self.dir.clone(), self.insecure);
        let config = self.config()?;
        confine(&config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(async {
            if !insecure {
                exposure::check(&config, &folder).await?;
            }
            serve(folder, config, EventPrinter::People).await
        });
        // A component may still be compiling; nobody waits for it.
        runtime.shutdown_background();
        served
    }

    fn config(self) -> Result<HostConfig> {
        let file = match &self.config {
            Some(path) => read::<ConfigFile>(path)?,
            None => ConfigFile::default(),
        };
        let mut server = file.server;
        server.bind = self.bind.unwrap_or(server.bind);
        server.port = self.port.unwrap_or(server.port);
        server.tls_cert = self.tls_cert.or(server.tls_cert);
        server.tls_key = self.tls_key.or(server.tls_key);
        server.allowed_hosts.extend(self.allow_hosts);
        server.allow_deploy |= self.allow_deploy;
        server.landlock &= !self.no_landlock;
        let mut loading = file.loading;
        loading.locked |= self.locked;
        let mut jobs = file.jobs;
        match self.jobs {
            Some(JobsFlag::Sqlite) => jobs.store = StoreKind::Sqlite,
            Some(JobsFlag::None) => jobs.store = StoreKind::None,
            None => {}
        }
        let (cache, data) = (self.cache.or(file.cache), self.data.or(file.data));
        // Without jobs nothing needs to be written.
        let needs_data = data.is_none() && !matches!(jobs.store, StoreKind::None);
        let own_data = if needs_data { Some(Own::Data) } else { None };
        directories::check(cache.is_none().then_some(Own::Cache).into_iter().chain(own_data))?;
        let cache = directories::cache(cache)?;
        // There may be tokens without jobs. Without a home there are neither.
        let data = match directories::data(data, &self.dir) {
            Ok(data) => Some(data),
            Err(_) if !needs_data => None,
            Err(error) => return Err(error),
        };
        // A link stays one: what it leads to may be swapped for another folder.
        let folder = std::path::absolute(&self.dir)?;
        folder.metadata().with_context(|| {
            let dir = self.dir.display();
            format!(
                "cannot serve {dir}; make it with `mkdir -p {dir}`, and drop components into it"
            )
        })?;
        anyhow::ensure!(folder.is_dir(), "cannot serve {}: it is not a folder", self.dir.display());
        let limits = Limits::default().with(&file.limits);
        Ok(HostConfig {
            folder,
            cache,
            data: data.clone().unwrap_or_default(),
            tokens: data,
            loading,
            outgoing: file.outgoing,
            compiler: compiler(),
            server,
            callers: file.callers,
            audit: file.audit,
            job_limits: Limits::of_jobs(&limits).with(&jobs.limits),
            limits,
            jobs,
        })
    }
}

/// What happens while a host serves.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event<'a> {
    /// Calls are taken from now on.
    Listening { url: String, folder: &'a Path },
    /// All that was in the folder at the start has been looked at.
    Ready { procedures: usize, components: usize, problems: usize },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { url, folder } => {
                write!(f, "listening on {url}, watching {}", folder.display())
            }
            Self::Ready { procedures, components, problems } => {
                let procedures = counted(*procedures, "procedure");
                write!(f, "ready: {procedures} from {}", counted(*components, "component"))?;
                match problems {
                    0 => Ok(()),
                    n => write!(f, " with {}", counted(*n, "problem")),
                }
            }
        }
    }
}

/// Serves the folder until SIGINT or SIGTERM.
pub(super) async fn serve(
    folder: PathBuf,
    config: HostConfig,
    printer: EventPrinter,
) -> Result<()> {
    let address = SocketAddr::new(config.server.bind, config.server.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; take another port with --port, 0 for any free one")
    })?;
    let scheme = if config.server.tls_cert.is_some() { "https" } else { "http" };
    let shutdown = stopped()?;
    let host = Host::new(config).await?;
    let url = format!("{scheme}://{}", listener.local_addr()?);
    printer.tell(&Event::Listening { url, folder: &folder });
    host.serve(listener, move |catalog| printer.tell(&ready(catalog)), shutdown).await;
    Ok(())
}

fn ready(catalog: &Catalog) -> Event<'_> {
    let files: BTreeSet<_> = catalog.procedures().map(|procedure| &procedure.source.file).collect();
    Event::Ready {
        procedures: catalog.procedures().count(),
        components: files.len(),
        problems: catalog.problems().len(),
    }
}

/// Completes at SIGINT or SIGTERM.
fn stopped() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping; running calls may finish");
    })
}
