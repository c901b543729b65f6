//! `tarp inspect`: what a component offers, and what it wants.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::Args;
use serde::Serialize;
use tarp_host::catalog::Inspection;
use tarp_host::sandbox::Access;

use super::local::{Loading, granted, headline, shown, size};
use super::screen::{BOLD, DIM, WARN, painted, print, print_json, printable};

/// Show what a component offers: procedures, signatures, documentation, imports.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The component
    file: PathBuf,
    /// Say it in JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    loading: Loading,
}

#[derive(Serialize)]
struct Report<'a> {
    file: &'a Path,
    size: u64,
    digest: &'a str,
    procedures: Vec<Procedure<'a>>,
    /// The version of `wasi:http` by which it answers requests itself.
    answers_http: Option<&'static str>,
    imports: &'a [String],
    access: &'a Access,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Procedure<'a> {
    name: &'a str,
    aliases: Vec<&'a str>,
    signature: String,
    documentation: &'a str,
    mode: tarp_host::config::Mode,
    web: &'a Option<Vec<tarp_host::config::WebMethod>>,
}

impl Inspect {
    /// Shows the component.
    ///
    /// # Errors
    ///
    /// Why the host would not load it.
    pub(crate) fn run(self) -> Result<()> {
        let loader = self.loading.loader()?;
        let inspection =
            loader.inspect(&self.file).map_err(|e| anyhow!("{}: {e}", self.file.display()))?;
        if self.json {
            print_json(&self.report(&inspection))
        } else {
            print(Description { file: &self.file, inspection: &inspection })
        }
    }

    fn report<'a>(&'a self, inspection: &'a Inspection) -> Report<'a> {
        let procedures = inspection.procedures.iter().map(|procedure| Procedure {
            name: &procedure.name,
            aliases: further_names(procedure),
            signature: procedure.signature.to_string(),
            documentation: &procedure.documentation,
            mode: procedure.jobs.mode,
            web: &procedure.web,
        });
        Report {
            file: &self.file,
            size: inspection.size,
            digest: &inspection.digest,
            procedures: procedures.collect(),
            answers_http: inspection.mount.as_ref().map(|mount| mount.version()),
            imports: &inspection.imports,
            access: &inspection.access,
            warnings: &inspection.warnings,
        }
    }
}

fn further_names(procedure: &tarp_host::catalog::Procedure) -> Vec<&str> {
    procedure.further_names().map(|name| &**name).collect()
}

/// What a component might want against what it was granted, and what would grant the rest.
fn write_access(f: &mut fmt::Formatter<'_>, access: &Access) -> fmt::Result {
    let granted = granted(&access.granted);
    if access.wants.is_empty() && granted.is_empty() {
        return write!(f, "\nwants nothing that would have to be granted");
    }
    if !granted.is_empty() {
        write!(f, "\nis granted {}", granted.join(", "))?;
    }
    let missing: Vec<_> = access.missing().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|want| want.name()).collect();
    write!(
        f,
        "\nmight want {}, which is not granted, so calls that need it fail",
        painted(WARN, &names.join(", "))
    )?;
    for line in missing.iter().filter_map(|want| want.grant()) {
        write!(f, "\n    {}", painted(DIM, line))?;
    }
    if missing.iter().any(|want| want.grant().is_some()) {
        write!(f, "\nunder [grants] of its sidecar would grant it")?;
    }
    Ok(())
}

/// What the component offers, for people.
struct Description<'a> {
    file: &'a Path,
    inspection: &'a Inspection,
}

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, inspection } = self;
        write!(f, "{} ({})", painted(BOLD, &shown(file)), size(inspection.size))?;
        for procedure in &inspection.procedures {
            write!(f, "\n\n  {}", headline(procedure))?;
            let aliases = further_names(procedure);
            if !aliases.is_empty() {
                write!(f, "\n      also called {}", aliases.join(", "))?;
            }
            for line in procedure.documentation.lines() {
                write!(f, "\n      {}", painted(DIM, &printable(line)))?;
            }
        }
        if let Some(mount) = &inspection.mount {
            let (name, version) = (&mount.name, mount.version());
            write!(f, "\n\n  answers requests below /{name}/ itself (wasi:http {version})")?;
        }
        writeln!(f)?;
        if !inspection.imports.is_empty() {
            write!(f, "\nimports {}\n", inspection.imports.join(", "))?;
        }
        write_access(f, &inspection.access)?;
        for warning in &inspection.warnings {
            write!(f, "\n\n{} {}", painted(WARN, "warning:"), printable(warning))?;
        }
        Ok(())
    }
}
