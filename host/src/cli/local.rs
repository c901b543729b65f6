//! What the commands that build components or look at them, without a host, have in common.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use tarp_builder::report::{Reporter, Silent, to_stderr};
use tarp_builder::tools::Tools;
use tarp_host::catalog::{Cache, Compiler, Loader, Procedure};
use tarp_host::config::{ConfigFile, Granted, Limits, Mode, read};
use tarp_host::sandbox::Sandbox;

use super::compile::compiler;
use super::directories::cache;
use super::screen::{BOLD, painted};

/// How to load components.
#[derive(Debug, Args)]
pub(super) struct Loading {
    /// The configuration file of the host, for the limits
    #[arg(long, env = "TARP_CONFIG", value_name = "tarp.toml")]
    config: Option<PathBuf>,
    /// The directory for compiled components [default: in the user's cache directory]
    #[arg(long, env = "TARP_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Loading {
    /// What loads as a host with this configuration would.
    pub(super) fn loader(&self) -> Result<Loader> {
        let file = match &self.config {
            Some(path) => read::<ConfigFile>(path)?,
            None => ConfigFile::default(),
        };
        let cache = cache(self.cache.clone().or(file.cache))?;
        let sandbox = Sandbox::new(1).map_err(anyhow::Error::from);
        let sandbox = sandbox.context("the engine for WebAssembly cannot start")?;
        let limits = Limits::default().with(&file.limits);
        Ok(Loader {
            sandbox: Arc::new(sandbox.with_reserved([cache.clone()])),
            compiler: Compiler::new(compiler(), &file.loading),
            cache: Cache::open(&cache, file.loading.cache_size as u64)?,
            metrics: Arc::default(),
            job_limits: Limits::of_jobs(&limits).with(&file.jobs.limits),
            limits,
        })
    }
}

/// Where the languages' tools are kept: the directory that was named, or the user's own.
pub(super) fn tools(named: Option<PathBuf>) -> Result<Tools> {
    Ok(named.map_or_else(Tools::of_user, |root| Ok(Tools::at(root)))?)
}

/// Tells on standard error how far a build has come, unless a program reads what comes of it.
pub(super) fn reporter(for_program: bool) -> Box<dyn Reporter> {
    if for_program { Box::new(Silent) } else { to_stderr() }
}

/// A procedure as a person reads it: its name and types, and how it is called where that is special.
pub(super) fn headline(procedure: &Procedure) -> String {
    let name = painted(BOLD, &procedure.name);
    match &procedure.web {
        Some(methods) => {
            let methods: Vec<_> = methods.iter().map(|method| method.name()).collect();
            format!("{name} (web, {})", methods.join(" and "))
        }
        None if procedure.jobs.mode == Mode::Async => {
            format!("{name}{} (asynchronous)", procedure.signature)
        }
        None => format!("{name}{}", procedure.signature),
    }
}

/// What was granted, for people.
pub(super) fn granted(granted: &Granted) -> Vec<String> {
    let mut parts = Vec::new();
    let mut named = |what: &str, names: &[String]| {
        if !names.is_empty() {
            parts.push(format!("{what} {}", names.join(" ")));
        }
    };
    named("the environment", &granted.environment);
    named("the configuration", &granted.config);
    named("the secrets", &granted.secrets);
    named("requests to", &granted.http);
    parts.extend(granted.folders.iter().map(|folder| match folder.quota {
        Some(quota) => format!("{} to write {} to", folder.guest, size(quota)),
        None => format!("{} to read", folder.guest),
    }));
    parts
}

/// The size in a unit that suits it.
pub(super) fn size(bytes: u64) -> String {
    bytesize::ByteSize(bytes).display().iec().to_string()
}

/// The path as it was given, without the `./` that nobody typed.
pub(super) fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}
