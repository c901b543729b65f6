//! The standard library for WebAssembly without a change of the user's toolchain: rustup downloads a second
//! one into the target folder, of which the libraries for WebAssembly stay.
//!
//! Knows rustup and the layout of a sysroot, but not why a target is wanted.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::project::{Project, WASM_TARGETS};
use crate::rustc::{Rustc, field};
use crate::step;

/// Makes a sysroot that has all that the compiler's own has, as links, and the WebAssembly targets.
///
/// # Errors
///
/// When rustup is missing or cannot download this version, or gives another compiler than the one in use.
pub(crate) fn unpack(project: &Project, rustc: &Rustc, own: &Path) -> Result<()> {
    let home = project.target.join("rustup");
    let unpacked = unpack_to(project, rustc, own, &home);
    // Several hundred megabytes, of which nothing is needed any more.
    let _ = fs::remove_dir_all(home);
    unpacked
}

fn unpack_to(project: &Project, rustc: &Rustc, own: &Path, home: &Path) -> Result<()> {
    let mut rustup = project.command("rustup");
    rustup.env("RUSTUP_HOME", home).args(["toolchain", "install", &rustc.release]);
    rustup.args(["--profile", "minimal", "--no-self-update"]);
    for target in WASM_TARGETS {
        rustup.args(["--target", target]);
    }
    step::run(&mut rustup)?;
    let mut toolchains = fs::read_dir(home.join("toolchains"))?;
    let toolchain = toolchains.next().context("rustup installed no toolchain")??.path();
    let version = step::read(project.command(toolchain.join("bin/rustc")).arg("-vV"))?;
    if field(&version, "commit-hash")? != rustc.commit {
        bail!("rustup's Rust {} is not built from the same source", rustc.release);
    }
    let libraries = own.join("lib/rustlib");
    let _ = fs::remove_dir_all(own);
    fs::create_dir_all(&libraries).with_context(|| format!("cannot make {}", own.display()))?;
    for entry in fs::read_dir(rustc.sysroot.join("lib/rustlib"))? {
        let entry = entry?;
        if !WASM_TARGETS.iter().any(|target| entry.file_name() == **target) {
            symlink(entry.path(), libraries.join(entry.file_name()))?;
        }
    }
    for target in WASM_TARGETS {
        fs::rename(toolchain.join("lib/rustlib").join(target), libraries.join(target))
            .with_context(|| format!("rustup installed no {target}"))?;
    }
    Ok(())
}
