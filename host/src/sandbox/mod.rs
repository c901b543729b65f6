//! One call, one store, one instance: runs a guest within its limits, and knows neither HTTP nor any
//! wire format.
//!
//! Work by lifetime: [`Sandbox`] (engines, linkers) once per process, [`Program`] (compiled and linked)
//! once per version of a file, store and instance once per call.

mod abi;
mod access;
mod context;
mod debt;
mod engine;
mod failure;
mod fair;
mod files;
mod frames;
mod grants;
mod handler;
mod hints;
mod host_calls;
mod http;
mod imports;
mod job;
mod messages;
mod missing;
mod observe;
mod outgoing;
mod output;
mod outside;
mod program;
mod run;
mod secret;
mod state;
mod target;
mod wasi_config;
mod wasi_filesystem;
mod wasi_http;

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{CacheStore, Engine};

use crate::budget::MemoryBudget;
use crate::config::GrantsTable;
use context::{Context, Room};
use grants::Grants;
use outgoing::Connector;
use state::CallState;

pub use access::{Access, Want};
pub(crate) use context::max_open_files;
pub use engine::Concurrency;
pub use files::ReservedFolder;
pub use handler::{Handler, Request, Response, Streamed};
pub use hints::Hints;
pub use missing::ImportError;
pub use observe::{Level, Observer, Progress};
pub use output::{PRINTED, Streams};
pub use program::{Function, Program};
pub use run::{Receipt, Run, Threads};

/// Why a component cannot be linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It needs what the host has not.
    #[error("its imports are not all provided by this host: {0}")]
    Imports(#[from] ImportError),
    /// Its sidecar grants what nobody may have.
    #[error(transparent)]
    Folder(#[from] ReservedFolder),
}

/// Where guests run.
///
/// What wasmtime keeps for the component model's asynchronous functions costs every call of an
/// engine that knows them a sixth of its time, and few components have any. So there are two
/// engines: one that does not, and for components that it refuses one that does.
pub struct Sandbox {
    plain: EngineContext,
    concurrent: OnceLock<EngineContext>,
    max_calls: u32,
    budget: MemoryBudget,
    room: Arc<Room>,
    /// Directories that are the host's own, which no guest may be granted.
    reserved: Arc<[PathBuf]>,
}

/// An engine, with what the host provides for guests.
struct EngineContext {
    engine: Engine,
    /// For procedures.
    procedures: Linker<CallState>,
    /// For components that answer requests or may send some, which alone have a use for `wasi:http`.
    handlers: Linker<CallState>,
}

impl Sandbox {
    /// Makes an engine, with room for `max_calls` calls at once; further ones fail as overloaded.
    ///
    /// # Errors
    ///
    /// Where this machine cannot reserve the address space or start threads, or is of a kind that
    /// wasmtime does not compile for.
    pub fn new(max_calls: u32) -> wasmtime::Result<Self> {
        Ok(Self {
            budget: MemoryBudget::unlimited(),
            plain: EngineContext::new(max_calls, Concurrency::Off)?,
            concurrent: OnceLock::new(),
            max_calls,
            room: Arc::new(Room::new()?),
            reserved: Arc::default(),
        })
    }

    /// The same, with guests charged to this budget.
    #[must_use]
    pub fn with_budget(self, budget: MemoryBudget) -> Self {
        Self { budget, ..self }
    }

    /// The same, with directories that are the host's own: no guest is granted a folder that is or has one
    /// of them, or that is in one.
    #[must_use]
    pub fn with_reserved(self, directories: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { reserved: directories.into_iter().collect(), ..self }
    }

    /// The same, with guests that trust certificates of these authorities too, beside those that the
    /// operating system does. For a sandbox that nothing is linked in yet.
    #[must_use]
    pub fn with_authorities(mut self, authorities: Vec<CertificateDer<'static>>) -> Self {
        if let Some(room) = Arc::get_mut(&mut self.room) {
            room.connector = Arc::new(Connector::new(authorities));
        }
        self
    }

    /// What guests are charged to, and everything else that callers make the host hold.
    pub fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Compiles a component in this process, for the engine that suits it.
    ///
    /// # Errors
    ///
    /// Where no engine accepts it.
    pub fn precompile(&self, component: &[u8]) -> wasmtime::Result<(Concurrency, Vec<u8>)> {
        precompile_with(component, |concurrency| self.engine(concurrency).cloned())
    }

    /// Adds all that compiled code depends on: the engine's settings and wasmtime's version.
    pub fn compatibility(&self, hasher: &mut impl Hasher) {
        self.plain.engine.precompile_compatibility_hash().hash(hasher);
    }

    /// The engine of that kind.
    ///
    /// # Errors
    ///
    /// Where this machine cannot reserve the address space.
    pub fn engine(&self, concurrency: Concurrency) -> wasmtime::Result<&Engine> {
        Ok(match concurrency {
            Concurrency::Off => &self.plain.engine,
            Concurrency::On => &self.concurrent()?.engine,
        })
    }

    /// Made when the first component needs it.
    fn concurrent(&self) -> wasmtime::Result<&EngineContext> {
        if let Some(context) = self.concurrent.get() {
            return Ok(context);
        }
        let context = EngineContext::new(self.max_calls, Concurrency::On)?;
        Ok(self.concurrent.get_or_init(|| context))
    }

    /// Links a component's imports to what the host provides, and to what its sidecar grants.
    ///
    /// # Errors
    ///
    /// Names all imports that the host does not provide, or the limit of the engine that the component
    /// exceeds, or the folder that cannot be granted.
    pub fn link(
        &self,
        component: &Component,
        grants: &GrantsTable,
    ) -> Result<Arc<Program>, LinkError> {
        let context = match self.concurrent.get() {
            Some(context) if Engine::same(&context.engine, component.engine()) => context,
            _ => &self.plain,
        };
        let has_http = wasi_http::is_exported(component)
            || (wasi_http::is_imported(component) && !grants.http.is_empty());
        let linked = context.link(component, has_http)?;
        let grants = Grants::new(grants, component, &self.room.ledgers, &self.reserved)?;
        let memories = component.resources_required().map_or(1, |needed| needed.num_memories);
        Ok(Arc::new(Program {
            linked,
            has_http,
            is_repeatable: outside::is_repeatable(component, &grants),
            access: Arc::new(Access {
                wants: Want::of(&imports::of(component)),
                granted: grants.names.clone(),
            }),
            extra_memories: memories.saturating_sub(1),
            context: Arc::new(Context {
                grants: Arc::new(grants),
                budget: self.budget.clone(),
                room: Arc::clone(&self.room),
            }),
        }))
    }
}

/// Compiles a component for the engine that suits it, where nothing runs: a sandbox of the same
/// version can load the code. Functions that `known` has are not compiled again.
///
/// # Errors
///
/// Where no engine accepts it.
pub fn precompile(
    component: &[u8],
    known: &Arc<dyn CacheStore>,
) -> wasmtime::Result<(Concurrency, Vec<u8>)> {
    precompile_with(component, |concurrency| engine::compiler(concurrency, known))
}

fn precompile_with(
    component: &[u8],
    engine: impl Fn(Concurrency) -> wasmtime::Result<Engine>,
) -> wasmtime::Result<(Concurrency, Vec<u8>)> {
    let compile = |concurrency| {
        let code = engine(concurrency)?.precompile_component(component)?;
        Ok((concurrency, code))
    };
    compile(Concurrency::Off).or_else(|_| compile(Concurrency::On))
}

impl EngineContext {
    fn new(max_calls: u32, concurrency: Concurrency) -> wasmtime::Result<Self> {
        let engine = engine::engine(max_calls, concurrency)?;
        let mut procedures = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut procedures)?;
        if concurrency == Concurrency::On {
            wasmtime_wasi::p3::add_to_linker(&mut procedures)?;
        }
        wasi_filesystem::link(&mut procedures)?;
        wasi_config::link(&mut procedures)?;
        job::link(&mut procedures)?;
        http::link(&mut procedures)?;
        let mut handlers = procedures.clone();
        wasi_http::link(&mut handlers, concurrency)?;
        Ok(Self { engine, procedures, handlers })
    }

    fn link(
        &self,
        component: &Component,
        has_http: bool,
    ) -> Result<InstancePre<CallState>, ImportError> {
        let instantiate = |linker: &Linker<CallState>| {
            linker.instantiate_pre(component).map_err(|e| missing::explain(linker, component, e))
        };
        if has_http {
            return instantiate(&self.handlers);
        }
        if !wasi_http::is_imported(component) {
            return instantiate(&self.procedures);
        }
        let mut linker = self.procedures.clone();
        wasi_http::refuse(&mut linker, component)
            .map_err(|e| ImportError::Refused(format!("{e:#}")))?;
        instantiate(&linker)
    }
}
