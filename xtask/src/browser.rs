//! The browser of the tests: Chromium, and the driver through which they use it.
//!
//! Knows nothing of what the tests do with it.

use anyhow::{Result, bail};

use crate::project::Project;
use crate::{apt, step};

/// What the tests start, and Debian's packages for it.
const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Installs what is missing, where that is possible.
///
/// # Errors
///
/// Says how to get the browser where it cannot be installed from here.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    let missing = |program: &str| !step::works(project.command(program).arg("--version"));
    if !PROGRAMS.iter().any(|program| missing(program)) {
        return Ok(());
    }
    let installed = apt::install(project, &PACKAGES);
    if installed && !PROGRAMS.iter().any(|program| missing(program)) {
        return Ok(());
    }
    bail!(
        "the tests need {} on the path; on Debian, `apt-get install {}` as root installs them",
        PROGRAMS.join(" and "),
        PACKAGES.join(" ")
    )
}
