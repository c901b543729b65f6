//! What `tarp build` needs of the system for the example procedures in JavaScript and C.
//!
//! Python is there for the tests anyhow, and what the languages' own registries have is fetched by
//! `tarp build` itself.

use anyhow::{Result, bail};

use crate::project::Project;
use crate::{apt, step};

/// A language's tools.
struct Tools {
    /// Of what.
    language: &'static str,
    /// Commands that only succeed where everything is there.
    checks: &'static [&'static [&'static str]],
    /// Debian's packages with it.
    packages: &'static [&'static str],
}

const LANGUAGES: [Tools; 2] = [
    Tools {
        language: "JavaScript",
        checks: &[&["node", "--version"], &["npm", "--version"]],
        packages: &["nodejs", "npm"],
    },
    Tools {
        language: "C",
        // Linking a program with a main function takes all that there is.
        checks: &[&[
            "sh",
            "-c",
            "for target in wasm32-wasip1 wasm32-wasi; do \
               echo 'int main(void) { return 0; }' | clang --target=$target -x c - -o /dev/null && exit; \
             done; exit 1",
        ]],
        packages: &["clang", "lld", "wasi-libc", "libclang-rt-dev-wasm32"],
    },
];

/// Checks that they are there, and installs what is missing where the user allows it.
///
/// # Errors
///
/// Says how to get what is missing.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    for Tools { language, checks, packages } in LANGUAGES {
        let works = || {
            let mut commands = checks.iter();
            commands.all(|check| step::works(project.command(check[0]).args(&check[1..])))
        };
        if works() {
            continue;
        }
        apt::install(
            project,
            &format!("what the examples in {language} are built with"),
            packages,
        )?;
        if !works() {
            bail!("{} are installed, but do not build {language}", packages.join(", "));
        }
    }
    Ok(())
}
