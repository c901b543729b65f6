//! Source in, component out, whatever the language.

use std::fs;
use std::path::{Path, PathBuf};

use crate::component::{self, Procedure};
use crate::report::Reporter;
use crate::request::{BuildRequest, inside};
use crate::{BuildError, Language, c, javascript, python, rust};

/// What was built.
#[derive(Debug, serde::Serialize)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// The language that it was written in.
    pub language: Language,
    /// What it offers, read back from it.
    pub procedures: Vec<Procedure>,
    /// Its size in bytes.
    pub size: u64,
    /// The files that it was made of, as far as the language's tools tell.
    #[serde(skip)]
    pub inputs: Vec<PathBuf>,
}

/// Builds a component.
///
/// # Errors
///
/// Says what the author has to change or to install.
pub fn build(request: &BuildRequest, reporter: &dyn Reporter) -> Result<Built, BuildError> {
    request.output.as_deref().map_or(Ok(()), check_output)?;
    let language = match request.language {
        Some(language) => language,
        None => Language::of(&request.source)?,
    };
    let built = match language {
        Language::Rust => rust::build(request, reporter)?,
        Language::Python => python::build(request, reporter)?,
        Language::JavaScript => javascript::build(request, reporter)?,
        Language::C => c::build(request, reporter)?,
    };
    let place = place(request, &built.name);
    let procedures = component::procedures(&built.bytes)?;
    deliver(&built.bytes, &place)?;
    let size = built.bytes.len() as u64;
    Ok(Built { component: place, language, procedures, size, inputs: built.inputs })
}

/// Refuses what looks like a folder that is not there: the component would be found under its name.
fn check_output(output: &Path) -> Result<(), BuildError> {
    if output.is_dir() || output.extension().is_some_and(|extension| extension == "wasm") {
        return Ok(());
    }
    let reason = format!(
        "neither a folder nor the name of a component, which ends in .wasm; \
         for a folder, `mkdir -p {}` first",
        output.display()
    );
    Err(BuildError::source(output, reason))
}

fn place(request: &BuildRequest, name: &str) -> PathBuf {
    let file = format!("{name}.wasm");
    match &request.output {
        Some(output) if output.is_dir() => output.join(file),
        Some(output) => output.clone(),
        None if request.source.is_dir() => inside(&request.source, file),
        None => request.source.with_file_name(file),
    }
}

/// Writes a file so that whoever watches its folder sees it whole or not at all, and does not see
/// it again when nothing changed.
fn deliver(bytes: &[u8], place: &Path) -> Result<(), BuildError> {
    if fs::read(place).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let name = place.file_name().unwrap_or_default();
    let hidden = place.with_file_name(format!(".{}.new", name.display()));
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).map_err(BuildError::io(folder))?;
    }
    fs::write(&hidden, bytes).map_err(BuildError::io(&hidden))?;
    fs::rename(&hidden, place).map_err(BuildError::io(place))
}
