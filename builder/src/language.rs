//! Which languages there are, and which one a source is in.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use crate::BuildError;

/// A language that procedures are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// With cargo.
    Rust,
    /// With componentize-py.
    Python,
    /// JavaScript and TypeScript, with componentize-qjs.
    JavaScript,
    /// With clang and wasi-libc.
    C,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Python, Self::Rust, Self::JavaScript, Self::C];

    /// As it is written on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::C => "c",
        }
    }

    /// The language of a source file, or of the project in a folder.
    ///
    /// # Errors
    ///
    /// When there is nothing, or nothing that tells.
    pub fn of(source: &Path) -> Result<Self, BuildError> {
        let metadata = fs::metadata(source).map_err(BuildError::io(source))?;
        if metadata.is_dir() {
            return Self::of_folder(source);
        }
        Self::of_file(source).ok_or_else(|| {
            BuildError::source(source, "of no known language; a source is a .py, .ipynb, .js, .ts or .c file, or a project's folder")
        })
    }

    fn of_file(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "py" | "ipynb" => Some(Self::Python),
            "js" | "mjs" | "ts" | "mts" => Some(Self::JavaScript),
            "c" => Some(Self::C),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }

    /// A manifest tells more than the sources: a Rust project may well have a Python script.
    fn of_folder(folder: &Path) -> Result<Self, BuildError> {
        let manifests = [
            ("Cargo.toml", Self::Rust),
            ("pyproject.toml", Self::Python),
            ("package.json", Self::JavaScript),
        ];
        let has = |(name, _): &&(&str, Self)| folder.join(name).is_file();
        if let Some((_, language)) = manifests.iter().find(has) {
            return Ok(*language);
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(BuildError::io(folder))? {
            let path = entry.map_err(BuildError::io(folder))?.path();
            if let Some(language) = Self::of_file(&path)
                && !found.contains(&language)
            {
                found.push(language);
            }
        }
        match found.as_slice() {
            [language] => Ok(*language),
            [] => Err(BuildError::source(
                folder,
                "no project is here: neither a Cargo.toml, pyproject.toml or package.json, nor a .py, .js, .ts or .c file; begin one with `tarp new NAME --lang python`",
            )),
            several => {
                let names: Vec<_> = several.iter().map(|language| language.name()).collect();
                Err(BuildError::source(
                    folder,
                    format!(
                        "sources in several languages ({}); name a file, or the language with --lang",
                        names.join(", ")
                    ),
                ))
            }
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No language has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no language `{name}` here; there are {}",
    Language::ALL.map(Language::name).join(", ")
)]
pub struct UnknownLanguage {
    name: String,
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        match text.to_ascii_lowercase().as_str() {
            "rust" | "rs" => Ok(Self::Rust),
            "python" | "py" => Ok(Self::Python),
            "javascript" | "js" | "typescript" | "ts" => Ok(Self::JavaScript),
            "c" => Ok(Self::C),
            _ => Err(UnknownLanguage { name: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str]) -> Result<Language, String> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        Language::of(folder.path()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_manifest_beats_sources() {
        assert_eq!(of(&["Cargo.toml", "plot.py"]), Ok(Language::Rust));
        assert_eq!(of(&["stats.py", "README.md"]), Ok(Language::Python));
        assert_eq!(of(&["text.ts", "more.js"]), Ok(Language::JavaScript));
    }

    #[test]
    fn a_folder_that_does_not_tell_says_what_would() {
        assert!(of(&["README.md"]).unwrap_err().contains("`tarp new NAME"));
        assert!(of(&["a.c", "b.py"]).unwrap_err().contains("--lang"));
    }
}
