//! Debian's package manager, for what the tests need of the system.
//!
//! Does not know what it installs.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::step;

/// Installs packages that `what` needs, if the user allows changes of the machine.
///
/// # Errors
///
/// When they may not or cannot be installed; gives the command that installs them.
pub(crate) fn install(project: &Project, what: &str, packages: &[&str]) -> Result<()> {
    let install = format!("apt-get install {}", packages.join(" "));
    if !project.install {
        bail!(
            "{what} is missing; on Debian, `{install}` as root installs it, and so does this command \
             with --install"
        );
    }
    let apt = |action: &str| {
        let mut apt = project.command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y", action]);
        apt
    };
    if step::works(project.command("apt-get").arg("--version"))
        && step::run(&mut apt("update")).is_ok()
        && step::run(apt("install").arg("--no-install-recommends").args(packages)).is_ok()
    {
        return Ok(());
    }
    bail!("{what} is missing, and could not be installed; on Debian, `{install}` as root does it")
}

/// Downloads a package and unpacks it into a folder, without what it depends on and without installing it.
///
/// # Errors
///
/// When it cannot be had.
pub(crate) fn unpack(project: &Project, package: &str, folder: &Path) -> Result<()> {
    let download = || step::run(step::command("apt-get", folder).args(["-q", "download", package]));
    if let Err(error) = download() {
        // A machine may know no packages yet. To have it ask is a change of it.
        if !project.install {
            return Err(error);
        }
        step::run(project.command("apt-get").args(["-q", "update"]))?;
        download()?;
    }
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            step::run(step::command("dpkg", folder).arg("-x").arg(&file).arg("."))?;
            fs::remove_file(file)?;
        }
    }
    Ok(())
}
