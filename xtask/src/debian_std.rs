//! The standard library for WebAssembly where rustup cannot fetch it: built from Debian's
//! `rust-src` package of the compiler's own version, and linked with Debian's `wasi-libc`.
//!
//! Knows Debian's package tools, but not why a target is wanted. The machine's own package state
//! is left alone: lists and packages go to a scratch folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::project::Project;
use crate::step;

/// The suite that follows Rust's releases.
const SUITE: &str = "trixie-backports";

/// The crate whose only purpose is to have the standard library built for it.
const MANIFEST: &str = "[package]\nname = \"std-for-wasm\"\nedition = \"2024\"\n[workspace]\n";

/// Builds the standard library for the targets and puts it into the sysroot.
///
/// # Errors
///
/// Says which of Debian's parts is missing, or what did not compile.
pub(crate) fn install(project: &Project, sysroot: &Path, targets: &[&str]) -> Result<()> {
    let scratch = Scratch(project.target.join("std-for-wasm"));
    let rustc = step::read(project.command("rustc").arg("--version"))?;
    let version = rustc.split_whitespace().nth(1).context("rustc --version gives no version")?;
    let unpacked = fetch(&scratch.0, version)?;
    let source = sysroot.join("lib/rustlib/src/rust");
    fs::create_dir_all(&source).with_context(|| format!("cannot write {}", source.display()))?;
    let _ = fs::remove_dir_all(source.join("library"));
    let library = unpacked.join("usr/src").join(format!("rustc-{version}/library"));
    step::run(step::command("cp", &scratch.0).arg("-r").args([&library, &source]))?;
    for target in targets {
        let built = build(&scratch.0, target)?;
        place(&built, &unpacked.join("usr/lib").join(target), sysroot, target)
            .with_context(|| format!("cannot put {target} into {}", sysroot.display()))?;
    }
    Ok(())
}

/// A folder that does not outlive its use: it takes a gigabyte.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Downloads and unpacks both packages; gives the folder that stands for their `/`.
fn fetch(scratch: &Path, version: &str) -> Result<PathBuf> {
    let _ = fs::remove_dir_all(scratch);
    for folder in ["lists/partial", "cache/archives/partial", "packages"] {
        fs::create_dir_all(scratch.join(folder))?;
    }
    let mirror = mirror().context("no Debian mirror is configured on this machine")?;
    fs::write(scratch.join("sources.list"), format!("deb {mirror} {SUITE} main\n"))?;
    step::run(apt("apt-get", scratch).args(["-qq", "update"]))?;
    let offered = step::read(apt("apt-cache", scratch).args(["madison", "rust-src"]))?;
    let Some(package) = package_version(&offered, version) else {
        bail!("{SUITE} has no rust-src {version}, only:\n{offered}");
    };
    let packages = scratch.join("packages");
    let rust_src = format!("rust-src={package}");
    let mut download = apt("apt-get", scratch);
    step::run(download.current_dir(&packages).args(["-qq", "download", &rust_src, "wasi-libc"]))?;
    let unpacked = scratch.join("unpacked");
    for package in fs::read_dir(packages)? {
        step::run(step::command("dpkg", scratch).arg("-x").args([&package?.path(), &unpacked]))?;
    }
    Ok(unpacked)
}

/// An apt command whose state is all in the scratch folder.
fn apt(program: &str, scratch: &Path) -> Command {
    let mut apt = step::command(program, scratch);
    for (option, place) in [
        ("Dir::Etc::sourcelist", "sources.list"),
        ("Dir::State::lists", "lists"),
        ("Dir::Cache", "cache"),
    ] {
        apt.arg("-o").arg(format!("{option}={}", scratch.join(place).display()));
    }
    // apt's own unprivileged user could not write to the scratch folder.
    apt.args(["-o", "Dir::Etc::sourceparts=/dev/null", "-o", "APT::Sandbox::User=root"]);
    apt
}

/// The first Debian mirror that this machine's own package sources name.
fn mirror() -> Option<String> {
    let parts = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let files = parts.map(|part| part.path()).chain([PathBuf::from("/etc/apt/sources.list")]);
    files.filter_map(|file| mirror_in(&fs::read_to_string(file).ok()?)).next()
}

fn mirror_in(sources: &str) -> Option<String> {
    let words =
        sources.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let is_mirror =
        |word: &&str| word.starts_with("http") && word.trim_end_matches('/').ends_with("/debian");
    words.map(|word| word.trim_start_matches("URIs:")).find(is_mirror).map(Into::into)
}

/// Of the lines `package | version | source`, the first version that was made from this Rust.
fn package_version<'a>(offered: &'a str, rust: &str) -> Option<&'a str> {
    let mut versions = offered.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.find(|offer| offer.strip_prefix(rust).is_some_and(|rest| rest.starts_with('+')))
}

/// Compiles the standard library for a target; gives the folder with its parts.
fn build(scratch: &Path, target: &str) -> Result<PathBuf> {
    let krate = scratch.join("crate");
    fs::create_dir_all(krate.join("src"))?;
    fs::write(krate.join("Cargo.toml"), MANIFEST)?;
    fs::write(krate.join("src/lib.rs"), "")?;
    let mut cargo = step::command("cargo", &krate);
    // Building the standard library is unstable; guests with `lto = true` need its bitcode.
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Cembed-bitcode=yes");
    cargo.args(["build", "--release", "-Zbuild-std=std,panic_abort,proc_macro,test"]);
    cargo.args(["--target", target, "--target-dir", "target"]);
    step::run(&mut cargo)?;
    Ok(krate.join("target").join(target).join("release/deps"))
}

/// Puts a target's libraries into the sysroot, in place of whatever is there: two builds of the
/// standard library side by side break every compilation.
fn place(built: &Path, libc: &Path, sysroot: &Path, target: &str) -> Result<()> {
    let home = sysroot.join("lib/rustlib").join(target);
    let (new, final_place) = (home.join("lib.new"), home.join("lib"));
    let _ = fs::remove_dir_all(&new);
    fs::create_dir_all(new.join("self-contained"))?;
    let is_library = |name: &str| name.ends_with(".rlib") && !name.starts_with("libstd_for_wasm");
    for entry in fs::read_dir(built)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_library) {
            fs::copy(entry.path(), new.join(entry.file_name()))?;
        }
    }
    for entry in fs::read_dir(libc).context("wasi-libc lacks the target")? {
        let entry = entry?;
        fs::copy(entry.path(), new.join("self-contained").join(entry.file_name()))?;
    }
    let _ = fs::remove_dir_all(&final_place);
    Ok(fs::rename(new, final_place)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_found_in_both_forms_of_apt_sources_but_not_in_comments() {
        let sources = "Types: deb\n# http://old.example/debian\nURIs: http://new.example/debian\n";
        assert_eq!(mirror_in(sources).unwrap(), "http://new.example/debian");
        let sources = "deb [trusted=yes] https://other.example/debian/ trixie main";
        assert_eq!(mirror_in(sources).unwrap(), "https://other.example/debian/");
        assert_eq!(mirror_in("deb http://new.example/debian-security trixie main"), None);
    }

    #[test]
    fn only_the_package_of_the_very_same_rust_will_do() {
        let offered = "rust-src | 1.96.0+dfsg1-1 | x\nrust-src | 1.95.0+dfsg1-2~bpo13+1 | x\n";
        assert_eq!(package_version(offered, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(package_version(offered, "1.95"), None);
        assert_eq!(package_version("", "1.95.0"), None);
    }
}
