//! Looks at one component as the host would load it, without serving it.

use std::path::Path;
use std::sync::Arc;

use super::folder::Found;
use super::load::{LoadError, Loader, Unavailable};
use super::procedure::{Mount, Procedure};
use crate::sandbox::Access;

/// What a component is and has.
pub struct Inspection {
    /// What can be called.
    pub procedures: Vec<Arc<Procedure>>,
    /// Set where it answers requests itself.
    pub mount: Option<Arc<Mount>>,
    /// What its author should know.
    pub warnings: Vec<String>,
    /// The interfaces that it imports functions from, with their versions.
    pub imports: Vec<String>,
    /// What it might want to touch, and may.
    pub access: Arc<Access>,
    /// Bytes.
    pub size: u64,
    /// BLAKE3, in hexadecimal.
    pub digest: String,
}

/// The host would not load a component.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct InspectError(#[from] LoadError);

impl Loader {
    /// Loads a component, with its sidecar if it has one. Takes as long as compiling takes.
    ///
    /// # Errors
    ///
    /// Why the host would not load it.
    pub fn inspect(&self, file: &Path) -> Result<Inspection, InspectError> {
        let found = Found::file(file).map_err(|e| LoadError::from(Unavailable::from(e)))?;
        let size = found.size();
        let loaded = self.load(&found)?;
        let source = loaded.procedures.first().map(|procedure| &procedure.source);
        let source = source.or_else(|| loaded.mount.as_ref().map(|mount| &mount.source));
        Ok(Inspection {
            digest: source.map(|source| source.digest.clone()).unwrap_or_default(),
            procedures: loaded.procedures,
            mount: loaded.mount,
            warnings: loaded.warnings,
            imports: loaded.imports,
            access: loaded.access,
            size,
        })
    }
}
