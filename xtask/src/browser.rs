//! The browser of the tests: Chromium, and the driver through which they use it.
//!
//! Knows nothing of what the tests do with it.

use anyhow::{Result, bail};

use crate::project::Project;
use crate::{apt, step};

/// What the tests start, and Debian's packages for it.
const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Checks that they are there, and installs what is missing where the user allows it.
///
/// # Errors
///
/// Says how to get the browser where it is missing.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    let missing = |program: &str| !step::works(project.command(program).arg("--version"));
    if PROGRAMS.iter().any(|program| missing(program)) {
        apt::install(project, "the tests' browser", &PACKAGES)?;
    }
    match PROGRAMS.iter().find(|program| missing(program)) {
        Some(program) => bail!("`{program} --version` fails; the tests need it on the path"),
        None => Ok(()),
    }
}
