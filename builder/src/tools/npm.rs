//! Private prefixes with pinned packages from npm.

use std::path::{Path, PathBuf};

use super::{Tool, Tools, no_answer};
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

/// It gives up soon where there is no network: ten seconds for an answer, and a second try.
const PATIENCE: [&str; 4] = [
    "--fetch-timeout=10000",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=10000",
];

/// npm's codes for a registry that does not answer.
const SILENCE: [&str; 8] = [
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "ERR_SOCKET_TIMEOUT",
    "ETIMEDOUT",
];

fn unreachable(error: BuildError) -> BuildError {
    match &error {
        BuildError::Tool { output, .. } if SILENCE.iter().any(|code| output.contains(code)) => {
            no_answer("the registry of npm", "by `npm config set registry`")
        }
        _ => error,
    }
}

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
            let npm = npm.args(["--no-fund", "--no-audit", "--save-exact"]).args(PATIENCE);
            npm.args(names).run(&step).map(drop).map_err(unreachable)
        };
        let directory = self.ensure(&format!("npm-{name}-{}", versions.join("-")), install)?;
        Ok(NpmPrefix { directory })
    }
}
