//! The Python side: virtual environments in the target folder, ruff and pytest in that of the tests.
//!
//! Knows nothing of what the tests test.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::project::Project;
use crate::{environment, step};

/// What the tests need: files with requirements, each with the folder that it speaks of.
const REQUIREMENTS: [(&str, &str); 3] = [
    (".", "tests/requirements.txt"),
    (CLIENT, "requirements-test.txt"),
    (CLIENT, "requirements-dev.txt"),
];

/// Processes that run tests at once. A test waits for most of its time, so that there are more of them than
/// cores; each has hosts that use every core, so that there are not many.
const PROCESSES: &str = "4";

/// What the benchmark of the client needs, and the benchmark itself.
const BENCH: &str = "bench/python";

/// The Python client.
pub(crate) const CLIENT: &str = "clients/python";

/// Scripts in it also run on Pythons whose style is no longer today's.
const OLD_STYLE: &str = "host/tests/fixtures";

/// They are Python only when their placeholders are filled.
const TEMPLATES: &str = "builder/templates";

/// Creates the virtual environment and installs what the tests require, when that has changed.
///
/// # Errors
///
/// When Python or its venv module is missing, or a package cannot be installed.
pub(crate) fn venv(project: &Project) -> Result<()> {
    install(project, "venv", &REQUIREMENTS)
}

/// The benchmark of the Python client, with what it needs installed, for more arguments.
///
/// # Errors
///
/// As [`venv`].
pub(crate) fn bench(project: &Project) -> Result<Command> {
    install(project, "bench-venv", &[(BENCH, "requirements.txt")])?;
    let mut bench = project.command(project.target.join("bench-venv/bin/python"));
    bench.arg(BENCH);
    Ok(bench)
}

fn install(project: &Project, name: &str, requirements: &[(&str, &str)]) -> Result<()> {
    let python = step::read(project.command("python3").arg("--version"))
        .context("python3 is needed, with its venv module")?;
    let mut wanted = python;
    for (at, file) in requirements {
        let file = project.root.join(at).join(file);
        wanted += &fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
    }
    let folder = project.target.join(name);
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !step::works(project.command("python3").args(["-c", "import ensurepip, venv"])) {
        bail!(
            "this python3 cannot create virtual environments; on Debian and Ubuntu, \
             `apt-get install python3-venv` lets it"
        );
    }
    step::run(project.command("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    for (at, file) in requirements {
        let mut pip = step::command(folder.join("bin/python"), &project.root.join(at));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        step::run(pip.args(["--requirement", file]))?;
    }
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Style and format of everything in Python.
///
/// # Errors
///
/// When ruff finds fault.
pub(crate) fn ruff(project: &Project) -> Result<()> {
    venv(project)?;
    let ruff = project.venv_program("ruff");
    let cache = project.target.join("ruff");
    let command = || {
        let mut command = project.command(&ruff);
        command.env("RUFF_CACHE_DIR", &cache);
        command
    };
    let places = [".", "--extend-exclude", OLD_STYLE, "--extend-exclude", TEMPLATES];
    step::run(command().arg("check").args(places))?;
    step::run(command().args(["format", "--check"]).args(places))
}

/// The tests against the built host, with everything that they ask for in their environment.
///
/// # Errors
///
/// When the host or the guests were not built, or a test fails.
pub(crate) fn pytest(project: &Project) -> Result<()> {
    venv(project)?;
    run_tests(project, &project.venv_program("python"), "tests")
}

/// The tests of the Python client, against the built host.
///
/// # Errors
///
/// As [`pytest`].
pub(crate) fn client(project: &Project) -> Result<()> {
    venv(project)?;
    run_tests(project, &project.venv_program("python"), CLIENT)
}

/// The types of the Python client.
///
/// # Errors
///
/// When mypy finds fault.
pub(crate) fn types(project: &Project) -> Result<()> {
    venv(project)?;
    let mut mypy = step::command(project.venv_program("python"), &project.root.join(CLIENT));
    mypy.args(["-m", "mypy", "--cache-dir"]).arg(project.target.join("mypy"));
    step::run(&mut mypy)
}

/// Runs the tests of a folder with this Python.
///
/// # Errors
///
/// As [`pytest`].
pub(crate) fn run_tests(project: &Project, python: &Path, folder: &str) -> Result<()> {
    for (needed, step) in [(project.host(), "host"), (project.test_guests(), "guests")] {
        if !needed.exists() {
            bail!("{} is missing; `cargo xtask test {step}` builds it", needed.display());
        }
    }
    let mut pytest = step::command(python, &project.root.join(folder));
    environment::tell(project, &mut pytest);
    pytest.args(["-m", "pytest", "-q"]);
    // By file, since the fixtures of one are for all its tests.
    pytest.args([
        "--numprocesses",
        PROCESSES,
        "--dist",
        "loadfile",
        // In the order of their names, which has the longest ones in the middle.
        "--no-loadscope-reorder",
    ]);
    pytest.arg("-o").arg(format!("cache_dir={}", project.target.join("pytest").display()));
    step::run(&mut pytest)
}
