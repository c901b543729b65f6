//! `tarp dev`: build, serve, watch the sources, build again.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tarp_builder::{BuildRequest, Built, Diagnostic, Language};
use tarp_host::config::{
    AuditConfig, CallersConfig, HostConfig, Limits, LoadingConfig, OutgoingConfig, ServerConfig,
};
use tracing::level_filters::LevelFilter;

use super::compile::compiler;
use super::directories::{self, Own, cache};
use super::exposure::bind;
use super::local::{reporter, shown, size, tools};
use super::log::{LogFormat, log_to_stderr};
use super::screen::{BAD, EventPrinter, GOOD, painted};
use super::serve::serve;
use super::sources::Sources;

/// Build, serve, and build again whenever a source changes.
///
/// Serves the component alone, from a folder of its own that goes with the command; what does not
/// build is said, and the last version that did is served on.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// A source file, or a project's folder
    #[arg(default_value = ".")]
    source: PathBuf,
    /// The language, where neither file nor folder tells: python, rust, javascript or c
    #[arg(long, short, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// The address to listen on
    #[arg(
        long,
        env = "TARP_BIND",
        value_name = "ADDRESS",
        value_parser = bind,
        default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST)
    )]
    bind: IpAddr,
    /// The port to listen on; 0 takes a free one, which is printed
    #[arg(long, env = "TARP_PORT", default_value_t = 8080)]
    port: u16,
    /// The directory for compiled components [default: in the user's cache directory]
    #[arg(long, env = "TARP_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
    /// The directory for the languages' tools [default: in the user's cache directory]
    #[arg(long, env = "TARP_TOOLS", value_name = "DIR")]
    tools: Option<PathBuf>,
    /// Serve other machines, though whoever reaches this one can call everything
    #[arg(long, env = "TARP_INSECURE", value_parser = clap::builder::FalseyValueParser::new())]
    insecure: bool,
    /// Say what happens in JSON, one document a line, for programs
    #[arg(long)]
    json: bool,
}

/// What came of the sources.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event<'a> {
    Built {
        source: &'a Path,
        seconds: f64,
        #[serde(flatten)]
        built: Built,
    },
    Failed {
        error: String,
        faults: &'a [Diagnostic],
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Built { source, seconds, built } => {
                let names: Vec<_> = built.procedures.iter().map(|p| p.name.as_str()).collect();
                let (done, source) = (painted(GOOD, "built"), shown(source));
                let (size, names) = (size(built.size), names.join(", "));
                write!(f, "{done} {source} in {seconds:.1} s ({size}): {names}")
            }
            Self::Failed { error, .. } => {
                write!(f, "{error}\n{}; waiting for a change", painted(BAD, "not built"))
            }
        }
    }
}

impl Dev {
    /// Serves until SIGINT or SIGTERM.
    ///
    /// # Errors
    ///
    /// Where the host cannot start, or the sources cannot be watched.
    pub(crate) fn run(self) -> Result<()> {
        let printer = if self.json { EventPrinter::Programs } else { EventPrinter::People };
        log_to_stderr(LogFormat::Text, LevelFilter::WARN, Some(printer))?;
        let own_cache = self.cache.is_none().then_some(Own::Cache);
        directories::check(
            own_cache.into_iter().chain(self.tools.is_none().then_some(Own::Tools)),
        )?;
        let home = tempfile::Builder::new().prefix("tarp-dev-").tempdir()?;
        let folder = home.path().join("procedures");
        std::fs::create_dir(&folder)?;
        let config = self.config(home.path(), &folder)?;
        anyhow::ensure!(
            self.insecure || self.bind.is_loopback(),
            "whoever reaches {} could call everything; say --insecure if that is what you want",
            self.bind
        );
        let request = BuildRequest {
            source: self.source,
            language: self.lang,
            output: Some(folder.clone()),
            tools: tools(self.tools)?,
        };
        let sources = Sources::watch(&request.source, request.language)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        // A build cannot be interrupted; the thread ends with the process.
        std::thread::spawn(move || build_for_ever(&request, sources, printer));
        let served = runtime.block_on(serve(folder, config, printer));
        runtime.shutdown_background();
        served
    }

    fn config(&self, home: &Path, folder: &Path) -> Result<HostConfig> {
        Ok(HostConfig {
            folder: folder.canonicalize()?,
            cache: cache(self.cache.clone())?,
            data: home.join("data"),
            // Who writes procedures calls them.
            tokens: None,
            loading: LoadingConfig::default(),
            outgoing: OutgoingConfig::default(),
            compiler: compiler(),
            server: ServerConfig {
                bind: self.bind,
                port: self.port,
                grace: Duration::from_secs(1),
                ..ServerConfig::default()
            },
            callers: CallersConfig::default(),
            audit: AuditConfig::default(),
            limits: Limits::default(),
            job_limits: Limits::of_jobs(&Limits::default()),
            jobs: tarp_host::config::JobsConfig::default(),
        })
    }
}

fn build_for_ever(request: &BuildRequest, mut sources: Sources, printer: EventPrinter) {
    loop {
        if let Some(inputs) = build(request, printer) {
            sources.add(inputs);
        }
        if !sources.wait() {
            return;
        }
    }
}

/// Gives what a component was made of, where there is one.
fn build(request: &BuildRequest, printer: EventPrinter) -> Option<Vec<PathBuf>> {
    let start = Instant::now();
    let reporter = reporter(matches!(printer, EventPrinter::Programs));
    match tarp_builder::build(request, &*reporter) {
        Ok(mut built) => {
            let inputs = std::mem::take(&mut built.inputs);
            let seconds = start.elapsed().as_secs_f64();
            printer.tell(&Event::Built { source: &request.source, seconds, built });
            Some(inputs)
        }
        Err(error) => {
            printer.tell(&Event::Failed { error: error.to_string(), faults: error.diagnostics() });
            None
        }
    }
}
