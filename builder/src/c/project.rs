//! What to build: C files, and the WIT that says what they offer.

use std::fs;
use std::path::{Path, PathBuf};

use crate::BuildError;
use crate::request::inside;

/// Where the declarations for the author's files are written, in the project's folder.
pub(super) const BINDINGS: &str = "bindings";

/// C files with their WIT.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) folder: PathBuf,
    /// A file, or a folder with a package.
    pub(super) wit: PathBuf,
    /// In the order of their names.
    pub(super) sources: Vec<PathBuf>,
}

impl Project {
    /// Of one file, or of all in a folder and its `src`, but tests (`test_*.c`, `*_test.c`).
    ///
    /// # Errors
    ///
    /// Says what is missing, and where it is looked for.
    pub(super) fn of(path: &Path) -> Result<Self, BuildError> {
        if !path.is_dir() {
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).to_owned();
            let own = path.with_extension("wit");
            let wit = if own.is_file() { own } else { wit_of(&folder)? };
            return Ok(Self { folder, wit, sources: vec![path.to_owned()] });
        }
        let mut sources = with_extension(path, "c")?;
        if path.join("src").is_dir() {
            sources.extend(with_extension(&inside(path, "src"), "c")?);
        }
        sources.retain(|file| !is_test(file));
        if sources.is_empty() {
            return Err(BuildError::source(path, "has no .c file, neither has its folder `src`"));
        }
        Ok(Self { folder: path.to_owned(), wit: wit_of(path)?, sources })
    }

    /// For a person.
    pub(super) fn describe(&self) -> String {
        let names: Vec<_> = self.sources.iter().map(|file| file.display().to_string()).collect();
        names.join(" ")
    }
}

fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.starts_with("test_") || stem.ends_with("_test")
}

/// The folder `wit`, or the only file in WIT.
fn wit_of(folder: &Path) -> Result<PathBuf, BuildError> {
    let package = inside(folder, "wit");
    if package.is_dir() {
        return Ok(package);
    }
    match with_extension(folder, "wit")?.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(BuildError::source(
            folder,
            "no WIT says what the C files offer; write a .wit file beside them, such as\n  \
             package local:NAME;\n  \
             world NAME {\n    \
             export mean: func(values: list<f64>) -> f64;\n  \
             }",
        )),
        _ => Err(BuildError::source(
            folder,
            "there are several .wit files; put those of one package into a folder `wit`",
        )),
    }
}

fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, BuildError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(BuildError::io(folder))? {
        let file = inside(folder, entry.map_err(BuildError::io(folder))?.file_name());
        if file.extension().is_some_and(|it| it == extension) && file.is_file() {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_built_whole_but_for_its_tests() {
        let folder =
            folder(&["a.wit", "b.c", "a.c", "src/c.c", "test_a.c", "a_test.c", "bindings/a.c"]);
        let project = Project::of(folder.path()).unwrap();
        let expected = ["a.c", "b.c", "src/c.c"].map(|file| folder.path().join(file));
        assert_eq!(project.sources, expected);
        assert_eq!(project.wit, folder.path().join("a.wit"));
    }

    #[test]
    fn a_file_has_the_wit_of_its_name_or_the_folders() {
        let folder = folder(&["a.c", "a.wit", "b.c", "wit/x.wit"]);
        let wit = |file: &str| Project::of(&folder.path().join(file)).unwrap().wit;
        assert_eq!(wit("a.c"), folder.path().join("a.wit"));
        assert_eq!(wit("b.c"), folder.path().join("wit"));
    }

    #[test]
    fn without_wit_the_cure_is_an_example() {
        let error = Project::of(folder(&["a.c"]).path()).unwrap_err().to_string();
        assert!(error.contains("export mean: func"), "{error}");
        let error = Project::of(folder(&["a.c", "a.wit", "b.wit"]).path()).unwrap_err().to_string();
        assert!(error.contains("folder `wit`"), "{error}");
    }
}
