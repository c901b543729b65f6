//! Builds the example procedures from source and puts them into a folder.
//!
//! The only list of them is their workspace's own, with the [`projects`] beside it. Knows nothing of how the tools are installed.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::{cargo_component, projects, step, wasm_target};

/// The guests' workspace.
pub(crate) const FOLDER: &str = "examples/guests";

/// Its manifest.
pub(crate) const MANIFEST: &str = "examples/guests/Cargo.toml";

/// One member of the guests' workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    /// The package.
    pub(crate) name: String,
    /// Whether its manifest asks for cargo-component.
    component: bool,
}

impl Guest {
    /// The name that cargo gives the component.
    pub(crate) fn file(&self) -> String {
        format!("{}.wasm", self.name.replace('-', "_"))
    }
}

/// Every guest, by name.
///
/// # Errors
///
/// When cargo cannot read their workspace.
pub(crate) fn list(project: &Project) -> Result<Vec<Guest>> {
    let metadata = project.metadata(MANIFEST)?;
    let packages = metadata["packages"].as_array().context("cargo metadata: no packages")?;
    let guest = |package: &serde_json::Value| {
        let name = package["name"].as_str().context("cargo metadata: a package without a name")?;
        Ok(Guest { name: name.into(), component: package["metadata"]["component"].is_object() })
    };
    let mut guests = packages.iter().map(guest).collect::<Result<Vec<_>>>()?;
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(guests)
}

/// Builds all guests into the tests' folder, installing what that takes.
///
/// # Errors
///
/// When a tool cannot be installed or a guest does not compile.
pub(crate) fn for_tests(project: &Project) -> Result<()> {
    wasm_target::ensure(project, &wasm_target::ALL)?;
    let cargo_component = cargo_component::ensure(project)?;
    let guests = list(project)?;
    let folder = project.test_guests();
    build(project, &guests, Some(&cargo_component), &folder)?;
    let examples = projects::list(project)?;
    projects::build(project, &examples, &folder)?;
    let files = guests.iter().map(Guest::file).chain(examples.iter().map(projects::Example::file));
    remove_others(&files.collect::<Vec<_>>(), &folder)
}

/// Builds these guests into the folder; without cargo-component, cargo builds its guests as well.
///
/// # Errors
///
/// When a guest does not compile or cannot be put there.
pub(crate) fn build(
    project: &Project,
    guests: &[Guest],
    cargo_component: Option<&Path>,
    folder: &Path,
) -> Result<()> {
    let with_component = |guest: &&Guest| guest.component && cargo_component.is_some();
    let (special, plain): (Vec<_>, Vec<_>) = guests.iter().partition(with_component);
    let mut cargo = project.cargo("build");
    cargo.args(["--release", "--target", wasm_target::WASIP2, "--manifest-path", MANIFEST]);
    cargo.arg("--target-dir").arg(&project.target);
    for guest in &plain {
        cargo.args(["--package", &guest.name]);
    }
    step::run(&mut cargo)?;
    if let Some(cargo_component) = cargo_component {
        for guest in &special {
            cargo_component::build(project, cargo_component, MANIFEST, &guest.name)?;
        }
    }
    for (guests, target) in [(plain, wasm_target::WASIP2), (special, wasm_target::WASIP1)] {
        let built = project.target.join(target).join("release");
        for guest in guests {
            deliver(&built.join(guest.file()), folder)?;
        }
    }
    Ok(())
}

/// Copies a file so that whoever watches the folder sees it whole or not at all, and does not see
/// it again when nothing changed.
fn deliver(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().context("a file has a name")?;
    let new = fs::read(file).with_context(|| format!("{} was not built", file.display()))?;
    let place = folder.join(name);
    if fs::read(&place).is_ok_and(|old| old == new) {
        return Ok(());
    }
    let hidden = folder.join(format!(".{}.new", name.display()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&hidden, new))
        .and_then(|()| fs::rename(&hidden, &place))
        .with_context(|| format!("cannot write {}", place.display()))
}

/// A guest that was renamed must not go on being tested under its old name.
fn remove_others(files: &[String], folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let entry = entry?;
        if !files.iter().any(|file| entry.file_name() == **file) {
            fs::remove_file(entry.path()).with_context(|| format!("{}", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_leaves_nothing_beside_it() {
        let temporary = tempfile::tempdir().unwrap();
        let (source, folder) = (temporary.path().join("a.wasm"), temporary.path().join("to"));
        fs::write(&source, "1").unwrap();
        deliver(&source, &folder).unwrap();
        let written = || fs::metadata(folder.join("a.wasm")).unwrap().modified().unwrap();
        let first = written();
        deliver(&source, &folder).unwrap();
        assert_eq!(written(), first);
        fs::write(&source, "2").unwrap();
        deliver(&source, &folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("a.wasm")).unwrap(), "2");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn the_list_is_the_workspace_itself() {
        let guests = list(&Project::find().unwrap()).unwrap();
        let find = |name: &str| guests.iter().find(|guest| guest.name == name).unwrap();
        assert!(find("text").component && !find("math").component);
        assert_eq!(find("misbehave-at-start").file(), "misbehave_at_start.wasm");
    }
}
