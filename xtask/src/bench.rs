//! Starts the benchmarks. Knows nothing of what they measure.

use anyhow::Result;

use crate::project::Project;
use crate::{guests, python, rust_tests, step};

/// Builds the guests and runs the benchmarks with these arguments: those of the Python client where
/// the first is `python`, those of the host otherwise.
///
/// # Errors
///
/// When something does not compile, or the benchmarks fail.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<()> {
    rust_tests::build_host(project)?;
    guests::for_tests(project)?;
    match arguments.split_first() {
        Some((first, rest)) if first == "python" => client(project, rest),
        _ => host(project, arguments),
    }
}

fn host(project: &Project, arguments: &[String]) -> Result<()> {
    release(project)?;
    let mut bench = project.command(project.target.join("release/tarp-bench"));
    step::run(bench.args(arguments).env("TARP_GUESTS", project.test_guests()))
}

/// Builds the programs of the workspace as they are released.
///
/// Of the whole workspace, as `cargo build --release` does: for one package alone cargo would choose other
/// features of the dependencies, and compile wasmtime once more.
fn release(project: &Project) -> Result<()> {
    step::run(project.cargo("build").args(["--release", "--workspace", "--bins"]))
}

fn client(project: &Project, arguments: &[String]) -> Result<()> {
    let mut bench = python::bench(project)?;
    bench.arg("--guests").arg(project.test_guests());
    if !arguments.iter().any(|argument| argument.split('=').next() == Some("--host")) {
        release(project)?;
        bench.arg("--host").arg(project.target.join("release/tarp"));
    }
    step::run(bench.args(arguments))
}
