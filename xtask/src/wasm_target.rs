//! Rust's standard library for WebAssembly, which guests are compiled against.
//!
//! Knows how to see that it is there and in which order to try for it. How it is come by without a change
//! of the machine is up to [`rustup_std`], and what can be done without rustup to [`debian_std`].

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::{debian_std, rustup_std, step};

/// The target that cargo builds components for.
pub(crate) const WASIP2: &str = "wasm32-wasip2";

/// The target that cargo-component builds for.
pub(crate) const WASIP1: &str = "wasm32-wasip1";

/// All that the guests together need.
pub(crate) const ALL: [&str; 2] = [WASIP2, WASIP1];

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

/// The sysroot in the target folder, where an earlier run had to make one.
pub(crate) fn own_sysroot(project: &Project) -> Option<PathBuf> {
    let all = |folder: &Path| ALL.iter().all(|target| has(folder, target));
    if !project.target.join("sysroot").exists() {
        return None;
    }
    let rustc = Rustc::find(project).ok()?;
    let own = own_folder(project, &rustc.release);
    (!all(&rustc.sysroot) && all(&own)).then_some(own)
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

/// The compiler in use.
pub(crate) struct Rustc {
    /// Where it looks for standard libraries.
    pub(crate) sysroot: PathBuf,
    /// Its version, as in `1.95.0`.
    pub(crate) release: String,
    /// What it was built from; a standard library must be of the same.
    pub(crate) commit: String,
}

impl Rustc {
    fn find(project: &Project) -> Result<Self> {
        let sysroot = step::read(project.command("rustc").args(["--print", "sysroot"]))?;
        let version = step::read(project.command("rustc").arg("-vV"))?;
        Ok(Self {
            sysroot: sysroot.trim_end().into(),
            release: field(&version, "release")?,
            commit: field(&version, "commit-hash")?,
        })
    }
}

/// A line of `rustc -vV`.
pub(crate) fn field(version: &str, name: &str) -> Result<String> {
    let mut lines = version.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Ok(value.with_context(|| format!("rustc -vV names no {name}"))?.into())
}

/// Whether the sysroot holds the standard library of this target.
fn has(sysroot: &Path, target: &str) -> bool {
    let Ok(entries) = sysroot.join("lib/rustlib").join(target).join("lib").read_dir() else {
        return false;
    };
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(is_std))
}
