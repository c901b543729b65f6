//! componentize-py: given a world and modules, and its failures made readable.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::analysis::{Analysis, File};
use super::project::Project;
use crate::BuildError;
use crate::error::Diagnostic;
use crate::report::{Reporter, Step};
use crate::tools::{PythonPackage, Tool, Venv};

/// The version that the runtime in `guest/` was written for, and the Python that it brings.
pub(super) const PACKAGE: PythonPackage =
    PythonPackage { name: "componentize-py", version: "0.25.1" };
pub(super) const GUEST_PYTHON: &str = "3.14";

/// What is in every component.
const MODULES: [(&str, &str); 12] = [
    ("tarp_guest.py", include_str!("guest/tarp_guest.py")),
    ("tarp_runtime/__init__.py", include_str!("guest/tarp_runtime/__init__.py")),
    ("tarp_runtime/chance.py", include_str!("guest/tarp_runtime/chance.py")),
    ("tarp_runtime/files.py", include_str!("guest/tarp_runtime/files.py")),
    ("tarp_runtime/http.py", include_str!("guest/tarp_runtime/http.py")),
    ("tarp_runtime/lacking.py", include_str!("guest/tarp_runtime/lacking.py")),
    ("tarp_runtime/loop.py", include_str!("guest/tarp_runtime/loop.py")),
    ("tarp_runtime/plain.py", include_str!("guest/tarp_runtime/plain.py")),
    ("tarp_runtime/prepare.py", include_str!("guest/tarp_runtime/prepare.py")),
    ("tarp_runtime/texts.py", include_str!("guest/tarp_runtime/texts.py")),
    ("tarp_runtime/types.py", include_str!("guest/tarp_runtime/types.py")),
    ("tarp_runtime/web.py", include_str!("guest/tarp_runtime/web.py")),
];

/// What a component may import from its host.
const INTERFACES: [(&str, &str); 4] = [
    ("failures.wit", include_str!("../../../wit/failures.wit")),
    ("http.wit", include_str!("../../../wit/http.wit")),
    ("job.wit", include_str!("../../../wit/job.wit")),
    ("web.wit", include_str!("../../../wit/web.wit")),
];

/// The module that componentize-py starts with.
const APP: &str = "tarp_app";

/// What componentize-py is given: the folder of the module that it begins with, and others.
pub(super) struct Guest<'a> {
    venv: &'a Venv,
    scratch: TempDir,
    paths: Vec<PathBuf>,
}

impl<'a> Guest<'a> {
    /// Nothing yet.
    ///
    /// # Errors
    ///
    /// When there is no room for temporary files.
    pub(super) fn new(venv: &'a Venv) -> Result<Self, BuildError> {
        let scratch = tempfile::tempdir().map_err(BuildError::io("a temporary folder"))?;
        let guest = Self { venv, scratch, paths: Vec::new() };
        // Given no environment, it takes the packages of whatever Python the author has.
        for folder in [guest.app(), guest.empty_venv().join("lib/site-packages")] {
            fs::create_dir_all(&folder).map_err(BuildError::io(folder))?;
        }
        Ok(guest)
    }

    fn empty_venv(&self) -> PathBuf {
        self.scratch.path().join("venv")
    }

    /// The folder of the first module, which is `/0` in the component.
    pub(super) fn app(&self) -> PathBuf {
        self.scratch.path().join("app")
    }

    /// A further folder: `/1`, and so on.
    pub(super) fn with_path(mut self, folder: &Path) -> Self {
        self.paths.push(folder.into());
        self
    }

    /// A file in the folder of the first module.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), BuildError> {
        write(&self.app().join(name), text)
    }

    /// Makes a component of a world and the text of the first module.
    ///
    /// # Errors
    ///
    /// When the tool fails, or the module when it is imported.
    pub(super) fn run(
        &self,
        world: &str,
        app: &str,
        step: &Step<'_>,
    ) -> Result<Vec<u8>, BuildError> {
        self.write(&format!("{APP}.py"), app)?;
        let wit = self.scratch.path().join("wit");
        write(&wit.join("world.wit"), world)?;
        for (name, text) in INTERFACES {
            write(&wit.join("deps/tarp-procedure").join(name), text)?;
        }
        let output = self.scratch.path().join("component.wasm");
        let mut tool = Tool::new(
            self.venv.program(PACKAGE.name),
            "to build procedures in Python",
            "remove the folder of the private Python environment",
        );
        // The environment of a shell that happens to be in some project must not get into a component.
        for variable in ["PYTHONPATH", "PYTHONHOME", "RUST_BACKTRACE"] {
            tool = tool.without_env(variable);
        }
        tool = tool.env("VIRTUAL_ENV", self.empty_venv());
        tool = tool.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONNOUSERSITE", "1");
        tool = tool.arg("--wit-path").arg(&wit).args(["--quiet", "componentize", APP]);
        for path in [&self.app()].into_iter().chain(&self.paths) {
            tool = tool.arg("--python-path").arg(path);
        }
        tool.arg("--output").arg(&output).at(self.scratch.path()).run(step)?;
        fs::read(&output).map_err(BuildError::io(output))
    }
}

/// What a component is made of, besides the author's module.
pub(super) struct Parts<'a> {
    pub(super) world: &'a str,
    pub(super) stdlib: &'a Path,
    pub(super) packages: Option<&'a Path>,
    /// What can be imported from the packages; true where a compiled part was left out.
    pub(super) modules: &'a BTreeMap<String, bool>,
}

/// Makes the component.
///
/// # Errors
///
/// When the tool fails, or the module when it is imported.
pub(super) fn run(
    venv: &Venv,
    project: &Project,
    analysis: &Analysis,
    parts: &Parts<'_>,
    reporter: &dyn Reporter,
) -> Result<Vec<u8>, BuildError> {
    let step = Step::begin(reporter, &format!("compiling {}", project.module.display()));
    let brought = tempfile::tempdir().map_err(BuildError::io("a temporary folder"))?;
    let guest = Guest::new(venv)?.with_path(brought.path());
    for (name, text) in MODULES {
        guest.write(name, text)?;
    }
    copy(parts.stdlib, &brought.path().join("stdlib.archive"))?;
    if let Some(packages) = parts.packages {
        copy(packages, &brought.path().join("packages.archive"))?;
    }
    let folder = brought.path().join("project");
    for File { name, path, text, .. } in &analysis.files {
        match text {
            Some(text) => write(&folder.join(name), text)?,
            None => copy(path, &folder.join(name))?,
        }
    }
    for name in &project.files {
        let path = project.folder.join(name);
        if Path::new(name).components().any(|part| !matches!(part, Component::Normal(_))) {
            let reason = "`files` under [tool.tarp] has to name what lies in the project";
            return Err(BuildError::source(name, reason));
        }
        copy(&path, &folder.join(name))?;
    }
    let made = guest.run(parts.world, &app_source(analysis, parts)?, &step);
    made.map_err(|error| readable(error, project, analysis, parts))
}

/// The module that gives componentize-py its class.
fn app_source(analysis: &Analysis, parts: &Parts<'_>) -> Result<String, BuildError> {
    let is_checked = |name: &&String| parts.modules.get(*name).copied().unwrap_or(false);
    let checked: Vec<_> = analysis.imports.iter().map(|it| &it.name).filter(is_checked).collect();
    let description = python(&python(analysis)?)?;
    let (module, roots, checked) =
        (python(&analysis.module)?, python(&analysis.roots)?, python(&checked)?);
    let http = if analysis.imports_urllib { "import tarp_runtime.http\n" } else { "" };
    Ok(format!(
        "import json\nimport sys\n\nsys.dont_write_bytecode = True\n\n\
         import wit_world\nfrom tarp_runtime import prepare\n\n\
         author = prepare.author({module}, {roots}, {checked})\n\n\
         import tarp_runtime\n{http}\n\
         WitWorld = tarp_runtime.world(json.loads({description}), wit_world, author)\n"
    ))
}

/// Texts and lists of texts are the same in JSON and in Python.
fn python(value: &(impl serde::Serialize + ?Sized)) -> Result<String, BuildError> {
    serde_json::to_string(value).map_err(|e| BuildError::Internal(e.to_string()))
}

/// A module that fails when it is imported fails here, deep inside the tool: what is left of that
/// is Python's own traceback, with the author's paths.
fn readable(
    error: BuildError,
    project: &Project,
    analysis: &Analysis,
    parts: &Parts<'_>,
) -> BuildError {
    let BuildError::Tool { output, .. } = &error else { return error };
    let Some((_, said)) = output.split_once("AssertionError: ") else { return error };
    let said = said.split("\n\n\nCaused by:").next().unwrap_or(said);
    if !said.starts_with("Traceback") {
        return error;
    }
    let mut lines = said.lines();
    let mut message = vec![lines.next().unwrap_or_default().to_owned()];
    let mut is_own = false;
    let mut at: Option<(&File, usize)> = None;
    for line in lines {
        if line.trim_start().starts_with("File \"") {
            let place = place(line, analysis);
            is_own = place.is_some();
            at = place.or(at);
        } else if !line.starts_with(' ') {
            is_own = true;
        }
        if is_own {
            message.push(line.replace(OWN, "File \""));
        }
    }
    let mut message = message.join("\n");
    if let Some(name) = absent(&message, said, parts).map(str::to_owned) {
        let top = name.split('.').next().unwrap_or(&name);
        let cure = match analysis.compiled.get(&top.to_lowercase()) {
            Some(why) => why.clone(),
            None if parts.modules.get(top) == Some(&true) => format!(
                "`{top}` has compiled parts that it cannot do without, and those cannot run in a component"
            ),
            None => project.not_there(&name),
        };
        message += &format!("\n{cure}");
        if at.is_none() {
            let import = analysis.imports.iter().find(|import| import.name == top);
            if let Some(import) = import {
                // What stands in the traceback is all within the package.
                let message = format!("`{top}` fails when it is imported: {cure}");
                return BuildError::Diagnostics(vec![Diagnostic { message, ..import.at.clone() }]);
            }
        }
    } else if message.contains("\nFileNotFoundError: ") {
        message += "\na component has no files but what its sidecar grants when a call runs, and those that are put into it: files of a package, files that the module names (`open(\"data.csv\")`), and `files` under [tool.tarp] in pyproject.toml";
    }
    let message = format!("fails when it is imported, which `tarp build` does once:\n{message}");
    BuildError::Diagnostics(vec![match at {
        Some((file, line)) => file.diagnostic(Some(line), message),
        None => Diagnostic { file: project.module.clone(), line: None, message },
    }])
}

/// The module that an import failed for want of: as Python names it or, where a package lacks a part of
/// its own, the package.
fn absent<'a>(message: &'a str, said: &'a str, parts: &Parts<'_>) -> Option<&'a str> {
    let named = message.split("No module named '").nth(1).and_then(|it| it.split('\'').next());
    if named.is_some() || !message.contains("\nImportError: ") {
        return named;
    }
    let package = |line: &'a str| {
        let (_, rest) = line.split_once("File \"/component/packages/")?;
        rest.split(['/', '.']).next()
    };
    let innermost = said.lines().rev().find_map(package)?;
    (parts.modules.get(innermost) == Some(&true)).then_some(innermost)
}

/// How a traceback names what lies in the project.
const OWN: &str = "File \"/component/project/";

fn place<'a>(line: &str, analysis: &'a Analysis) -> Option<(&'a File, usize)> {
    let (name, rest) = line.split_once(OWN)?.1.split_once('"')?;
    let number = rest.strip_prefix(", line ")?.split(',').next()?.trim().parse().ok()?;
    let file = analysis.files.iter().find(|file| file.name == name)?;
    Some((file, number))
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    make_folder_of(path)?;
    fs::write(path, text).map_err(BuildError::io(path))
}

/// Copies a file, or all of a folder.
fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    if from.is_dir() {
        for entry in fs::read_dir(from).map_err(BuildError::io(from))?.flatten() {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    make_folder_of(to)?;
    fs::copy(from, to).map(drop).map_err(BuildError::io(from))
}

fn make_folder_of(path: &Path) -> Result<(), BuildError> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(BuildError::io(folder)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    /// What an author is told where the import of a module ended like this.
    fn told(traceback: &str) -> String {
        let analysis = serde_json::from_value(serde_json::json!({
            "module": "lab.fits", "name": "fits", "docs": null, "functions": [], "definitions": [],
            "warnings": [], "imports_guest": false, "imports_urllib": false,
            "imports_zoneinfo": false, "roots": ["src"], "compiled": {"numpy": "numpy is compiled"},
            "imports": [{"name": "regex", "at": {"file": "a.py", "line": 7, "message": ""}}],
            "files": [{
                "name": "src/lab/fits.py", "path": "/home/me/src/lab/fits.py",
                "shown": "src/lab/fits.py", "text": null, "cells": [], "mentioned": false,
            }],
        }));
        let project = Project {
            module: "src/lab/fits.py".into(),
            folder: "".into(),
            dependencies: Vec::new(),
            declared_in: "pyproject.toml".into(),
            files: Vec::new(),
            manifest: Some("pyproject.toml".into()),
        };
        let modules = BTreeMap::from([("regex".to_owned(), true), ("six".to_owned(), false)]);
        let parts = Parts { world: "", stdlib: Path::new(""), packages: None, modules: &modules };
        let output = format!(
            "x\nAssertionError: Traceback (most recent call last):\n{traceback}\n\n\nCaused by:\n    x"
        );
        let status = ExitStatus::from_raw(256);
        let error = BuildError::Tool { command: String::new(), status, output };
        readable(error, &project, &analysis.unwrap(), &parts).to_string()
    }

    const OURS: &str = "  File \"/0/tarp_runtime/prepare.py\", line 9, in author\n    import\n";
    const THEIRS: &str = "  File \"/component/packages/regex/__init__.py\", line 1, in <module>\n";
    const OWN: &str = "  File \"/component/project/src/lab/fits.py\", line 3, in <module>\n    a\n";

    #[test]
    fn of_a_traceback_the_authors_part_is_told() {
        assert_eq!(
            told(&format!("{OURS}{OWN}ValueError: no")),
            "src/lab/fits.py:3: fails when it is imported, which `tarp build` does once:\n\
             Traceback (most recent call last):\n  \
             File \"src/lab/fits.py\", line 3, in <module>\n    a\nValueError: no"
        );
        let missing = told(&format!("{OURS}{OWN}FileNotFoundError: [Errno 44] 'a.csv'"));
        assert!(missing.ends_with("and `files` under [tool.tarp] in pyproject.toml"), "{missing}");
    }

    #[test]
    fn an_import_that_fails_has_its_cure() {
        let of = |error: &str| told(&format!("{OURS}{OWN}{THEIRS}{error}"));
        let absent = of("ModuleNotFoundError: No module named 'nowhere.at_all'");
        assert!(absent.contains("`nowhere.at_all` is neither in the project"), "{absent}");
        assert!(of("ModuleNotFoundError: No module named 'numpy'").ends_with("numpy is compiled"));
        for error in [
            "ModuleNotFoundError: No module named 'regex._regex'",
            "ImportError: cannot import name '_regex' from partially initialized module 'regex'",
        ] {
            let cure = "`regex` has compiled parts that it cannot do without";
            assert!(of(error).contains(cure), "{}", of(error));
            // Only a call would have imported it.
            let late = told(&format!("{OURS}{THEIRS}{error}"));
            assert!(late.starts_with("a.py:7: `regex` fails when it is imported: "), "{late}");
        }
    }
}
