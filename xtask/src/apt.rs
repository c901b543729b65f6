//! Debian's package manager, for what the tests need of the system.
//!
//! Does not know what it installs.

use crate::project::Project;
use crate::step;

/// Installs packages; whether that went well.
pub(crate) fn install(project: &Project, packages: &[&str]) -> bool {
    let apt = |action: &str| {
        let mut apt = project.command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y", action]);
        apt
    };
    step::works(project.command("apt-get").arg("--version"))
        && step::run(&mut apt("update")).is_ok()
        && step::run(apt("install").arg("--no-install-recommends").args(packages)).is_ok()
}
