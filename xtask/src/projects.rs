//! The example procedures in other languages than Rust: projects that `tarp build` builds.
//!
//! They are the folders beside the guests' workspace members that have no `Cargo.toml`. Knows nothing
//! of their languages: the host's own command does it, as it would for anybody.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::project::{EXAMPLES, Project};
use crate::step;

/// What decides what a build gives, besides the project itself.
const BUILDER: &str = "builder";

/// A project; its component has the folder's name, as guests have their package's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Example {
    folder: PathBuf,
}

impl Example {
    /// The component's file.
    pub(crate) fn file(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        format!("{}.wasm", name.replace('-', "_"))
    }
}

/// Every project, by name.
///
/// # Errors
///
/// When the folder cannot be read.
pub(crate) fn list(project: &Project) -> Result<Vec<Example>> {
    let mut examples = Vec::new();
    for entry in fs::read_dir(project.root.join(EXAMPLES)).context(EXAMPLES)? {
        let folder = entry?.path();
        let has_sources =
            ["pyproject.toml", "package.json"].iter().any(|f| folder.join(f).exists())
                || folder.join("wit").is_dir();
        if has_sources && !folder.join("Cargo.toml").exists() {
            examples.push(Example { folder });
        }
    }
    examples.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(examples)
}

/// The directory for the tools of those languages, of this project's own.
pub(crate) fn tools(project: &Project) -> PathBuf {
    project.target.join("tarp-tools")
}

/// Builds the projects whose component in this folder is older than they are, with the `tarp` that has been
/// built.
///
/// # Errors
///
/// When a language's own tool is missing, or a project does not build.
pub(crate) fn build(project: &Project, examples: &[Example], folder: &Path) -> Result<()> {
    let is_stale = |example: &&Example| {
        let sources = [example.folder.clone(), project.root.join(BUILDER)];
        let newest = sources.iter().map(|source| newest(source)).max();
        let built = fs::metadata(folder.join(example.file())).and_then(|file| file.modified());
        !built.is_ok_and(|built| Some(built) > newest)
    };
    let stale: Vec<_> = examples.iter().filter(is_stale).collect();
    if stale.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for example in stale {
        let mut tarp = project.command(project.host());
        let source = example.folder.strip_prefix(&project.root).unwrap_or(&example.folder);
        tarp.arg("build").arg(source).arg("--output").arg(folder.join(example.file()));
        step::run(tarp.arg("--tools").arg(tools(project)))?;
        // Also when nothing changed in it and it was left as it was.
        let file = fs::File::options().append(true).open(folder.join(example.file()))?;
        file.set_modified(SystemTime::now())?;
    }
    Ok(())
}

/// When something in a folder changed last.
fn newest(path: &Path) -> SystemTime {
    let own = fs::metadata(path).and_then(|file| file.modified());
    let inner =
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| newest(&entry.path()));
    inner.chain(own).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_the_folders_that_cargo_does_not_know() {
        let project = Project::find(false).unwrap();
        let files: Vec<_> = list(&project).unwrap().iter().map(Example::file).collect();
        assert!(files.contains(&"signal_lab.wasm".to_owned()), "{files:?}");
        assert!(!files.contains(&"math.wasm".to_owned()), "{files:?}");
    }
}
