//! The Python client as its users have it: installed from its wheel, on every Python that it is for.
//!
//! Knows how to come by a Python, and nothing of what the tests test.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::project::Project;
use crate::{python, step};

/// The minor versions of Python 3 that the client is for.
const MINORS: std::ops::RangeInclusive<u32> = 9..=14;

/// The one that has the oldest dependencies that the client admits, numpy 1 among them; the others have
/// the newest.
const OLDEST: u32 = *MINORS.start();

/// What the tests need besides the client.
const REQUIREMENTS: &str = "requirements-test.txt";

/// Holds the dependencies at the oldest versions.
const CONSTRAINTS: &str = "requirements-oldest.txt";

/// The tests of the client on each Python that is installed here or can be fetched.
///
/// # Errors
///
/// When the client cannot be packed or installed, or a test fails.
pub(crate) fn client(project: &Project) -> Result<()> {
    let wheel = wheel(project)?;
    let mut missing = Vec::new();
    for minor in MINORS {
        match find(project, minor) {
            Some(python) => test(project, &python, minor, &wheel)?,
            None => missing.push(format!("3.{minor}")),
        }
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        eprintln!("not tested on Python {missing}: not installed, and not to be fetched from here");
    }
    Ok(())
}

/// The wheel of the client, made from its sdist, so that both are known to be whole.
fn wheel(project: &Project) -> Result<PathBuf> {
    python::venv(project)?;
    let folder = project.target.join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut build = project.command(python::program(project, "python"));
    build.args(["-m", "build", "--outdir"]).arg(&folder).arg(python::CLIENT);
    step::run(&mut build)?;
    let made =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut made = made.filter_map(|entry| Some(entry.ok()?.path()));
    match made.find(|file| file.extension().is_some_and(|extension| extension == "whl")) {
        Some(wheel) => Ok(wheel),
        None => bail!("no wheel in {}", folder.display()),
    }
}

/// A Python of this version: on the path, among those of pyenv, or fetched by uv.
fn find(project: &Project, minor: u32) -> Option<PathBuf> {
    let works = |python: &PathBuf| {
        step::works(project.command(python).args(["-c", "import ensurepip, venv"]))
    };
    let name = format!("python3.{minor}");
    Some(PathBuf::from(&name))
        .filter(works)
        .or_else(|| of_pyenv(&name).filter(works))
        .or_else(|| fetched(project, minor).filter(works))
}

fn of_pyenv(name: &str) -> Option<PathBuf> {
    let home = || Some(Path::new(&std::env::var_os("HOME")?).join(".pyenv"));
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(home)?;
    let versions = fs::read_dir(root.join("versions")).ok()?;
    versions
        .filter_map(|version| Some(version.ok()?.path().join("bin").join(name)))
        .find(|python| python.is_file())
}

fn fetched(project: &Project, minor: u32) -> Option<PathBuf> {
    let version = format!("3.{minor}");
    let uv = |subcommand| {
        let mut uv = project.command(python::program(project, "uv"));
        uv.args(["--no-config", "python", subcommand, "--managed-python", &version]);
        uv.env("UV_PYTHON_INSTALL_DIR", project.target.join("pythons/fetched"));
        uv
    };
    let mut install = uv("install");
    step::works(install.arg("--no-bin"))
        .then(|| step::read(&mut uv("find")).ok())
        .flatten()
        .map(|path| path.trim().into())
}

fn test(project: &Project, base: &Path, minor: u32, wheel: &Path) -> Result<()> {
    let folder = project.target.join(format!("pythons/3.{minor}"));
    let python = folder.join("bin/python");
    if !step::works(project.command(&python).arg("--version")) {
        step::run(project.command(base).args(["-m", "venv", "--clear"]).arg(&folder))?;
    }
    let pip = |subcommand| {
        let mut pip = step::command(&python, &project.root.join(python::CLIENT));
        pip.args(["-m", "pip", subcommand, "--quiet", "--disable-pip-version-check"]);
        pip
    };
    // Of the same version, pip would keep the one that is there.
    step::run(pip("uninstall").args(["--yes", "tarp-client"]))?;
    let mut install = pip("install");
    if minor == OLDEST {
        install.args(["--constraint", CONSTRAINTS]);
    }
    step::run(install.args(["--requirement", REQUIREMENTS]).arg(wheel))?;
    python::run_tests(project, &python, python::CLIENT)
}
