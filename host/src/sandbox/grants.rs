//! What a program may touch beside its arguments: [`Grants`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::Component;

use super::files::{Folder, Ledgers, ReservedFolder};
use super::imports::has_functions;
use super::secret::Secret;
use crate::config::{Granted, GrantsTable, HttpGrant};

/// What one program may touch, from the table in its sidecar.
#[derive(Default)]
pub(super) struct Grants {
    /// Environment variables.
    pub(super) environment: Vec<(String, String)>,
    /// What `wasi:config` reads.
    pub(super) config: BTreeMap<String, String>,
    pub(super) folders: Vec<Arc<Folder>>,
    /// Servers that requests may be sent to.
    pub(super) http: Vec<HttpGrant>,
    /// Those that can be read.
    pub(super) secrets: Vec<Secret>,
    /// The names of what was granted.
    pub(super) names: Granted,
    /// What its owner should know.
    pub(super) warnings: Vec<String>,
}

/// Through this interface a guest could write past a quota, so whoever imports it gets no folders.
const UNCOUNTED_FILES: &str = "wasi:filesystem/types@0.3";

impl Grants {
    /// Those of a component with this table in its sidecar. Folders must not meet any of the directories
    /// that are `reserved` for the host.
    ///
    /// # Errors
    ///
    /// Names the folder that does.
    pub(super) fn new(
        table: &GrantsTable,
        component: &Component,
        ledgers: &Ledgers,
        reserved: &Arc<[PathBuf]>,
    ) -> Result<Self, ReservedFolder> {
        let mut warnings = Vec::new();
        let mut folders = Vec::new();
        for grant in &table.folders {
            let folder = Folder::new(grant, ledgers, reserved);
            folder.check(&mut warnings)?;
            folders.push(Arc::new(folder));
        }
        let ty = component.component_type();
        let is_uncounted = ty.imports(component.engine()).any(|(name, import)| {
            name.starts_with(UNCOUNTED_FILES) && has_functions(&import.ty, component)
        });
        if is_uncounted && !folders.is_empty() {
            folders.clear();
            warnings.push(
                "it imports `wasi:filesystem@0.3`, through which no folders are granted; build it \
                 for `wasi:filesystem@0.2`"
                    .into(),
            );
        }
        let mut secrets = Vec::new();
        for (name, grant) in &table.secrets {
            match Secret::read(name, grant) {
                Ok(secret) => secrets.push(secret),
                Err(reason) => warnings.push(format!(
                    "the secret `{name}` of its sidecar cannot be used: {reason}; its variable is not set"
                )),
            }
        }
        let environment = table.environment.iter();
        Ok(Self {
            environment: environment.map(|(name, value)| (name.clone(), value.clone())).collect(),
            config: table.config.clone(),
            folders,
            http: table.http.clone(),
            secrets,
            names: table.names(),
            warnings,
        })
    }

    /// Whether a call can change anything with what is granted.
    pub(super) fn can_change_anything(&self) -> bool {
        !self.http.is_empty() || self.folders.iter().any(|folder| folder.is_writable())
    }
}
