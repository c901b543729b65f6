//! The proxy of the tests: nginx. Where the machine has none, its package is unpacked into the target folder;
//! to install it would start a server.
//!
//! Knows nothing of what the tests do with it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::project::Project;
use crate::{apt, step};

/// The program, wherever it is.
pub(crate) fn program(project: &Project) -> PathBuf {
    // Its usual place is seldom on the path of who is not root.
    let places = ["nginx", "/usr/sbin/nginx"].map(PathBuf::from);
    let works = |program: &PathBuf| step::works(project.command(program).arg("-v"));
    places.into_iter().find(works).unwrap_or_else(|| folder(project).join("usr/sbin/nginx"))
}

fn folder(project: &Project) -> PathBuf {
    project.target.join("test-nginx")
}

/// Checks that it is there, and fetches it where it is missing.
///
/// # Errors
///
/// Says how to get it where it is missing.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    let works = || step::works(project.command(program(project)).arg("-v"));
    if works() {
        return Ok(());
    }
    let folder = folder(project);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let fetched = apt::unpack(project, "nginx", &folder);
    if fetched.is_err() || !works() {
        bail!(
            "the tests' proxy is missing, and could not be fetched; on Debian, `apt-get install nginx` as root \
             installs it, and this command with --install fetches it where `apt-get update` is all that it lacks"
        );
    }
    Ok(())
}
