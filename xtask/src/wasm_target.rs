//! Rust's standard library for WebAssembly, which guests are compiled against.
//!
//! Knows how rustup installs it and how to see that it is there. What else can be done is up to
//! [`debian_std`].

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::{debian_std, step};

/// The target that cargo builds components for.
pub(crate) const WASIP2: &str = "wasm32-wasip2";

/// The target that cargo-component builds for.
pub(crate) const WASIP1: &str = "wasm32-wasip1";

/// All that the guests together need.
pub(crate) const ALL: [&str; 2] = [WASIP2, WASIP1];

/// Installs those of the targets that are missing.
///
/// # Errors
///
/// When neither rustup nor Debian can give one; says what to do.
pub(crate) fn ensure(project: &Project, targets: &[&str]) -> Result<()> {
    let sysroot = step::read(project.command("rustc").args(["--print", "sysroot"]))?;
    let sysroot = PathBuf::from(sysroot.trim_end());
    let missing = || targets.iter().copied().filter(|target| !has(&sysroot, target));
    let wanted: Vec<_> = missing().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let Err(refusal) = step::run(project.command("rustup").args(["target", "add"]).args(&wanted))
    else {
        return Ok(());
    };
    eprintln!("rustup cannot install it ({refusal}); trying Debian's rust-src");
    debian_std::install(project, &sysroot, &wanted).with_context(|| {
        let wanted = wanted.join(" ");
        format!(
            "Rust's standard library for {wanted} is missing, and neither rustup nor Debian gave \
             it. Run `rustup target add {wanted}` where rustup reaches its server"
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
