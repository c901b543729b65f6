//! The Python client as its users have it: installed from its wheel, on every Python that it is for.
//!
//! Knows how to come by a Python, and nothing of what the tests test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

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
    let mut build = project.command(project.venv_program("python"));
    build.args(["-m", "build", "--outdir"]).arg(&folder).arg(python::CLIENT);
    step::run(&mut build)?;
    let made =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut made = made.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = made.find(|file| file.extension().is_some_and(|extension| extension == "whl"));
    wheel.with_context(|| format!("no wheel in {}", folder.display()))
}

/// A Python of this version: on the path, among those of pyenv, or fetched by uv.
fn find(project: &Project, minor: u32) -> Option<PathBuf> {
    let works = |python: &PathBuf| step::works(project.command(python).arg("--version"));
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
    let python = |subcommand| uv(project, &["python", subcommand, "--managed-python", &version]);
    if !step::works(python("install").arg("--no-bin")) {
        return None;
    }
    step::read(&mut python("find")).ok().map(|path| path.trim().into())
}

/// uv, which makes an environment in a fraction of pip's time, and knows where to fetch a Python.
fn uv(project: &Project, arguments: &[&str]) -> Command {
    let mut uv = project.command(project.venv_program("uv"));
    uv.arg("--no-config").args(arguments);
    uv.env("UV_PYTHON_INSTALL_DIR", project.target.join("pythons/fetched"));
    uv
}

fn test(project: &Project, base: &Path, minor: u32, wheel: &Path) -> Result<()> {
    let folder = project.target.join(format!("pythons/3.{minor}"));
    let python = folder.join("bin/python");
    step::run(uv(project, &["venv", "--quiet", "--clear", "--python"]).arg(base).arg(&folder))?;
    let mut install = uv(project, &["pip", "install", "--quiet", "--python"]);
    install.arg(&python).current_dir(project.root.join(python::CLIENT));
    if minor == OLDEST {
        install.args(["--constraint", CONSTRAINTS]);
    }
    step::run(install.args(["--requirement", REQUIREMENTS]).arg(wheel))?;
    python::run_tests(project, &python, python::CLIENT)
}
