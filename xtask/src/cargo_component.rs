//! cargo-component: finds it, installs it into the target folder, and builds guests with it.
//!
//! Never touches what the user has installed. Does not know which guests there are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::step;

/// The version that the examples are tested with; the bindings that another one generates may not fit
/// them.
const VERSION: &str = "0.21.1";

/// How a user installs the program.
pub(crate) fn install_hint() -> String {
    format!("cargo install cargo-component --version {VERSION} --locked")
}

/// The program of the right version: the user's own, or the one installed here before.
pub(crate) fn find(project: &Project) -> Option<PathBuf> {
    let right = |program: &PathBuf| {
        let version = step::read(project.command(program).arg("--version"));
        version.is_ok_and(|text| text.split_whitespace().any(|word| word == VERSION))
    };
    ["cargo-component".into(), installed(project)].into_iter().find(right)
}

/// The program of the right version, installed if there is none: that takes minutes.
///
/// # Errors
///
/// When it cannot be compiled here.
pub(crate) fn ensure(project: &Project) -> Result<PathBuf> {
    if let Some(program) = find(project) {
        return Ok(program);
    }
    eprintln!("compiling cargo-component {VERSION}, once; this takes a few minutes");
    let mut cargo = project.cargo("install");
    cargo.args(["cargo-component", "--version", VERSION, "--locked"]);
    // Its release profile takes several times as long to compile, for guests built in seconds.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").arg("--debug");
    cargo.arg("--root").arg(project.target.join("tools"));
    step::run(&mut cargo).with_context(|| {
        format!("cargo-component {VERSION}, which builds one of the examples, cannot be installed")
    })?;
    Ok(installed(project))
}

/// Builds one package of the workspace with this manifest, optimised.
///
/// # Errors
///
/// When it does not compile.
pub(crate) fn build(
    project: &Project,
    program: &Path,
    manifest: &str,
    package: &str,
) -> Result<()> {
    let mut build = project.command(program);
    build.args(["component", "build", "--release", "--manifest-path", manifest]);
    // It looks for what it builds where cargo's metadata says, which no flag changes.
    build.args(["--package", package]).env("CARGO_TARGET_DIR", &project.target);
    step::run(&mut build)
}

fn installed(project: &Project) -> PathBuf {
    project.target.join("tools/bin/cargo-component")
}
