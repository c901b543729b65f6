//! What to build: the author's module, and what the component is called.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tarp_schema::snake_case;

use crate::BuildError;
use crate::request::inside;
use crate::wit::kebab;

/// A module to build.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its file, as the author named it.
    pub(super) file: PathBuf,
    /// The folder that paths are told from.
    pub(super) folder: PathBuf,
    /// The component's name.
    pub(super) name: String,
}

const EXTENSIONS: [&str; 4] = ["ts", "js", "mts", "mjs"];

impl Source {
    /// Of a file, or of a project's folder: there `main` in `package.json` names the module.
    ///
    /// # Errors
    ///
    /// When a folder does not tell which of its files it is.
    pub(super) fn of(path: &Path) -> Result<Self, BuildError> {
        if !path.is_dir() {
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let folder = folder.unwrap_or(Path::new(".")).to_owned();
            return Ok(Self { file: path.to_owned(), folder, name });
        }
        let manifest = manifest(path)?;
        let file = match manifest["main"].as_str() {
            Some(main) => inside(path, main),
            None => only_module(path)?,
        };
        if !file.is_file() {
            let reason =
                format!("`main` in package.json names {}, which is no file", file.display());
            return Err(BuildError::source(path, reason));
        }
        let stem = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // Of `@lab/my-stats` the last part, as in the names of files.
        let name = manifest["name"].as_str().and_then(|name| name.rsplit('/').next());
        let name =
            name.map_or_else(stem, |name| kebab(name).map_or(name.into(), |it| snake_case(&it)));
        Ok(Self { file, folder: path.to_owned(), name })
    }
}

/// What `package.json` says; nothing where there is none.
fn manifest(folder: &Path) -> Result<Value, BuildError> {
    let file = folder.join("package.json");
    let Ok(text) = fs::read_to_string(&file) else { return Ok(Value::Null) };
    serde_json::from_str(&text).map_err(|error| BuildError::source(file, format!("{error}")))
}

/// The folder's one module: `index` or, where there is none, the only one that is no test.
fn only_module(folder: &Path) -> Result<PathBuf, BuildError> {
    let index = EXTENSIONS.map(|extension| inside(folder, format!("index.{extension}")));
    if let Some(index) = index.into_iter().find(|file| file.is_file()) {
        return Ok(index);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(BuildError::io(folder))? {
        let file = inside(folder, entry.map_err(BuildError::io(folder))?.file_name());
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_source = EXTENSIONS.iter().any(|it| file.extension().is_some_and(|e| e == *it));
        if is_source && ![".test.", ".config.", ".d."].iter().any(|part| name.contains(part)) {
            found.push(file);
        }
    }
    match found.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(BuildError::source(folder, "has no .js or .ts file")),
        _ => Err(BuildError::source(
            folder,
            "several files could be the module; name it as `main` in package.json",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Result<(String, String), String> {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let source = Source::of(folder.path()).map_err(|error| error.to_string())?;
        let file = source.file.strip_prefix(folder.path()).unwrap();
        Ok((file.display().to_string(), source.name))
    }

    #[test]
    fn a_project_says_which_module_it_is() {
        let manifest = r#"{"name": "@lab/my-stats", "main": "a.ts"}"#;
        let expected = ("a.ts".into(), "my_stats".into());
        assert_eq!(of(&[("package.json", manifest), ("a.ts", ""), ("b.js", "")]), Ok(expected));
        let expected = Ok(("a.js".into(), "a".into()));
        assert_eq!(of(&[("package.json", "{}"), ("a.js", ""), ("a.test.js", "")]), expected);
        assert!(
            of(&[("package.json", "{}"), ("a.js", ""), ("b.js", "")])
                .unwrap_err()
                .contains("`main`")
        );
        assert!(of(&[("package.json", r#"{"main": "x.js"}"#)]).unwrap_err().contains("x.js"));
    }
}
