//! Which file of a folder holds the procedures, and what its project depends on.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::BuildError;
use crate::request::inside;

/// The parts of a `pyproject.toml` that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Manifest {
    project: ProjectTable,
    tool: ToolTable,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProjectTable {
    name: Option<String>,
    dependencies: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToolTable {
    tarp: TarpTable,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TarpTable {
    module: Option<PathBuf>,
}

/// What is built.
#[derive(Debug)]
pub(super) struct Project {
    /// The file with the procedures.
    pub(super) module: PathBuf,
    /// Requirements, as pip takes them.
    pub(super) dependencies: Vec<String>,
}

impl Project {
    /// The project of a source file, or in a folder.
    ///
    /// # Errors
    ///
    /// When the folder does not tell which file it is.
    pub(super) fn find(source: &Path) -> Result<Self, BuildError> {
        if !source.is_dir() {
            let manifest = read(source.parent().unwrap_or(Path::new("")))?;
            let dependencies = manifest.unwrap_or_default().project.dependencies;
            return Ok(Self { module: source.into(), dependencies });
        }
        let manifest = read(source)?.unwrap_or_default();
        let module = module(source, &manifest)?;
        Ok(Self { module, dependencies: manifest.project.dependencies })
    }
}

fn read(folder: &Path) -> Result<Option<Manifest>, BuildError> {
    let path = folder.join("pyproject.toml");
    match fs::read_to_string(&path) {
        Ok(text) => match toml::from_str(&text) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(e) => Err(BuildError::source(path, e.to_string())),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(BuildError::io(path)(e)),
    }
}

fn module(folder: &Path, manifest: &Manifest) -> Result<PathBuf, BuildError> {
    if let Some(module) = &manifest.tool.tarp.module {
        return Ok(inside(folder, module));
    }
    if let Some(name) = &manifest.project.name {
        let file = format!("{}.py", name.replace('-', "_"));
        for place in [inside(folder, &file), inside(folder, Path::new("src").join(&file))] {
            if place.is_file() {
                return Ok(place);
            }
        }
    }
    let entries = fs::read_dir(folder).map_err(BuildError::io(folder))?;
    let mut modules: Vec<_> =
        entries.flatten().map(|entry| inside(folder, entry.file_name())).collect();
    modules.retain(|path| is_module(path));
    modules.sort();
    match modules.as_slice() {
        [module] => Ok(module.clone()),
        [] => Err(BuildError::source(folder, "has no .py file with procedures in it")),
        several => {
            let file = |path: &PathBuf| path.file_name().unwrap_or_default().display().to_string();
            let names = several.iter().map(file).collect::<Vec<_>>().join(", ");
            Err(BuildError::source(
                folder,
                format!(
                    "has several modules ({names}); name one (`tarp build stats.py`), or write `module = \"stats.py\"` under [tool.tarp] in pyproject.toml"
                ),
            ))
        }
    }
}

/// Whether a file may hold the procedures; tests and our own module do not.
fn is_module(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let other = ["conftest", "setup", "tarp_guest"].contains(&&*stem)
        || stem.starts_with("test_")
        || stem.ends_with("_test");
    path.extension().is_some_and(|extension| extension == "py") && !other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(files: &[(&str, &str)]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        match Project::find(folder.path()) {
            Ok(Project { module, .. }) => {
                Ok(module.strip_prefix(folder.path()).unwrap().display().to_string())
            }
            Err(e) => Err(e.to_string()),
        }
    }

    #[test]
    fn the_module_is_the_named_one_or_the_only_one() {
        let manifest = ("pyproject.toml", "[project]\nname = \"my-stats\"\n");
        let tool = ("pyproject.toml", "[tool.tarp]\nmodule = \"b.py\"\n");
        let (a, b) = (("a.py", ""), ("b.py", ""));
        assert_eq!(find(&[manifest, ("src/my_stats.py", ""), a, b]).unwrap(), "src/my_stats.py");
        assert_eq!(find(&[tool, a, b]).unwrap(), "b.py");
        assert_eq!(find(&[a, ("test_a.py", ""), ("tarp_guest.py", "")]).unwrap(), "a.py");
        assert!(find(&[a, b]).unwrap_err().contains("a.py, b.py"));
    }

    #[test]
    fn a_broken_manifest_is_named() {
        let error = find(&[("pyproject.toml", "[project"), ("a.py", "")]).unwrap_err();
        assert!(error.contains("pyproject.toml"), "{error}");
    }
}
