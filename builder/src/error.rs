//! Why something could not be built, said to its author: what, where, and the cure.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why something could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is nothing at this path that could be built.
    #[error("{}: {reason}", path.display())]
    Source {
        /// What was to be built.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
    /// The author's own text has to change.
    #[error("{}", lines(.0))]
    Diagnostics(Vec<Diagnostic>),
    /// A program that is the author's to install.
    #[error("{program} is needed {purpose}, and {state}; {cure}")]
    MissingTool {
        /// Its name.
        program: String,
        /// What for: "to build procedures in Python".
        purpose: String,
        /// "is not installed", "is too old: 3.7".
        state: String,
        /// How to get it.
        cure: String,
    },
    /// A program of a tool chain failed.
    #[error("`{command}` failed ({status}):\n{output}")]
    Tool {
        /// What was run, as one would type it.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said, without colours.
        output: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A tool chain made something unexpected, or was given something that it should have been
    /// spared: a fault of ours.
    #[error("{0}")]
    Internal(String),
}

impl BuildError {
    /// Something is wrong with what was to be built as a whole.
    pub fn source(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Source { path: path.into(), reason: reason.into() }
    }

    /// What the author has to change, where that is why.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Diagnostics(faults) => faults,
            _ => &[],
        }
    }

    /// For `map_err` of what is done with a file.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }
}

/// One thing that the author has to change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Diagnostic {
    /// The file, as the author named it.
    pub file: PathBuf,
    /// The line, from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong, what was expected, and the cure.
    pub message: String,
}

impl Diagnostic {
    /// A fault in a line of a file.
    pub fn at(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.into(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

fn lines(faults: &[Diagnostic]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
