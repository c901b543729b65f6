//! The book in `docs/`: mdBook builds it, and a script of the tests checks its links.
//!
//! Does not know what is in the book; that its commands work is tested with the others in `tests/`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::step;

/// The version that is installed.
const VERSION: &str = "0.5.4";

/// How a version that builds the book as well begins.
const COMPATIBLE: &str = "mdbook v0.5.";

/// Checks the links of a built book.
const CHECK: &str = "tests/book/links.py";

/// Builds the book and checks its links.
///
/// # Errors
///
/// When mdBook cannot be installed, a chapter is missing, or a link is broken.
pub(crate) fn check(project: &Project) -> Result<()> {
    let mdbook = ensure(project)?;
    let book = project.target.join("book");
    step::run(project.command(mdbook).args(["build", "--dest-dir"]).arg(&book))?;
    step::run(project.command("python3").arg(CHECK).arg(&book))
}

/// mdBook: the user's own, or one that is installed into the target folder, which takes a minute.
fn ensure(project: &Project) -> Result<PathBuf> {
    let installed = project.target.join("tools/bin/mdbook");
    let right = |program: &PathBuf| {
        let version = step::read(project.command(program).arg("--version"));
        version.is_ok_and(|text| text.starts_with(COMPATIBLE))
    };
    if let Some(program) = ["mdbook".into(), installed.clone()].into_iter().find(right) {
        return Ok(program);
    }
    eprintln!("compiling mdbook {VERSION}, once; this takes a minute");
    let mut cargo = project.cargo("install");
    // Without search and a server, and not optimised, it compiles in about a minute.
    cargo.args(["mdbook", "--version", VERSION, "--locked", "--no-default-features", "--debug"]);
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").arg("--root").arg(project.target.join("tools"));
    step::run(&mut cargo).with_context(|| format!("mdbook {VERSION} cannot be installed"))?;
    Ok(installed)
}
