//! Rust's standard library for WebAssembly, which guests are compiled against.
//!
//! Knows how to see that it is there and in which order to try for it. How it is come by without a change
//! of the machine is up to [`rustup_std`], and what can be done without rustup to [`debian_std`].

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::project::{Project, WASM_TARGETS};
use crate::rustc::Rustc;
use crate::{debian_std, rustup_std, step};

/// Makes sure that the targets can be compiled for.
///
/// What is missing goes into a sysroot in the target folder; into the compiler's own only where the user
/// allows that.
///
/// # Errors
///
/// When neither rustup nor Debian can give one; says what to do.
pub(crate) fn ensure(project: &Project, targets: &[&str]) -> Result<()> {
    let rustc = Rustc::find(project)?;
    let missing: Vec<_> =
        targets.iter().copied().filter(|target| !has(&rustc.sysroot, target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let own = own_folder(project, &rustc.release);
    if targets.iter().all(|target| has(&own, target)) {
        project.use_sysroot(own);
        return Ok(());
    }
    if project.install {
        return install(project, &rustc.sysroot, &missing);
    }
    rustup_std::unpack(project, &rustc, &own).with_context(|| {
        let missing = missing.join(" ");
        format!(
            "Rust's standard library for {missing} is missing, and could not be put into {}; \
             `rustup target add {missing}` installs it for the toolchain in use, and this command with \
             --install also tries Debian's rust-src",
            own.display()
        )
    })?;
    project.use_sysroot(own);
    Ok(())
}

/// Uses the sysroot in the target folder, where an earlier run had to make one.
pub(crate) fn use_own_sysroot(project: &Project) {
    let all = |folder: &Path| WASM_TARGETS.iter().all(|target| has(folder, target));
    if !project.target.join("sysroot").exists() {
        return;
    }
    let Ok(rustc) = Rustc::find(project) else { return };
    let own = own_folder(project, &rustc.release);
    if !all(&rustc.sysroot) && all(&own) {
        project.use_sysroot(own);
    }
}

fn own_folder(project: &Project, release: &str) -> PathBuf {
    project.target.join("sysroot").join(release)
}

/// Installs targets into the compiler's own sysroot.
fn install(project: &Project, sysroot: &Path, targets: &[&str]) -> Result<()> {
    let Err(refusal) = step::run(project.command("rustup").args(["target", "add"]).args(targets))
    else {
        return Ok(());
    };
    eprintln!("rustup cannot install it ({refusal}); trying Debian's rust-src");
    debian_std::install(project, sysroot, targets).with_context(|| {
        let targets = targets.join(" ");
        format!(
            "Rust's standard library for {targets} is missing, and neither rustup nor Debian gave \
             it. Run `rustup target add {targets}` where rustup reaches its server"
        )
    })
}

/// Whether the sysroot holds the standard library of this target.
fn has(sysroot: &Path, target: &str) -> bool {
    let Ok(entries) = sysroot.join("lib/rustlib").join(target).join("lib").read_dir() else {
        return false;
    };
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(is_std))
}
