//! Builds and runs what cargo can test: the workspace, its documentation, the guests' own units.

use std::process::Command;

use anyhow::Result;

use crate::project::Project;
use crate::{guests, nginx, node, projects, python, step};

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
    tell(project, &mut cargo);
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

/// Tells a test where to find what it needs.
pub(crate) fn tell(project: &Project, test: &mut Command) {
    project.point_at_sysroot(test);
    test.env("TARP_BIN", project.host());
    test.env("TARP_GUESTS", project.test_guests());
    test.env("TARP_TOOLS", projects::tools(project));
    test.env("TARP_TEST_PYTHON", python::program(project, "python"));
    test.env("TARP_TEST_NODE", node::folder(project));
    test.env("TARP_TEST_NGINX", nginx::program(project));
}
