//! Builds the example procedures and the components that only tests use, and puts them into a folder.
//!
//! Each kind is a workspace of its own, which is the only list of its members; the [`projects`] in other
//! languages stand beside the examples. Knows nothing of how the tools are installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::project::{EXAMPLES, Project, WASIP1, WASIP2, WASM_TARGETS};
use crate::{cargo_component, projects, step, wasm_target};

/// The workspace of the components that only tests use.
const COMPONENTS: &str = "tests/components";

/// Both workspaces.
pub(crate) const WORKSPACES: [&str; 2] = [EXAMPLES, COMPONENTS];

/// The folders whose tests may use a component.
const TESTS: [&str; 2] = ["tests", "clients/python/tests"];

/// One member of a guests' workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    /// The package.
    pub(crate) name: String,
    /// The workspace that it is a member of.
    workspace: &'static str,
    /// Whether its manifest asks for cargo-component.
    pub(crate) component: bool,
}

impl Guest {
    /// The name that cargo gives the component.
    pub(crate) fn file(&self) -> String {
        format!("{}.wasm", self.stem())
    }

    fn stem(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// The manifest of a workspace.
pub(crate) fn manifest(workspace: &str) -> String {
    format!("{workspace}/Cargo.toml")
}

/// Every guest of a workspace, by name.
///
/// # Errors
///
/// When cargo cannot read the workspace.
pub(crate) fn list(project: &Project, workspace: &'static str) -> Result<Vec<Guest>> {
    let metadata = project.metadata(&manifest(workspace))?;
    let packages = metadata["packages"].as_array().context("cargo metadata: no packages")?;
    let guest = |package: &serde_json::Value| {
        let name = package["name"].as_str().context("cargo metadata: a package without a name")?;
        let component = package["metadata"]["component"].is_object();
        Ok(Guest { name: name.into(), workspace, component })
    };
    let mut guests = packages.iter().map(guest).collect::<Result<Vec<_>>>()?;
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(guests)
}

/// Builds all guests into the tests' folder, with the `tarp` that has been built.
///
/// # Errors
///
/// When a tool is missing, a guest does not compile, or no test uses a component made for tests.
pub(crate) fn for_tests(project: &Project) -> Result<()> {
    let components = list(project, COMPONENTS)?;
    let unused = unused(&components, &test_sources(project)?);
    if !unused.is_empty() {
        bail!(
            "no test names these components of {COMPONENTS}, as in `make_host(\"{}\")`: {}",
            unused[0],
            unused.join(", ")
        );
    }
    wasm_target::ensure(project, &WASM_TARGETS)?;
    let cargo_component = cargo_component::ensure(project)?;
    let mut guests = list(project, EXAMPLES)?;
    guests.extend(components);
    let folder = project.test_guests();
    build(project, &guests, Some(&cargo_component), &folder)?;
    let examples = projects::list(project)?;
    projects::build(project, &examples, &folder)?;
    let files = guests.iter().map(Guest::file).chain(examples.iter().map(projects::Example::file));
    remove_others(&files.collect::<Vec<_>>(), &folder)
}

/// Makes the bindings that cargo-component generates, where they are missing, so that cargo alone can
/// compile every guest.
///
/// # Errors
///
/// When cargo-component cannot be installed, or refuses a guest.
pub(crate) fn ensure_bindings(project: &Project) -> Result<()> {
    for guest in list(project, EXAMPLES)?.iter().filter(|guest| guest.component) {
        let bindings = project.root.join(guest.workspace).join(&guest.name).join("src/bindings.rs");
        if !bindings.exists() {
            wasm_target::ensure(project, &[WASIP1])?;
            let program = cargo_component::ensure(project)?;
            cargo_component::build(project, &program, &manifest(guest.workspace), &guest.name)?;
        }
    }
    Ok(())
}

/// Builds these guests into the folder; those that need cargo-component only where there is one.
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
    let (special, plain): (Vec<_>, Vec<_>) = guests.iter().partition(|guest| guest.component);
    for workspace in WORKSPACES {
        let members: Vec<_> = plain.iter().filter(|guest| guest.workspace == workspace).collect();
        if members.is_empty() {
            continue;
        }
        let mut cargo = project.cargo("build");
        cargo.args(["--release", "--target", WASIP2]);
        cargo.args(["--manifest-path", &manifest(workspace)]);
        cargo.arg("--target-dir").arg(&project.target);
        for guest in members {
            cargo.args(["--package", &guest.name]);
        }
        step::run(&mut cargo)?;
    }
    deliver_all(project, &plain, WASIP2, folder)?;
    let Some(cargo_component) = cargo_component else { return Ok(()) };
    for guest in &special {
        let manifest = manifest(guest.workspace);
        cargo_component::build(project, cargo_component, &manifest, &guest.name)?;
    }
    deliver_all(project, &special, WASIP1, folder)
}

fn deliver_all(project: &Project, guests: &[&Guest], target: &str, folder: &Path) -> Result<()> {
    let built = project.target.join(target).join("release");
    guests.iter().try_for_each(|guest| deliver(&built.join(guest.file()), folder))
}

/// The text of every test in Python. Fixtures do not count: they serve components without testing them.
fn test_sources(project: &Project) -> Result<String> {
    fn read(folder: &Path, text: &mut String) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path: PathBuf = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                read(&path, text)?;
            } else if name.starts_with("test_") && name.ends_with(".py") {
                *text += &fs::read_to_string(&path)?;
            }
        }
        Ok(())
    }
    let mut text = String::new();
    for folder in TESTS {
        let folder = project.root.join(folder);
        read(&folder, &mut text).with_context(|| format!("cannot read {}", folder.display()))?;
    }
    Ok(text)
}

/// Those of the components that the tests do not name, as a string of their own.
fn unused(components: &[Guest], tests: &str) -> Vec<String> {
    let names = components.iter().map(Guest::stem);
    names.filter(|name| !tests.contains(&format!("\"{name}\""))).collect()
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
    fn the_lists_are_the_workspaces_themselves() {
        let project = Project::find(false).unwrap();
        let guests = list(&project, EXAMPLES).unwrap();
        let find = |name: &str| guests.iter().find(|guest| guest.name == name).unwrap();
        assert!(find("text").component && !find("math").component);
        let components = list(&project, COMPONENTS).unwrap();
        assert!(components.iter().any(|guest| guest.file() == "misbehave_at_start.wasm"));
    }

    #[test]
    fn every_component_for_tests_is_named_by_one() {
        let project = Project::find(false).unwrap();
        let mut components = list(&project, COMPONENTS).unwrap();
        let tests = test_sources(&project).unwrap();
        assert_eq!(unused(&components, &tests), Vec::<String>::new());
        let stray = ["nobody", "uses-this"].join("-");
        components.push(Guest { name: stray.clone(), workspace: COMPONENTS, component: false });
        assert_eq!(unused(&components, &tests), [stray.replace('-', "_")]);
    }
}
