//! The tests' packages of npm, in the target folder: exactly those of their lock file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::step;

/// What says which packages there are to be.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Where they are installed; the packages are in `node_modules`.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.target.join("test-node")
}

/// Installs the packages, when the lock file has changed.
///
/// # Errors
///
/// When npm fails.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    let folder = folder(project);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut wanted = String::new();
    for name in FILES {
        let (from, to) = (project.root.join("tests/support/node").join(name), folder.join(name));
        wanted += &fs::read_to_string(&from)
            .with_context(|| format!("cannot read {}", from.display()))?;
        fs::copy(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut npm = step::command("npm", &folder);
    step::run(npm.args(["ci", "--no-fund", "--no-audit", "--ignore-scripts"]))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
