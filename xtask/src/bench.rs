//! Starts the benchmarks. Knows nothing of what they measure.

use anyhow::Result;

use crate::project::Project;
use crate::{guests, step};

/// Builds the guests and runs the benchmarks with these arguments.
///
/// # Errors
///
/// When something does not compile, or the benchmarks fail.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<()> {
    guests::for_tests(project)?;
    let mut cargo = project.cargo("run");
    cargo.args(["--release", "--package", "tarp-bench", "--"]).args(arguments);
    step::run(cargo.env("TARP_GUESTS", project.test_guests()))
}
