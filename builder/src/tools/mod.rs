//! Other people's tool chains, each in a directory of its own below one that belongs to the user.
//!
//! What the author must bring is the language itself (`python3`, `node`, `clang`, `cargo`); what
//! turns its programs into components is fetched from the language's own registry at a pinned
//! version, the first time it is needed. Nothing that the user has installed is touched. Two builds
//! at the same time install once.

mod command;
mod npm;
pub(crate) mod pip;
mod python;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub use command::Tool;
pub use npm::{NpmPackage, NpmPrefix};
pub(crate) use python::system_python;
pub use python::{PythonPackage, Venv};

use crate::BuildError;

/// The directory with the tool chains.
#[derive(Debug, Clone)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// In this directory, which is made when something is installed.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        // Tools run in directories of their own.
        Self { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// The user's: what the environment variable `TARP_TOOLS` names, or `tools` in the user's cache
    /// directory for TARP.
    ///
    /// # Errors
    ///
    /// When there is no home directory.
    pub fn of_user() -> Result<Self, BuildError> {
        if let Some(root) = std::env::var_os("TARP_TOOLS").filter(|root| !root.is_empty()) {
            return Ok(Self::at(root));
        }
        match directories::ProjectDirs::from("", "", "tarp") {
            Some(directories) => Ok(Self::at(directories.cache_dir().join("tools"))),
            None => Err(BuildError::source(
                "~",
                "there is no home directory to keep tool chains in; name a directory in the environment variable TARP_TOOLS",
            )),
        }
    }

    /// A directory that `install` fills once. `name` holds the pinned versions, so that another
    /// version is another directory.
    ///
    /// # Errors
    ///
    /// Those of `install`; the next call begins anew then.
    pub(crate) fn ensure(
        &self,
        name: &str,
        install: impl FnOnce(&Path) -> Result<(), BuildError>,
    ) -> Result<PathBuf, BuildError> {
        let directory = self.root.join(name);
        let installed = directory.join(".installed");
        if installed.exists() {
            return Ok(directory);
        }
        fs::create_dir_all(&self.root).map_err(BuildError::io(&self.root))?;
        let lock_path = self.root.join(format!("{name}.lock"));
        let lock = File::create(&lock_path).map_err(BuildError::io(&lock_path))?;
        lock.lock().map_err(BuildError::io(&lock_path))?;
        if !installed.exists() {
            let _ = fs::remove_dir_all(&directory);
            fs::create_dir_all(&directory).map_err(BuildError::io(&directory))?;
            install(&directory)?;
            fs::write(&installed, "").map_err(BuildError::io(&installed))?;
        }
        Ok(directory)
    }
}

/// A registry cannot be reached. `mirror` says how to name another one.
fn no_answer(registry: &str, mirror: &str) -> BuildError {
    BuildError::MissingTool {
        program: registry.into(),
        purpose: "to fetch what the component is made with, once".into(),
        state: "does not answer".into(),
        cure: format!(
            "connect this machine, name a proxy in HTTPS_PROXY or a mirror {mirror}, or copy the folder that TARP_TOOLS names from a machine where the build went well"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_that_of_the_directory_in_which_it_was_given() {
        assert!(Tools::at("tools").root.is_absolute());
    }

    #[test]
    fn what_failed_half_way_is_begun_anew_and_what_is_there_stays() {
        let root = tempfile::tempdir().unwrap();
        let tools = Tools::at(root.path());
        let failed = tools.ensure("a-1", |at| {
            fs::write(at.join("half"), "").unwrap();
            Err(BuildError::Internal("no".into()))
        });
        assert!(failed.is_err());
        let at = tools.ensure("a-1", |at| {
            assert!(!at.join("half").exists());
            fs::write(at.join("whole"), "").map_err(BuildError::io(at))
        });
        assert!(at.unwrap().join("whole").exists());
        tools.ensure("a-1", |_| panic!("installed twice")).unwrap();
    }
}
