//! Looks at one component as the host would load it, without serving it.

use std::path::Path;
use std::sync::Arc;

use super::folder::Found;
use super::load::Loader;
use super::{Mount, Procedure};

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
    /// Bytes.
    pub size: u64,
    /// BLAKE3, in hexadecimal.
    pub digest: String,
}

impl Loader {
    /// Loads a component, with its sidecar if it has one. Takes as long as compiling takes.
    ///
    /// # Errors
    ///
    /// Why the host would not load it.
    pub fn inspect(&self, file: &Path) -> Result<Inspection, String> {
        let found = Found::file(file).map_err(|e| format!("cannot be read: {e}"))?;
        let size = found.size();
        let loaded = self.load(&found).map_err(|e| e.to_string())?;
        let source = loaded.procedures.first().map(|procedure| &procedure.source);
        let source = source.or_else(|| loaded.mount.as_ref().map(|mount| &mount.source));
        Ok(Inspection {
            digest: source.map(|source| source.digest.clone()).unwrap_or_default(),
            procedures: loaded.procedures,
            mount: loaded.mount,
            warnings: loaded.warnings,
            imports: loaded.imports,
            size,
        })
    }
}
