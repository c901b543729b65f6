//! Builds and runs what cargo can test: the workspace, its documentation, the guests' own units.

use anyhow::Result;

use crate::project::Project;
use crate::{environment, guests, step};

/// Builds the host and all tests of the workspace.
///
/// One command for both: cargo chooses the features of the dependencies per command, and would
/// compile some of them twice.
///
/// # Errors
///
/// When something does not compile.
pub(crate) fn build(project: &Project) -> Result<()> {
    step::run(project.cargo("build").args(["--workspace", "--lib", "--bins", "--tests"]))
}

/// Builds the host alone.
///
/// Of the workspace, as the tests do: for one package alone, cargo would choose other features of the
/// dependencies and compile wasmtime once more.
///
/// # Errors
///
/// When it does not compile.
pub(crate) fn build_host(project: &Project) -> Result<()> {
    step::run(project.cargo("build").args(["--workspace", "--bin", "tarp"]))
}

/// Runs the tests of the workspace.
///
/// # Errors
///
/// When one fails.
pub(crate) fn run(project: &Project) -> Result<()> {
    let mut cargo = if step::works(project.cargo("nextest").arg("--version")) {
        let mut cargo = project.cargo("nextest");
        cargo.arg("run");
        cargo
    } else {
        eprintln!("cargo-nextest is not installed: cargo test does, but stops no test that hangs");
        let mut cargo = project.cargo("test");
        cargo.args(["--no-fail-fast", "--lib", "--bins", "--tests"]);
        cargo
    };
    environment::tell(project, &mut cargo);
    // A snapshot that differs would be written beside the old one.
    cargo.env("INSTA_UPDATE", "no");
    step::run(cargo.arg("--workspace"))
}

/// Runs the examples in the documentation, which nextest does not.
///
/// # Errors
///
/// When one fails.
pub(crate) fn documentation(project: &Project) -> Result<()> {
    step::run(project.cargo("test").args(["--workspace", "--doc"]))
}

/// Runs the guests' unit tests, on this machine rather than in WebAssembly.
///
/// # Errors
///
/// When one fails.
pub(crate) fn guests(project: &Project) -> Result<()> {
    guests::ensure_bindings(project)?;
    for workspace in guests::WORKSPACES {
        let mut cargo = project.cargo("test");
        cargo.args(["--lib", "--manifest-path", &guests::manifest(workspace)]);
        step::run(cargo.arg("--target-dir").arg(&project.target))?;
    }
    Ok(())
}
