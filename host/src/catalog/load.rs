//! One file from its bytes to its procedures: compile, reflect, document, limit, link.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{Mode as FileMode, OFlags, open};
use serde::Deserialize as _;
use tarp_schema::names::{path_position, snake_path};
use tarp_schema::procedure::{ProcedureMetadata, is_valid_name};
use tokio::sync::Semaphore;
use wasmtime::component::Component;

use super::aliases::{AliasTaken, FileAliases};
use super::author::lay_over;
use super::cache::{Cache, Terms};
use super::compile::{
    About, CompileError, Compiler, MAX_FILE_SIZE, NotUsable, Pace, beyond_limits, check_kind,
};
use super::component::{Component as ComponentInfo, Version};
use super::folder::Found;
use super::metadata::Metadata;
use super::names::{client_warning, folder_prefix, prefixed};
use super::procedure::{JobPolicy, Mount, Procedure, Source};
use super::reflect::{Export, TooManyExports, exports};
use crate::codec::json::{self, Parsed};
use crate::codec::types::{DefaultValue, Mismatch, Signature, check, holds_map, is_web, present};
use crate::config::{
    self, ConfigError, GrantsTable, Limits, Mode, ProcedureTable, Sidecar, WebMethod,
};
use crate::confinement::explained;
use crate::metrics::Metrics;
use crate::sandbox::{Access, Function, Handler, LinkError, Program, Sandbox};
use crate::value::Value;

/// Bytes of a sidecar: it is read and written by people.
pub(super) const MAX_SIDECAR_SIZE: u64 = 1 << 20;

/// Warnings about one file that are told one by one.
const MAX_WARNINGS: usize = 200;

/// What every load needs.
pub struct Loader {
    /// Compiles and links.
    pub sandbox: Arc<Sandbox>,
    /// Where components are compiled.
    pub compiler: Compiler,
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
    /// What it might want to touch, and may.
    pub(super) access: Arc<Access>,
    /// What its sidecar grants.
    pub(super) grants: Arc<GrantsTable>,
    /// What the catalog says of the file.
    pub(super) component: Arc<ComponentInfo>,
}

impl Loaded {
    /// What can be called, by name, as its name and types.
    pub(super) fn signatures(&self) -> Vec<(Arc<str>, String)> {
        let of = |procedure: &Arc<Procedure>| {
            let shown = match &procedure.web {
                Some(methods) => {
                    let methods: Vec<_> = methods.iter().map(|method| method.name()).collect();
                    format!("{} (web, {})", procedure.name, methods.join(" and "))
                }
                None => format!("{}{}", procedure.name, procedure.signature),
            };
            (Arc::clone(&procedure.name), shown)
        };
        let mount = self.mount.iter().map(|mount| {
            let name: Arc<str> = format!("{}/", mount.name).into();
            (Arc::clone(&name), format!("{name} (wasi:http {})", mount.version()))
        });
        self.procedures.iter().map(of).chain(mount).collect()
    }
}

/// A file that has been opened and read once.
pub(super) struct Opened {
    file: File,
    digest: blake3::Hash,
    modified: SystemTime,
    sidecar: Sidecar,
    sidecar_digest: Option<blake3::Hash>,
}

impl Opened {
    /// Which version of the file it is.
    fn version(&self) -> Version {
        Version {
            digest: self.digest.to_hex().to_string(),
            sidecar: self.sidecar_digest.map(|digest| digest.to_hex().to_string()),
        }
    }
}

/// Why a file's procedures cannot be called.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// For a reason that its owner has to see to.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be read, or the like; another attempt may do better.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Nobody wants it any more.
    #[error("it was not wanted any more")]
    Stopped,
}

/// What its owner has to see to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The file is too large.
    #[error("takes {} MiB; the most is {} MiB", .0 >> 20, MAX_FILE_SIZE >> 20)]
    TooLarge(u64),
    /// The file is no component.
    #[error(transparent)]
    NotUsable(#[from] NotUsable),
    /// What the compiler said, now or before.
    #[error("{0}")]
    Compiler(String),
    /// It needs what the host has not, or may have not what its sidecar grants.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Its exports are too large.
    #[error(transparent)]
    Exports(#[from] TooManyExports),
    /// There is nothing to call.
    #[error("it exports no functions; a procedure is an `export` of its WIT world")]
    NoFunctions,
    /// There is nothing that can be called.
    #[error("none of its functions can be called: {}", .0.join("; "))]
    NotCallable(Vec<String>),
    /// Its sidecar is too large.
    #[error("its sidecar takes more than {} KiB", MAX_SIDECAR_SIZE >> 10)]
    LargeSidecar,
    /// Its sidecar cannot be read, which says why.
    #[error("{0}")]
    Sidecar(String),
    /// Its sidecar speaks of what is not there.
    #[error(
        "its sidecar speaks of a procedure `{name}`, which it does not export; it exports {}",
        exports.join(", ")
    )]
    UnknownProcedure {
        /// In the sidecar.
        name: String,
        /// What there is, in backticks.
        exports: Vec<String>,
    },
    /// Its sidecar speaks of one procedure twice, under two of its names.
    #[error(
        "its sidecar speaks of the procedure `{procedure}` twice, also as `{name}`; write it once"
    )]
    SameProcedure {
        /// Its own name.
        procedure: String,
        /// In the sidecar.
        name: String,
    },
    /// Its sidecar gives an alias twice.
    #[error(transparent)]
    Alias(#[from] AliasTaken),
    /// Its sidecar has a default that does not fit.
    #[error("its sidecar's default of `{parameter}` of `{procedure}`: {reason}")]
    Default {
        /// Of the parameter.
        parameter: String,
        /// Of the procedure.
        procedure: String,
        /// Why not.
        reason: UnfitDefault,
    },
    /// A fault of the host.
    #[error("loading it failed inside the host")]
    Failed,
}

/// What may pass.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Something else has its name.
    #[error("not a file any more")]
    NoFile,
    /// Its sidecar cannot be read, which says why.
    #[error("{0}")]
    Sidecar(String),
    /// The compiler had no chance.
    #[error("{0}")]
    Compiler(String),
}

/// Why a value cannot be the default of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnfitDefault {
    /// Nothing has that name.
    #[error("there is no such parameter")]
    NoParameter,
    /// It does not fit the type.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// It is no value.
    #[error("{0}")]
    Unreadable(String),
}

impl Loader {
    /// Loads a file that was found in the folder. Takes as long as compiling takes.
    ///
    /// # Errors
    ///
    /// Why not, for the file's owner.
    pub(super) fn load(&self, found: &Found) -> Result<Loaded, LoadError> {
        let opened = open_component(found)?;
        match self.cached(found, &opened) {
            Some(loaded) => loaded,
            None => self.compile(found, &opened, &mut |_| true),
        }
    }

    /// What was opened, or why it was refused before, if it need not be compiled.
    pub(super) fn cached(
        &self,
        found: &Found,
        opened: &Opened,
    ) -> Option<Result<Loaded, LoadError>> {
        match self.cache.find(&self.sandbox, opened.digest) {
            Some((component, about)) => Some(self.procedures(found, opened, &component, about)),
            None => {
                let refusal = self.cache.refusal(opened.digest, self.terms());
                refusal.map(|reason| Err(Refusal::Compiler(reason).into()))
            }
        }
    }

    /// What refusals hold under.
    fn terms(&self) -> Terms {
        Terms::new(&self.sandbox, &self.compiler)
    }

    /// Compiles what was opened, while `pace` agrees.
    pub(super) fn compile(
        &self,
        found: &Found,
        opened: &Opened,
        pace: Pace<'_>,
    ) -> Result<Loaded, LoadError> {
        let Opened { file, digest, .. } = opened;
        let functions = self.cache.functions(&self.sandbox, &found.name);
        let compiled = self.compiler.compile(&self.sandbox, file, *digest, functions, pace);
        let kept = compiled.and_then(|mut compiled| {
            if let Some(functions) = compiled.functions.take() {
                self.cache.keep_functions(&self.sandbox, &found.name, functions);
            }
            self.cache
                .keep(&self.sandbox, opened.digest, compiled)
                .map_err(|e| beyond_limits(&format!("{e:#}")))
        });
        let (component, about) = kept.inspect_err(|failure| {
            if let CompileError::Refused(reason) = failure {
                self.cache.refuse(opened.digest, self.terms(), reason);
            }
        })?;
        self.procedures(found, opened, &component, about)
    }

    fn procedures(
        &self,
        found: &Found,
        opened: &Opened,
        component: &Component,
        about: About,
    ) -> Result<Loaded, LoadError> {
        self.reflect(found, opened, component, about).map_err(Into::into)
    }

    fn reflect(
        &self,
        found: &Found,
        opened: &Opened,
        component: &Component,
        about: About,
    ) -> Result<Loaded, Refusal> {
        let mut sidecar = opened.sidecar.clone();
        let program = self.sandbox.link(component, &sidecar.grants)?;
        let (mut exports, notes) = exports(component, about.sections.has_runtime_init)?;
        let mut warnings = about.sections.warnings.clone();
        warnings.extend(notes);
        let metadata = Metadata::new(about.sections);
        warnings.extend(lay_over(&mut exports, &metadata));
        sidecar.procedures = known_procedures(sidecar.procedures, &exports)?;

        let source = Source {
            file: found.name.clone(),
            digest: opened.digest.to_hex().to_string(),
            modified: opened.modified,
        };
        warnings.extend_from_slice(program.warnings());
        let builder = ProcedureBuilder {
            prefix: sidecar.prefix.clone().unwrap_or_else(|| folder_prefix(Path::new(&found.name))),
            metadata,
            limits: self.limits.with(&sidecar.limits),
            job_limits: self.job_limits.with(&sidecar.limits).with(&sidecar.job_limits),
            sidecar,
            source: Arc::new(source),
            program,
            metrics: Arc::clone(&self.metrics),
        };
        let mut names = FileAliases::of(&exports, &builder.sidecar)?;
        let mount = builder.mount(&found.name).map(Arc::new);
        let imports = builder.program.imports();
        let access = Arc::clone(builder.program.access());
        let grants = Arc::new(builder.sidecar.grants.clone());
        let mut procedures = Vec::new();
        for export in exports {
            match export.signature.clone() {
                Ok(mut signature) => {
                    warnings.extend(builder.defaults(&export, &mut signature)?);
                    let function = Function::new(export.index, &signature);
                    let aliases = names.take(&export, &builder.metadata);
                    let procedure = builder.procedure(&export, &aliases, signature, function);
                    let parameters =
                        || procedure.signature.parameters.iter().map(|parameter| &*parameter.name);
                    warnings.extend(client_warning(&procedure.name, parameters()));
                    // What is wrong with its parameters has been said of its name.
                    let aliases = procedure.aliases.iter();
                    warnings
                        .extend(aliases.filter_map(|alias| client_warning(alias, [].into_iter())));
                    procedures.push(Arc::new(procedure));
                }
                Err(reason) => {
                    warnings.push(format!("`{}` cannot be called: {reason}", export.name));
                }
            }
        }
        warnings.append(&mut names.warnings);
        let more = warnings.len().saturating_sub(MAX_WARNINGS);
        if more > 0 {
            warnings.truncate(MAX_WARNINGS);
            warnings.push(format!("there are {more} more warnings of this kind"));
        }
        if procedures.is_empty() && mount.is_none() {
            return Err(if warnings.is_empty() {
                Refusal::NoFunctions
            } else {
                Refusal::NotCallable(warnings)
            });
        }
        let component = ComponentInfo {
            file: found.name.clone(),
            version: opened.version(),
            modified: opened.modified,
            procedures: procedures.iter().map(|it: &Arc<Procedure>| Arc::clone(&it.name)).collect(),
            mount: mount.as_ref().map(|mount| Arc::clone(&mount.name)),
        };
        let component = Arc::new(component);
        Ok(Loaded { procedures, mount, warnings, imports, access, grants, component })
    }
}

/// What the procedures of one file have in common.
struct ProcedureBuilder {
    prefix: String,
    metadata: Metadata,
    limits: Limits,
    job_limits: Limits,
    sidecar: Sidecar,
    source: Arc<Source>,
    program: Arc<Program>,
    metrics: Arc<Metrics>,
}

impl ProcedureBuilder {
    /// The component as one that answers requests, if it is one.
    fn mount(&self, file: &str) -> Option<Mount> {
        let handler = Handler::of(&self.program)?;
        let stem = Path::new(file).file_stem()?.to_string_lossy();
        let name = prefixed(&self.prefix, &stem).into();
        Some(Mount {
            meter: self.metrics.meter(&name),
            name,
            limits: self.limits.clone(),
            permits: permits(self.sidecar.max_calls),
            access: Arc::clone(self.program.access()),
            source: Arc::clone(&self.source),
            handler,
        })
    }

    fn procedure(
        &self,
        export: &Export,
        aliases: &[String],
        signature: Signature,
        function: Function,
    ) -> Procedure {
        let name = &*export.name;
        let owner = self.sidecar.procedures.get(name);
        let author = self.metadata.table(export);
        let (no_owner, no_author) = (ProcedureTable::default(), ProcedureMetadata::default());
        let (owner, author) = (owner.unwrap_or(&no_owner), author.unwrap_or(&no_author));
        let documentation = owner.description.as_ref();
        let documentation = documentation.or_else(|| self.metadata.documentation(export));
        let name = prefixed(&self.prefix, name).into();
        let aliases: Vec<Arc<str>> =
            aliases.iter().map(|alias| prefixed(&self.prefix, alias).into()).collect();
        let snake_name = snake_name(&name).filter(|snake| !aliases.contains(snake));
        Procedure {
            meter: self.metrics.meter(&name),
            name,
            aliases,
            snake_name,
            documentation: documentation.cloned().unwrap_or_default(),
            web: is_web(&signature).then(|| methods(owner, author)),
            limits: self.limits.with(&owner.limits),
            permits: permits(owner.max_calls.or(self.sidecar.max_calls)),
            jobs: self.job_policy(owner, author, &signature),
            arrays: owner.arrays.or(author.arrays).unwrap_or_default(),
            signature,
            access: Arc::clone(self.program.access()),
            source: Arc::clone(&self.source),
            program: Arc::clone(&self.program),
            function,
        }
    }

    fn job_policy(
        &self,
        owner: &ProcedureTable,
        author: &ProcedureMetadata,
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
            max_running: owner.max_running,
            requires: owner.requires.clone(),
            backoff: owner.backoff.unwrap_or(Duration::from_secs(1)),
            is_repeatable: owner.idempotent || self.program.is_repeatable(),
        }
    }

    /// Sets the defaults that the author and the owner gave to parameters. Gives what is wrong with
    /// the author's.
    ///
    /// # Errors
    ///
    /// What is wrong with the owner's: a sidecar's fault is always an error.
    fn defaults(&self, export: &Export, signature: &mut Signature) -> Result<Vec<String>, Refusal> {
        let name = &*export.name;
        let mut warnings = Vec::new();
        if let Some(table) = self.metadata.table(export) {
            for (parameter, value) in &table.defaults {
                let value = Parsed::deserialize(value)
                    .map_err(|error| UnfitDefault::Unreadable(error.to_string()));
                let set = value.and_then(|Parsed(value)| set_default(signature, parameter, &value));
                if let Err(reason) = set {
                    warnings.push(format!(
                        "the default of `{parameter}` of `{name}` in the component: {reason}"
                    ));
                }
            }
        }
        if let Some(table) = self.sidecar.procedures.get(name) {
            for (parameter, value) in &table.defaults {
                set_default(signature, parameter, value).map_err(|reason| Refusal::Default {
                    parameter: parameter.clone(),
                    procedure: name.to_owned(),
                    reason,
                })?;
            }
        }
        Ok(warnings)
    }
}

/// The snake_case form of a procedure's name, where it is another name that the original client can have.
fn snake_name(name: &Arc<str>) -> Option<Arc<str>> {
    let snake = snake_path(name);
    let is_free = snake != **name
        && is_valid_name(&snake)
        && client_warning(&snake, [].into_iter()).is_none();
    is_free.then(|| snake.into())
}

/// Permits for calls, where their number is limited.
fn permits(max_calls: Option<u32>) -> Option<Arc<Semaphore>> {
    max_calls.map(|calls| Arc::new(Semaphore::new(calls as usize)))
}

fn set_default(signature: &mut Signature, name: &str, value: &Value) -> Result<(), UnfitDefault> {
    let position = signature.position(name).ok_or(UnfitDefault::NoParameter)?;
    let parameter = &mut signature.parameters[position];
    let value = json::typed(value.clone(), &parameter.ty);
    let typed = check(value.clone(), &parameter.ty)?;
    // Pairs are a map in the words of a caller.
    let value = if holds_map(&parameter.ty) { present(typed, &parameter.ty) } else { value };
    parameter.default = Some(DefaultValue(value));
    Ok(())
}

fn methods(owner: &ProcedureTable, author: &ProcedureMetadata) -> Vec<WebMethod> {
    let author = author.methods.as_ref().filter(|methods| !methods.is_empty());
    let chosen = owner.methods.as_ref().or(author);
    let mut methods = chosen.cloned().unwrap_or_else(|| WebMethod::ALL.into());
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// Opens and reads a component and its sidecar, and sees that they can be what they should.
pub(super) fn open_component(found: &Found) -> Result<Opened, LoadError> {
    let unreadable = |e: io::Error| Unavailable::from(e);
    let sidecar = match &found.sidecar {
        Some(_) if found.sidecar_size() > MAX_SIDECAR_SIZE => {
            return Err(Refusal::LargeSidecar.into());
        }
        Some(path) => {
            let (sidecar, text) = config::read_with_text(path).map_err(|e| {
                let message = named(&e, path, found);
                match e {
                    ConfigError::Unreadable { .. } => {
                        LoadError::Unavailable(Unavailable::Sidecar(message))
                    }
                    ConfigError::Invalid { .. } => LoadError::Refused(Refusal::Sidecar(message)),
                }
            })?;
            (sidecar, Some(blake3::hash(text.as_bytes())))
        }
        None => (Sidecar::default(), None),
    };
    let (sidecar, sidecar_digest) = sidecar;
    // What is no file by now, such as a pipe, must not be waited for.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = open(&found.path, flags, FileMode::empty())
        .map_err(|e| unreadable(explained(&found.path, e.into())))?;
    let mut file = File::from(file);
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Unavailable::NoFile.into());
    }
    if metadata.len() > MAX_FILE_SIZE {
        return Err(Refusal::TooLarge(metadata.len()).into());
    }
    let mut beginning = Vec::new();
    (&file).take(8).read_to_end(&mut beginning).map_err(unreadable)?;
    check_kind(&beginning).map_err(Refusal::from)?;
    file.rewind().map_err(unreadable)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut file).map_err(unreadable)?;
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(Opened { file, digest: hasher.finalize(), modified, sidecar, sidecar_digest })
}

impl From<CompileError> for LoadError {
    fn from(failure: CompileError) -> Self {
        match failure {
            CompileError::Refused(message) | CompileError::Failed(message) => {
                Self::Refused(Refusal::Compiler(message))
            }
            CompileError::Unavailable(message) => Self::Unavailable(Unavailable::Compiler(message)),
            CompileError::Stopped => Self::Stopped,
        }
    }
}

/// A sidecar's fault, with its name as the folder has it instead of the host's own path.
fn named(error: &ConfigError, path: &Path, found: &Found) -> String {
    let sidecar = Path::new(&found.name).with_extension("toml");
    error.to_string().replace(&path.display().to_string(), &sidecar.display().to_string())
}

/// The tables of a sidecar by the names that its procedures have, of which it may have the snake_case form.
fn known_procedures(
    tables: BTreeMap<String, ProcedureTable>,
    exports: &[Export],
) -> Result<BTreeMap<String, ProcedureTable>, Refusal> {
    let mut known = BTreeMap::new();
    for (name, table) in tables {
        let names = exports.iter().map(|export| &*export.name);
        let Some(export) = path_position(&name, names).map(|position| &exports[position]) else {
            let exports = exports.iter().map(|export| format!("`{}`", export.name)).collect();
            return Err(Refusal::UnknownProcedure { name, exports });
        };
        if known.insert(export.name.clone(), table).is_some() {
            return Err(Refusal::SameProcedure { procedure: export.name.clone(), name });
        }
    }
    Ok(known)
}
