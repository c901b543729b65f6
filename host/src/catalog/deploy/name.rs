//! The name of a component that a request is about: [`ComponentName`].

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{CallError, excerpt};

/// Bytes of a name, so that the names of its files fit any file system.
const MAX_NAME_LENGTH: usize = 200;

/// A component by its file, relative to the watched folder and without `.wasm`: `math`, `lab/math`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentName(String);

impl ComponentName {
    /// Reads a name, with or without `.wasm`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`](crate::error::ErrorKind::BadRequest) for what leads out of the folder, is
    /// hidden, or is no name of a file.
    pub fn parse(text: &str) -> Result<Self, CallError> {
        let name = text.strip_suffix(".wasm").unwrap_or(text);
        let is_part = |part: &str| {
            let is_allowed =
                |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | ' ');
            !part.is_empty() && !part.starts_with(['.', ' ']) && part.chars().all(is_allowed)
        };
        if name.len() > MAX_NAME_LENGTH || !name.split('/').all(is_part) {
            let name = excerpt(text);
            return Err(CallError::bad_request(format!(
                "`{name}` is no name of a component; one is the name of its file, with or without .wasm: letters, digits, -, _, + and dots, not at its beginning, and {MAX_NAME_LENGTH} bytes at the most"
            )));
        }
        Ok(Self(name.to_owned()))
    }

    /// Lets through the name of a file that lies in the folder itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`](crate::error::ErrorKind::BadRequest) for one in a subfolder.
    pub fn check_is_flat(&self) -> Result<(), CallError> {
        if self.0.contains('/') {
            return Err(CallError::bad_request(format!(
                "`{}` is in a subfolder, where nothing is deployed; put the component into the folder itself, with a `prefix` in its sidecar, or copy it to its place on the host",
                excerpt(&self.0)
            )));
        }
        Ok(())
    }

    /// The file, relative to the folder.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.wasm", self.0)
    }

    /// The name of a file that is served.
    #[must_use]
    pub fn of_file(file: &str) -> &str {
        file.strip_suffix(".wasm").unwrap_or(file)
    }

    /// Where the component is in this folder.
    pub(in crate::catalog) fn component_in(&self, folder: &Path) -> PathBuf {
        folder.join(self.file())
    }

    /// Where its sidecar is.
    pub(in crate::catalog) fn sidecar_in(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.toml", self.0))
    }
}

impl fmt::Display for ComponentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_files_in_the_folder() {
        for (text, file) in [
            ("math", "math.wasm"),
            ("math.wasm", "math.wasm"),
            ("math-1.2", "math-1.2.wasm"),
            ("lab/math", "lab/math.wasm"),
            ("größe", "größe.wasm"),
        ] {
            assert_eq!(ComponentName::parse(text).unwrap().file(), file);
        }
        for text in [
            "",
            ".wasm",
            ".hidden",
            "..",
            "../math",
            "lab/../math",
            "/math",
            "lab//math",
            "lab/",
            "lab/.math",
            "a\\b",
            "a\0b",
            "a\nb",
            "a:b",
            "a%2fb",
            "*",
        ] {
            assert!(ComponentName::parse(text).is_err(), "{text:?}");
        }
        assert!(ComponentName::parse(&"x".repeat(MAX_NAME_LENGTH + 1)).is_err());
        assert!(ComponentName::parse("lab/math").unwrap().check_is_flat().is_err());
        let dotted = ComponentName::parse("math-1.2").unwrap();
        assert_eq!(dotted.sidecar_in(Path::new("/f")), Path::new("/f/math-1.2.toml"));
    }
}
