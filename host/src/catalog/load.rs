//! One file from its bytes to its procedures: compile, reflect, document, limit, link.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use wasmparser::Parser;

use super::cache::Cache;
use super::folder::Found;
use super::metadata::{Metadata, Table};
use super::names::{client_warning, folder_prefix, prefixed};
use super::reflect::{Export, exports};
use super::{JobPolicy, Mount, Procedure, Source};
use crate::codec::types::{Signature, check, is_web};
use crate::config::{self, Limits, Mode, ProcedureTable, Sidecar, WebMethod};
use crate::metrics::Metrics;
use crate::sandbox::{Function, Handler, Program, Sandbox};
use crate::value::Value;

/// Far above what tool chains make, far below what could hurt.
const MAX_FILE_SIZE: u64 = 512 << 20;

/// What every load needs.
pub struct Loader {
    /// Compiles and links.
    pub sandbox: Arc<Sandbox>,
    /// Keeps what was compiled.
    pub cache: Cache,
    /// What a call may use, unless a sidecar says otherwise.
    pub limits: Limits,
    /// What a job may use, unless a sidecar says otherwise.
    pub job_limits: Limits,
    /// Counts the calls of what is loaded, and the loads.
    pub metrics: Arc<Metrics>,
}

/// A file whose procedures can be called.
pub(super) struct Loaded {
    pub(super) procedures: Vec<Arc<Procedure>>,
    pub(super) mount: Option<Arc<Mount>>,
    /// What its owner should know all the same.
    pub(super) warnings: Vec<String>,
    /// The interfaces that it imports functions from.
    pub(super) imports: Vec<String>,
}

impl Loader {
    /// Loads a file that was found in the folder. Takes as long as compiling takes.
    ///
    /// # Errors
    ///
    /// Why not, for the file's owner.
    pub(super) fn load(&self, found: &Found) -> Result<Loaded, String> {
        let bytes = read(&found.path)?;
        let sidecar: Sidecar = match &found.sidecar {
            Some(path) => config::read(path).map_err(|e| named(&e, path, found))?,
            None => Sidecar::default(),
        };
        check_kind(&bytes)?;
        let digest = blake3::hash(&bytes);
        let component = self
            .sandbox
            .compile(|engine| self.cache.component(engine, digest, &bytes))
            .map_err(|e| format!("not a usable component: {e:#}"))?;
        let program = self
            .sandbox
            .link(&component)
            .map_err(|e| format!("its imports are not all provided by this host: {e}"))?;
        let exports = exports(&component);
        known_procedures(&sidecar, &exports)?;

        let file = found.name.clone();
        let source =
            Source { file, digest: digest.to_hex().to_string(), modified: modified(&found.path) };
        let maker = Maker {
            prefix: sidecar.prefix.clone().unwrap_or_else(|| folder_prefix(Path::new(&found.name))),
            metadata: Metadata::read(&bytes),
            limits: self.limits.with(&sidecar.limits),
            job_limits: self.job_limits.with(&sidecar.limits).with(&sidecar.job_limits),
            sidecar,
            source: Arc::new(source),
            program,
            metrics: Arc::clone(&self.metrics),
        };
        let mount = maker.mount(&found.name).map(Arc::new);
        let imports = maker.program.imports();
        let mut loaded = Loaded { procedures: Vec::new(), mount, warnings: Vec::new(), imports };
        for export in exports {
            match export.signature {
                Ok(mut signature) => {
                    loaded.warnings.extend(maker.defaults(&export.name, &mut signature)?);
                    let function = Function::new(export.index, &signature);
                    let procedure = maker.procedure(&export.name, signature, function);
                    let parameters =
                        procedure.signature.parameters.iter().map(|parameter| &*parameter.name);
                    loaded.warnings.extend(client_warning(&procedure.name, parameters));
                    loaded.procedures.push(Arc::new(procedure));
                }
                Err(reason) => {
                    loaded.warnings.push(format!("`{}` cannot be called: {reason}", export.name));
                }
            }
        }
        if loaded.procedures.is_empty() && loaded.mount.is_none() {
            return Err(match loaded.warnings.as_slice() {
                [] => "it exports no functions; a procedure is an `export` of its WIT world".into(),
                warnings => format!("none of its functions can be called: {}", warnings.join("; ")),
            });
        }
        Ok(loaded)
    }
}

/// What the procedures of one file have in common.
struct Maker {
    prefix: String,
    metadata: Metadata,
    limits: Limits,
    job_limits: Limits,
    sidecar: Sidecar,
    source: Arc<Source>,
    program: Program,
    metrics: Arc<Metrics>,
}

impl Maker {
    /// The component as one that answers requests, if it is one.
    fn mount(&self, file: &str) -> Option<Mount> {
        let handler = Handler::of(&self.program)?;
        let stem = Path::new(file).file_stem()?.to_string_lossy();
        let name = prefixed(&self.prefix, &stem).into();
        Some(Mount {
            meter: self.metrics.meter(&name),
            name,
            limits: self.limits.clone(),
            source: Arc::clone(&self.source),
            handler,
        })
    }

    fn procedure(&self, name: &str, signature: Signature, function: Function) -> Procedure {
        let owner = self.sidecar.procedures.get(name);
        let author = self.metadata.tables.get(name);
        let (no_owner, no_author) = (ProcedureTable::default(), Table::default());
        let (owner, author) = (owner.unwrap_or(&no_owner), author.unwrap_or(&no_author));
        let documentation = owner.description.as_ref();
        let documentation = documentation.or_else(|| self.metadata.documentation.get(name));
        let name = prefixed(&self.prefix, name).into();
        Procedure {
            meter: self.metrics.meter(&name),
            name,
            documentation: documentation.cloned().unwrap_or_default(),
            web: is_web(&signature).then(|| methods(owner, author)),
            limits: self.limits.with(&owner.limits),
            jobs: self.job_policy(owner, author, &signature),
            signature,
            source: Arc::clone(&self.source),
            program: self.program.clone(),
            function,
        }
    }

    fn job_policy(
        &self,
        owner: &ProcedureTable,
        author: &Table,
        signature: &Signature,
    ) -> JobPolicy {
        let by_type = if signature.is_async { Mode::Async } else { Mode::Sync };
        let wait = owner.suggested_wait.or(author.suggested_wait.filter(|seconds| *seconds > 0));
        JobPolicy {
            mode: owner.mode.or(author.mode).unwrap_or(by_type),
            limits: self.job_limits.with(&owner.limits).with(&owner.job_limits),
            suggested_wait: wait.unwrap_or(1),
            priority: owner.priority.unwrap_or(3),
            max_attempts: owner.max_attempts.unwrap_or(1),
            backoff: owner.backoff.unwrap_or(Duration::from_secs(1)),
            is_repeatable: owner.idempotent || self.program.touches_nothing(),
        }
    }

    /// Sets the defaults that the author and the owner gave to parameters. Gives what is wrong with
    /// the author's.
    ///
    /// # Errors
    ///
    /// What is wrong with the owner's: a sidecar's fault is always an error.
    fn defaults(&self, name: &str, signature: &mut Signature) -> Result<Vec<String>, String> {
        let mut warnings = Vec::new();
        if let Some(table) = self.metadata.tables.get(name) {
            for (parameter, value) in &table.defaults {
                if let Err(reason) = set_default(signature, parameter, &value.0) {
                    warnings.push(format!(
                        "the default of `{parameter}` of `{name}` in the component: {reason}"
                    ));
                }
            }
        }
        if let Some(table) = self.sidecar.procedures.get(name) {
            for (parameter, value) in &table.defaults {
                set_default(signature, parameter, value).map_err(|reason| {
                    format!("its sidecar's default of `{parameter}` of `{name}`: {reason}")
                })?;
            }
        }
        Ok(warnings)
    }
}

fn set_default(signature: &mut Signature, name: &str, value: &Value) -> Result<(), String> {
    let parameters = &mut signature.parameters;
    let parameter = parameters.iter_mut().find(|parameter| &*parameter.name == name);
    let parameter = parameter.ok_or("there is no such parameter")?;
    check(value.clone(), &parameter.ty).map_err(|mismatch| mismatch.to_string())?;
    parameter.default = Some(value.clone());
    Ok(())
}

fn methods(owner: &ProcedureTable, author: &Table) -> Vec<WebMethod> {
    let author = author.methods.as_ref().filter(|methods| !methods.is_empty());
    let chosen = owner.methods.as_ref().or(author);
    let mut methods = chosen.cloned().unwrap_or_else(|| WebMethod::ALL.into());
    methods.sort_unstable();
    methods.dedup();
    methods
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?.len();
    if size > MAX_FILE_SIZE {
        return Err(format!("takes {} MiB; the most is {} MiB", size >> 20, MAX_FILE_SIZE >> 20));
    }
    fs::read(path).map_err(|e| format!("cannot be read: {e}"))
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A sidecar's fault, with its name as the folder has it instead of the host's own path.
fn named(error: &config::ConfigError, path: &Path, found: &Found) -> String {
    let sidecar = Path::new(&found.name).with_extension("toml");
    error.to_string().replace(&path.display().to_string(), &sidecar.display().to_string())
}

/// The two mistakes that are made most get their own words.
fn check_kind(bytes: &[u8]) -> Result<(), String> {
    if Parser::is_component(bytes) {
        Ok(())
    } else if Parser::is_core_wasm(bytes) {
        Err("a core module, not a component; build it with `cargo build --target wasm32-wasip2`, or with `cargo component build`".into())
    } else if bytes.is_empty() {
        Err("an empty file".into())
    } else {
        Err("not WebAssembly: it does not begin as a component does".into())
    }
}

fn known_procedures(sidecar: &Sidecar, exports: &[Export]) -> Result<(), String> {
    for name in sidecar.procedures.keys() {
        if !exports.iter().any(|export| export.name == *name) {
            let known =
                exports.iter().map(|export| format!("`{}`", export.name)).collect::<Vec<_>>();
            return Err(format!(
                "its sidecar speaks of a procedure `{name}`, which it does not export; it exports {}",
                known.join(", ")
            ));
        }
    }
    Ok(())
}
