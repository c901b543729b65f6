//! `tarp check`: everything in a folder loaded as the host would, for people and for CI.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde::Serialize;
use tarp_host::catalog::{Catalog, Keeper};
use tarp_host::config::LoadingConfig;
use tarp_host::sandbox::Access;

use super::local::{Loading, granted, shown};
use super::screen::{BAD, BOLD, GOOD, WARN, counted, painted, print, print_json, printable};

/// Load a folder's components as `tarp serve` would, and say every problem.
///
/// Ends with exit code 1 if there is one, be it a file that is not served or a warning.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder with the components
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Say it in JSON, for programs
    #[arg(long)]
    json: bool,
    /// Compare with `components.lock` in DIR, as `tarp serve --locked` does
    #[arg(long)]
    locked: bool,
    #[command(flatten)]
    loading: Loading,
}

#[derive(Serialize)]
struct Report<'a> {
    procedures: Vec<&'a str>,
    mounts: Vec<&'a str>,
    /// What each file might want to touch, and may.
    access: BTreeMap<&'a str, &'a Access>,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Problem<'a> {
    file: &'a str,
    message: &'a str,
    /// Whether something of the file would be served all the same.
    serving: bool,
}

impl Check {
    /// Checks the folder.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at at all.
    pub(crate) fn run(self) -> Result<ExitCode> {
        ensure!(self.dir.is_dir(), "cannot check {}: it is not a folder", self.dir.display());
        // Whoever checks waits for each file, however long it takes to compile.
        let loading = LoadingConfig { start_wait: Duration::MAX, ..LoadingConfig::default() };
        let loader = self.loading.loader()?;
        let mut keeper = Keeper::new(std::path::absolute(&self.dir)?, loader, loading);
        if self.locked {
            keeper.follow_lock()?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let catalog = runtime.block_on(load(keeper))?;
        runtime.shutdown_background();
        let report = Report {
            procedures: catalog.procedures().map(|procedure| &*procedure.name).collect(),
            mounts: catalog.mounts().map(|mount| &*mount.name).collect(),
            access: access(&catalog),
            problems: catalog
                .problems()
                .iter()
                .map(|problem| Problem {
                    file: &problem.file,
                    message: &problem.message,
                    serving: problem.serving,
                })
                .collect(),
        };
        if self.json {
            print_json(&report)?;
        } else {
            self.print(&report)?;
        }
        Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn print(&self, report: &Report<'_>) -> Result<()> {
        for Problem { file, message, serving } in &report.problems {
            let kind = if *serving { painted(WARN, "warning:") } else { painted(BAD, "error:") };
            print(format_args!("{kind} {}: {}", painted(BOLD, file), printable(message)))?;
        }
        for (file, access) in &report.access {
            let granted = granted(&access.granted);
            if !granted.is_empty() {
                print(format_args!("{} is granted {}", painted(BOLD, file), granted.join(", ")))?;
            }
        }
        let folder = shown(&self.dir);
        let procedures = counted(report.procedures.len(), "procedure");
        let mounts = match report.mounts.len() {
            0 => String::new(),
            n => format!(", {n} mounted"),
        };
        let style = if report.problems.is_empty() { GOOD } else { BAD };
        let problems = painted(style, &counted(report.problems.len(), "problem").to_string());
        print(format_args!("{folder}: {procedures}{mounts}, {problems}"))
    }
}

/// What each file might want and was granted.
fn access(catalog: &Catalog) -> BTreeMap<&str, &Access> {
    let procedures = catalog.procedures().map(|procedure| (&procedure.source, &procedure.access));
    let mounts = catalog.mounts().map(|mount| (&mount.source, &mount.access));
    procedures.chain(mounts).map(|(source, access)| (&*source.file, &**access)).collect()
}

/// The catalog when every file has been looked at.
async fn load(keeper: Keeper) -> Result<Arc<Catalog>> {
    let shared = keeper.catalog();
    let (loaded, is_loaded) = tokio::sync::oneshot::channel();
    let keeping = tokio::spawn(keeper.run(|_| {
        let _ = loaded.send(());
    }));
    is_loaded.await.context("loading the components failed")?;
    keeping.abort();
    Ok(shared.load_full())
}
