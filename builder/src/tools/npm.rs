//! Private prefixes with pinned packages from npm.

use std::path::{Path, PathBuf};

use super::{Tool, Tools};
use crate::BuildError;
use crate::report::{Reporter, Step};

/// A package of npm.
#[derive(Debug, Clone, Copy)]
pub struct NpmPackage {
    /// Its name.
    pub name: &'static str,
    /// The one version that is known to work.
    pub version: &'static str,
}

/// A private prefix.
#[derive(Debug, Clone)]
pub struct NpmPrefix {
    directory: PathBuf,
}

const FOR: &str = "to build procedures in JavaScript";
const INSTALL_HINT: &str =
    "`apt-get install nodejs npm` on Debian and Ubuntu, nodejs.org has it for others";

impl NpmPrefix {
    /// The folder `node_modules`.
    #[must_use]
    pub fn modules(&self) -> PathBuf {
        self.directory.join("node_modules")
    }

    /// A program of one of the packages.
    #[must_use]
    pub fn program(&self, name: &str) -> Tool {
        Tool::new(self.modules().join(".bin").join(name), FOR, INSTALL_HINT)
    }

    /// Node.
    #[must_use]
    pub fn node() -> Tool {
        Tool::new("node", FOR, INSTALL_HINT)
    }
}

impl Tools {
    /// The prefix with these packages, made the first time. `name` is the prefix' own; the versions
    /// need not be in it.
    ///
    /// # Errors
    ///
    /// When npm is missing, or a package cannot be fetched.
    pub fn npm(
        &self,
        name: &str,
        packages: &[NpmPackage],
        reporter: &dyn Reporter,
    ) -> Result<NpmPrefix, BuildError> {
        let versions: Vec<_> = packages.iter().map(|package| package.version).collect();
        let install = |at: &Path| {
            let names: Vec<_> = packages
                .iter()
                .map(|NpmPackage { name, version }| format!("{name}@{version}"))
                .collect();
            let step = Step::begin(reporter, &format!("fetching {}, once", names.join(", ")));
            let npm = Tool::new("npm", FOR, INSTALL_HINT).arg("install").arg("--prefix").arg(at);
            npm.args(["--no-fund", "--no-audit", "--save-exact"]).args(names).run(&step).map(drop)
        };
        let directory = self.ensure(&format!("npm-{name}-{}", versions.join("-")), install)?;
        Ok(NpmPrefix { directory })
    }
}
