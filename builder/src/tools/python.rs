//! Private Python environments with pinned packages from PyPI.

use std::path::{Path, PathBuf};

use super::{Tool, Tools, pip};
use crate::BuildError;
use crate::report::{Reporter, Step};

/// A package of PyPI.
#[derive(Debug, Clone, Copy)]
pub struct PythonPackage {
    /// Its name.
    pub name: &'static str,
    /// The one version that is known to work.
    pub version: &'static str,
}

/// A private environment.
#[derive(Debug, Clone)]
pub struct Venv {
    directory: PathBuf,
}

/// How to get Python.
pub(crate) const PYTHON_CURE: &str =
    "`apt-get install python3 python3-venv` on Debian and Ubuntu, python.org has it for others";

const FOR: &str = "to build procedures in Python";

/// The first pip whose progress a program can read.
const PIP: &str = "pip>=24.1";

impl Venv {
    /// A program of the environment.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join("bin").join(name)
    }

    /// The environment's own Python.
    #[must_use]
    pub fn python(&self) -> Tool {
        Tool::new(self.program("python"), FOR, PYTHON_CURE)
    }
}

impl Tools {
    /// The environment with this package, made the first time.
    ///
    /// # Errors
    ///
    /// When Python is missing, or the package cannot be fetched.
    pub fn python(
        &self,
        package: PythonPackage,
        reporter: &dyn Reporter,
    ) -> Result<Venv, BuildError> {
        let PythonPackage { name, version } = package;
        let install = |at: &Path| {
            let step = Step::begin(reporter, "making a private Python environment");
            system_python().args(["-m", "venv"]).arg(at).run(&step).map_err(without_venv)?;
            let venv = Venv { directory: at.into() };
            let install = || pip::command(venv.python(), "install");
            pip::run(install().arg("--quiet").arg(PIP), reporter, &step)?;
            drop(step);
            let step = Step::begin(reporter, &format!("fetching {name} {version}, once"));
            let install = install().args(["--only-binary", ":all:", "--progress-bar", "raw"]);
            let install = install.env("PYTHONUNBUFFERED", "1").arg(format!("{name}=={version}"));
            pip::run(install, reporter, &step).map(drop)
        };
        let directory = self.ensure(&format!("python-{name}-{version}"), install)?;
        Ok(Venv { directory })
    }
}

/// The Python that the author has.
pub(crate) fn system_python() -> Tool {
    let program = std::env::var_os("TARP_PYTHON").unwrap_or_else(|| "python3".into());
    Tool::new(program, FOR, PYTHON_CURE)
}

fn without_venv(error: BuildError) -> BuildError {
    match error {
        BuildError::Tool { output, .. } if output.contains("ensurepip") => {
            BuildError::MissingTool {
                program: "python3's module venv".into(),
                purpose: FOR.into(),
                state: "is not installed".into(),
                cure: "on Debian and Ubuntu `apt-get install python3-venv` brings it".into(),
            }
        }
        error => error,
    }
}
