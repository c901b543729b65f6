//! What a language is asked for, and what it gives: the ground that all of them stand on.

use std::path::{Path, PathBuf};

use crate::Language;
use crate::tools::Tools;

/// What to build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// A source file, or a project's folder.
    pub source: PathBuf,
    /// Its language; found out where it is not said.
    pub language: Option<Language>,
    /// The component's file, or an existing folder for it. Otherwise it is put beside the source
    /// file, or into the project's folder.
    pub output: Option<PathBuf>,
    /// Where tool chains are kept.
    pub tools: Tools,
}

/// What a language gives back.
#[derive(Debug)]
pub(crate) struct Component {
    /// The component's name, without `.wasm`: that of the source or of the project.
    pub(crate) name: String,
    /// The finished component, with its documentation.
    pub(crate) bytes: Vec<u8>,
    /// The files that it was made of, as far as the language's tools tell.
    pub(crate) inputs: Vec<PathBuf>,
}

/// A file of a project's template: its path, and its text.
pub(crate) type TemplateFile = (&'static str, &'static str);

/// A file in a folder, as its author would name it: without `./`.
pub(crate) fn inside(folder: &Path, file: impl AsRef<Path>) -> PathBuf {
    if folder == Path::new(".") { file.as_ref().into() } else { folder.join(file) }
}
