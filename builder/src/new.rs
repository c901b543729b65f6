//! `tarp new`: a project that builds, with a test and a README, from a language's template.
//!
//! Templates are in `builder/templates/LANG`, and part of the binary. In their text and their
//! paths `@name@` stands for the project's name as it is in file names and in Python, C and Rust
//! (`my_stats`), and `@kebab@` for it as it is in WIT and npm (`my-stats`).

use std::fs;
use std::path::{Path, PathBuf};

use crate::{BuildError, Language, c, javascript, python, rust, wit};

/// What to begin.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// The project's folder, which must not exist, or be empty; its last part is the project's name.
    pub folder: PathBuf,
    /// Its language.
    pub language: Language,
    /// The folder of the crate `tarp-guest`, for Rust projects that shall use it.
    pub sdk: Option<PathBuf>,
}

/// Begins a project; gives the files that were written, relative to its folder.
///
/// # Errors
///
/// When the folder is taken or its name cannot be a component's.
pub fn new(request: &NewRequest) -> Result<Vec<PathBuf>, BuildError> {
    let folder = &request.folder;
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| BuildError::source(folder, "has no name that a project could have"))?;
    let kebab =
        wit::kebab(name).map_err(|reason| BuildError::source(folder, reason.to_string()))?;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BuildError::source(
            folder,
            "is there already, and not empty; take another name",
        ));
    }
    let template = match request.language {
        Language::Rust => rust::template(request.sdk.as_deref()),
        Language::Python => python::TEMPLATE,
        Language::JavaScript => javascript::TEMPLATE,
        Language::C => c::TEMPLATE,
    };
    let sdk = request.sdk.as_deref().map(|sdk| sdk.display().to_string()).unwrap_or_default();
    let fill = |text: &str| {
        text.replace("@name@", &tarp_schema::snake_case(&kebab))
            .replace("@kebab@", &kebab)
            .replace("@sdk@", &sdk)
    };
    let mut written = Vec::new();
    for (path, text) in template {
        let path = PathBuf::from(fill(path));
        write(&folder.join(&path), &fill(text))?;
        written.push(path);
    }
    Ok(written)
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(BuildError::io(folder))?;
    }
    fs::write(path, text).map_err(BuildError::io(path))
}
