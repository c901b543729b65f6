//! `tarp lock`: writes down what is in a folder, so that a host serves that and nothing else.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tarp_host::catalog::{LOCK_FILE, LockFile};

use super::local::shown;
use super::screen::{counted, print};

/// Write `components.lock`: the files of a folder, and their digests.
///
/// A host that is started with `--locked` serves those and nothing else.
#[derive(Debug, Args)]
pub(crate) struct Lock {
    /// The folder with the components
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Lock {
    /// Writes the file.
    ///
    /// # Errors
    ///
    /// Where something of the folder cannot be read, or the file cannot be written.
    pub(crate) fn run(self) -> Result<()> {
        let folder = shown(&self.dir);
        ensure!(self.dir.is_dir(), "cannot lock {folder}: it is not a folder");
        let lock = LockFile::of(&self.dir).with_context(|| format!("cannot lock {folder}"))?;
        lock.write(&self.dir).with_context(|| format!("cannot lock {folder}"))?;
        let components = counted(lock.len(), "component");
        print(format_args!("{}: {components}", shown(&self.dir.join(LOCK_FILE))))
    }
}
