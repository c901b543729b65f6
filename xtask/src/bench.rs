//! Starts the benchmarks. Knows nothing of what they measure.

use anyhow::Result;

use crate::project::Project;
use crate::{guests, python, step};

/// Builds the guests and runs the benchmarks with these arguments: those of the Python client where
/// the first is `python`, those of the host otherwise.
///
/// # Errors
///
/// When something does not compile, or the benchmarks fail.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<()> {
    guests::for_tests(project)?;
    match arguments.split_first() {
        Some((first, rest)) if first == "python" => client(project, rest),
        _ => host(project, arguments),
    }
}

fn host(project: &Project, arguments: &[String]) -> Result<()> {
    let mut cargo = project.cargo("run");
    cargo.args(["--release", "--package", "tarp-bench", "--"]).args(arguments);
    step::run(cargo.env("TARP_GUESTS", project.test_guests()))
}

fn client(project: &Project, arguments: &[String]) -> Result<()> {
    let mut bench = python::bench(project)?;
    bench.arg("--guests").arg(project.test_guests());
    if !arguments.iter().any(|argument| argument.split('=').next() == Some("--host")) {
        let mut cargo = project.cargo("build");
        step::run(cargo.args(["--release", "--package", "tarp-host", "--bin", "tarp"]))?;
        bench.arg("--host").arg(project.target.join("release/tarp"));
    }
    step::run(bench.args(arguments))
}
