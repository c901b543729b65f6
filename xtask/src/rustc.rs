//! The compiler in use: its version, and where it keeps its standard libraries.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::step;

/// The compiler in use.
pub(crate) struct Rustc {
    /// Where it looks for standard libraries.
    pub(crate) sysroot: PathBuf,
    /// Its version, as in `1.95.0`.
    pub(crate) release: String,
    /// What it was built from; a standard library must be of the same.
    pub(crate) commit: String,
}

impl Rustc {
    /// Asks it.
    ///
    /// # Errors
    ///
    /// When there is none, or it says nothing that can be read.
    pub(crate) fn find(project: &Project) -> Result<Self> {
        let sysroot = step::read(project.command("rustc").args(["--print", "sysroot"]))?;
        let version = step::read(project.command("rustc").arg("-vV"))?;
        Ok(Self {
            sysroot: sysroot.trim_end().into(),
            release: field(&version, "release")?,
            commit: field(&version, "commit-hash")?,
        })
    }
}

/// A line of `rustc -vV`.
pub(crate) fn field(version: &str, name: &str) -> Result<String> {
    let mut lines = version.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Ok(value.with_context(|| format!("rustc -vV names no {name}"))?.into())
}
