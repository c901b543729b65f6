//! Which file of a folder holds the procedures, and what its project depends on.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

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
    dependencies: Option<Vec<String>>,
    files: Vec<String>,
}

/// What a script says of itself in a comment, `# /// script` (PEP 723).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Script {
    dependencies: Vec<String>,
}

const MANIFEST: &str = "pyproject.toml";

/// What is built.
#[derive(Debug)]
pub(super) struct Project {
    /// The file with the procedures.
    pub(super) module: PathBuf,
    /// The folder whose modules and files it may use.
    pub(super) folder: PathBuf,
    /// Requirements, as pip takes them.
    pub(super) dependencies: Vec<String>,
    /// The file that names them.
    pub(super) declared_in: PathBuf,
    /// Further files and folders that go into the component.
    pub(super) files: Vec<String>,
    /// The manifest, where there is one.
    pub(super) manifest: Option<PathBuf>,
}

impl Project {
    /// The project of a source file, or in a folder.
    ///
    /// # Errors
    ///
    /// When the folder does not tell which file it is.
    pub(super) fn find(source: &Path) -> Result<Self, BuildError> {
        if !source.is_dir() {
            let folder = project_of(source)?;
            let manifest = read(&folder)?;
            return Self::new(source.into(), folder, manifest);
        }
        let manifest = read(source)?;
        let module = module(source, manifest.as_ref().unwrap_or(&Manifest::default()))?;
        Self::new(module, source.into(), manifest)
    }

    fn new(
        module: PathBuf,
        folder: PathBuf,
        manifest: Option<Manifest>,
    ) -> Result<Self, BuildError> {
        let path = manifest.as_ref().map(|_| inside(&folder, MANIFEST));
        let Manifest { project, tool: ToolTable { tarp } } = manifest.unwrap_or_default();
        let (dependencies, declared_in) = match script(&module)? {
            Some(script) => (script.dependencies, module.clone()),
            None => (
                tarp.dependencies.unwrap_or(project.dependencies),
                path.clone().unwrap_or_else(|| MANIFEST.into()),
            ),
        };
        Ok(Self { module, folder, dependencies, declared_in, files: tarp.files, manifest: path })
    }

    /// What to do about a module that is imported, and is nowhere.
    pub(super) fn not_there(&self, name: &str) -> String {
        let list = if self.declared_in == self.module {
            "`dependencies` after `# /// script`".into()
        } else if self.manifest.is_some() {
            format!("`dependencies` in {}", self.declared_in.display())
        } else {
            "`dependencies` under [project] of a pyproject.toml beside it".into()
        };
        format!(
            "`{name}` is neither in the project, nor in the standard library of components, nor among the dependencies; put what brings it into {list}"
        )
    }
}

/// The folder of the project that a source file is part of: the nearest one with a manifest, above the
/// packages that the file is in.
fn project_of(source: &Path) -> Result<PathBuf, BuildError> {
    let parent = source.parent().unwrap_or(Path::new(""));
    if parent.join(MANIFEST).is_file() {
        return Ok(parent.into());
    }
    let absolute = std::path::absolute(source).map_err(BuildError::io(source))?;
    for folder in absolute.ancestors().skip(1) {
        if folder.join(MANIFEST).is_file() {
            return Ok(folder.into());
        }
        let is_package = folder.join("__init__.py").is_file();
        if !is_package && folder.file_name().is_none_or(|name| name != "src") {
            break;
        }
    }
    Ok(parent.into())
}

fn read(folder: &Path) -> Result<Option<Manifest>, BuildError> {
    let path = folder.join(MANIFEST);
    match fs::read_to_string(&path) {
        Ok(text) => match toml::from_str(&text) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(e) => Err(BuildError::source(path, e.to_string())),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(BuildError::io(path)(e)),
    }
}

/// What the module says of itself, if it does.
fn script(module: &Path) -> Result<Option<Script>, BuildError> {
    // A module that cannot be read is told of where it is analysed.
    let text = fs::read_to_string(module).unwrap_or_default();
    let text = if is_notebook(module) { code_of(&text) } else { text };
    let Some(block) = script_block(&text) else { return Ok(None) };
    match toml::from_str(&block) {
        Ok(script) => Ok(Some(script)),
        Err(e) => Err(BuildError::source(module, format!("what follows `# /// script`: {e}"))),
    }
}

fn script_block(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| line.trim_end() != "# /// script").skip(1);
    let mut block = String::new();
    loop {
        let line = lines.next()?.trim_end();
        if line == "# ///" {
            return Some(block);
        }
        block += line.strip_prefix("# ").or_else(|| line.strip_prefix('#'))?;
        block.push('\n');
    }
}

/// The code of a notebook, as far as comments are concerned.
fn code_of(notebook: &str) -> String {
    let notebook: Value = serde_json::from_str(notebook).unwrap_or_default();
    let cells = notebook["cells"].as_array().into_iter().flatten();
    let source = |cell: &Value| match &cell["source"] {
        Value::String(text) => text.clone() + "\n",
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<String>() + "\n",
        _ => String::new(),
    };
    cells.filter(|cell| cell["cell_type"] == "code").map(source).collect()
}

fn module(folder: &Path, manifest: &Manifest) -> Result<PathBuf, BuildError> {
    if let Some(module) = &manifest.tool.tarp.module {
        let path = inside(folder, module);
        let dotted = module.to_string_lossy().replace('.', "/");
        let place = if path.is_dir() { path.join("__init__.py") } else { path.clone() };
        let mut places = [place].into_iter().chain(places_of(folder, &dotted));
        return Ok(places.find(|place| place.is_file()).unwrap_or(path));
    }
    if let Some(name) = &manifest.project.name {
        let mut places = places_of(folder, &name.replace(['-', '.'], "_")).into_iter();
        if let Some(place) = places.find(|place| place.is_file()) {
            return Ok(place);
        }
    }
    if folder.join("__init__.py").is_file() {
        return Ok(inside(folder, "__init__.py"));
    }
    let mut modules = modules_in(folder)?;
    if modules.is_empty() && folder.join("src").is_dir() {
        modules = modules_in(&inside(folder, "src"))?;
    }
    match modules.as_slice() {
        [module] => Ok(module.clone()),
        [] => Err(BuildError::source(folder, "has no .py file with procedures in it")),
        several => {
            let name =
                |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).display().to_string();
            let names = several.iter().map(name).collect::<Vec<_>>().join(", ");
            Err(BuildError::source(
                folder,
                format!(
                    "has several modules ({names}); name one (`tarp build stats.py`), or write `module = \"stats.py\"` under [tool.tarp] in pyproject.toml"
                ),
            ))
        }
    }
}

/// Where a module of this name can be, with `/` between the packages that it is in.
fn places_of(folder: &Path, name: &str) -> [PathBuf; 4] {
    let file = format!("{name}.py");
    let package = format!("{name}/__init__.py");
    [
        inside(folder, &file),
        inside(folder, &package),
        inside(folder, Path::new("src").join(&file)),
        inside(folder, Path::new("src").join(&package)),
    ]
}

/// The modules and packages of a folder that may hold the procedures.
fn modules_in(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let entries = fs::read_dir(folder).map_err(BuildError::io(folder))?;
    let mut modules = Vec::new();
    for entry in entries.flatten() {
        let path = inside(folder, entry.file_name());
        let package = path.join("__init__.py");
        if is_module(&path) {
            modules.push(path);
        } else if package.is_file() && !is_other(&path) {
            modules.push(package);
        }
    }
    modules.sort();
    Ok(modules)
}

fn is_notebook(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ipynb")
}

/// Whether a file may hold the procedures; tests and our own module do not.
fn is_module(path: &Path) -> bool {
    let is_python = path.extension().is_some_and(|extension| extension == "py");
    (is_python || is_notebook(path)) && !is_other(path)
}

fn is_other(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    ["conftest", "setup", "tarp_guest", "tests", "docs"].contains(&&*stem)
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)], source: &str) -> Result<(String, Project), String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let source =
            if source.is_empty() { folder.path().into() } else { folder.path().join(source) };
        let project = Project::find(&source).map_err(|e| e.to_string())?;
        let module = project.module.strip_prefix(folder.path()).unwrap().display().to_string();
        Ok((module, project))
    }

    fn find(files: &[(&str, &str)]) -> Result<String, String> {
        project(files, "").map(|(module, _)| module)
    }

    #[test]
    fn the_module_is_the_named_one_or_the_only_one() {
        let manifest = ("pyproject.toml", "[project]\nname = \"my-stats\"\n");
        let tool = ("pyproject.toml", "[tool.tarp]\nmodule = \"b.py\"\n");
        let (a, b) = (("a.py", ""), ("b.py", ""));
        assert_eq!(find(&[manifest, ("src/my_stats.py", ""), a, b]).unwrap(), "src/my_stats.py");
        assert_eq!(find(&[tool, a, b]).unwrap(), "b.py");
        assert_eq!(find(&[a, ("test_a.py", ""), ("tarp_guest.py", "")]).unwrap(), "a.py");
        assert_eq!(find(&[("fits.ipynb", "{}")]).unwrap(), "fits.ipynb");
        assert!(find(&[a, b]).unwrap_err().contains("a.py, b.py"));
    }

    #[test]
    fn a_package_is_a_module_too() {
        let manifest = ("pyproject.toml", "[project]\nname = \"my-stats\"\n");
        let init = ("src/my_stats/__init__.py", "");
        assert_eq!(find(&[manifest, init, ("a.py", "")]).unwrap(), init.0);
        assert_eq!(find(&[init]).unwrap(), init.0);
        assert_eq!(find(&[("__init__.py", ""), ("a.py", "")]).unwrap(), "__init__.py");
        assert_eq!(
            find(&[("stats/__init__.py", ""), ("tests/__init__.py", "")]).unwrap(),
            "stats/__init__.py"
        );
        let dotted = ("pyproject.toml", "[tool.tarp]\nmodule = \"my_stats.fits\"\n");
        assert_eq!(
            find(&[dotted, init, ("src/my_stats/fits.py", "")]).unwrap(),
            "src/my_stats/fits.py"
        );
    }

    #[test]
    fn dependencies_are_those_of_the_script_or_of_the_project() {
        let manifest = "[project]\nname = \"a\"\ndependencies = [\"one\"]\n";
        let of = |files: &[(&str, &str)], source| project(files, source).unwrap().1.dependencies;
        let plain = ("src/a/b.py", "");
        let package = ("src/a/__init__.py", "");
        assert_eq!(of(&[("pyproject.toml", manifest), package, plain], "src/a/b.py"), ["one"]);
        let narrowed = format!("{manifest}[tool.tarp]\ndependencies = [\"two\"]\n");
        assert_eq!(of(&[("pyproject.toml", &narrowed), ("a.py", "")], ""), ["two"]);
        let script = "# /// script\n# requires-python = \">=3.9\"\n# dependencies = [\n#   \"three\",\n# ]\n# ///\n";
        assert_eq!(of(&[("pyproject.toml", manifest), ("a.py", script)], "a.py"), ["three"]);
        let cells =
            serde_json::json!({"cells": [{"cell_type": "code", "source": [script]}]}).to_string();
        assert_eq!(of(&[("a.ipynb", &cells)], "a.ipynb"), ["three"]);
        let broken = project(&[("a.py", "# /// script\n# dependencies = 1\n# ///\n")], "a.py");
        assert!(broken.unwrap_err().contains("# /// script"));
    }

    #[test]
    fn a_broken_manifest_is_named() {
        let error = find(&[("pyproject.toml", "[project"), ("a.py", "")]).unwrap_err();
        assert!(error.contains("pyproject.toml"), "{error}");
    }
}
