//! What is checked without running anything: format, lints, licences, spelling.

use anyhow::{Context as _, Result, bail};

use crate::project::{Project, WASIP2};
use crate::{advisories, fuzz, guests, step, wasm_target};

/// Rust's format, in every workspace.
///
/// # Errors
///
/// When a file differs from what rustfmt makes of it.
pub(crate) fn format(project: &Project) -> Result<()> {
    component(project, "fmt", "rustfmt")?;
    // By folder: `--manifest-path` does not take a workspace without a root package.
    for workspace in ["", fuzz::FOLDER].into_iter().chain(guests::WORKSPACES) {
        let folder = project.root.join(workspace);
        step::run(step::command("cargo", &folder).args(["fmt", "--check"]))?;
    }
    Ok(())
}

/// Rust's lints, of the host and of the guests as what they are: WebAssembly.
///
/// # Errors
///
/// When there is a warning.
pub(crate) fn clippy(project: &Project) -> Result<()> {
    component(project, "clippy", "clippy")?;
    let deny = ["--all-targets", "--", "--deny", "warnings"];
    step::run(project.cargo("clippy").arg("--workspace").args(deny))?;
    wasm_target::ensure(project, &[WASIP2])?;
    guests::ensure_bindings(project)?;
    for workspace in guests::WORKSPACES {
        let mut cargo = project.cargo("clippy");
        cargo.args(["--manifest-path", &guests::manifest(workspace), "--target", WASIP2]);
        step::run(cargo.arg("--target-dir").arg(&project.target).args(deny))?;
    }
    Ok(())
}

/// Licences and origins of the dependencies, and the advisories that the project carries along.
///
/// What is published elsewhere is news, which must not fail a change that has nothing to do with it.
/// `cargo deny check advisories` fetches it; where its database is there already, it is asked as well,
/// and what it finds is said.
///
/// # Errors
///
/// When a dependency breaks a rule of `deny.toml`, or is one that an advisory speaks of, without a
/// reason in `advisories.toml`.
pub(crate) fn dependencies(project: &Project) -> Result<()> {
    advisories::check(project)?;
    if !step::works(project.command("cargo-deny").arg("--version")) {
        return skipped("cargo-deny");
    }
    if step::run(project.cargo("deny").args(["--offline", "check", "advisories"])).is_err() {
        eprintln!("the advisories of others say more, or are not on this machine");
    }
    step::run(project.cargo("deny").args(["check", "bans", "licenses", "sources"]))
}

/// The spelling of everything.
///
/// # Errors
///
/// When there is a word that `typos.toml` does not allow.
pub(crate) fn spelling(project: &Project) -> Result<()> {
    let programs = ["typos".into(), project.venv_program("typos")];
    let installed = |program: &_| step::works(project.command(program).arg("--version"));
    match programs.iter().find(|program| installed(program)) {
        Some(typos) => step::run(&mut project.command(typos)),
        None => skipped("typos"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "ends a step")]
fn skipped(program: &str) -> Result<()> {
    eprintln!("skipped: {program} is not installed");
    Ok(())
}

/// Makes sure that a component of the toolchain is there, which minimal installations lack.
fn component(project: &Project, subcommand: &str, component: &str) -> Result<()> {
    if step::works(project.cargo(subcommand).arg("--version")) {
        return Ok(());
    }
    let advice = format!(
        "`cargo {subcommand}` is missing; `rustup component add {component}` or the system's package \
         manager installs it"
    );
    if !project.install {
        bail!("{advice}, and where there is rustup, so does this command with --install");
    }
    step::run(project.command("rustup").args(["component", "add", component])).context(advice)
}
