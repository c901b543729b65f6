//! One call, one store, one instance: runs a guest within its limits, and knows neither HTTP nor any
//! wire format.
//!
//! Work by lifetime: [`Sandbox`] (engines, linkers) once per process, [`Program`] (compiled and linked)
//! once per version of a file, store and instance once per call.

mod abi;
mod engine;
mod failure;
mod fair;
mod frames;
mod handler;
mod host_calls;

mod job;
mod missing;
mod observe;
mod output;
mod outside;
mod run;
mod state;
mod wasi_http;

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};

use crate::budget::MemoryBudget;
use crate::codec::types::{Signature, Type};
use crate::error::{CallError, Kind};
use fair::LongCalls;
use state::CallState;

pub use engine::Concurrency;
pub use handler::{Handler, Request, Response, Streamed};
pub use observe::{Level, Observer, Progress};
pub use output::Streams;
pub use run::Run;

/// A guest hands the thread back after this much fuel, about a tenth of a millisecond. A tenth of
/// it already costs 10 % of a guest's speed, more than it is free.
const FUEL_BETWEEN_YIELDS: u64 = 1_000_000;

/// Where guests run.
///
/// What wasmtime keeps for the component model's asynchronous functions costs every call of an
/// engine that knows them a sixth of its time, and few components have any. So there are two
/// engines: one that does not, and for components that it refuses one that does.
pub struct Sandbox {
    plain: Ground,
    concurrent: OnceLock<Ground>,
    max_calls: u32,
    budget: MemoryBudget,
    room: Arc<Room>,
}

/// What all calls share.
struct Room {
    long_calls: LongCalls,
    /// Memories that components of several may take beyond their first.
    extra_memories: Arc<Semaphore>,
}

/// The threads that a call is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// Of a runtime that has other things to do as well, which a guest must not hold up.
    Shared,
    /// Of one that has nothing but guests.
    ForGuests,
}

/// An engine, with what the host provides for guests.
struct Ground {
    engine: Engine,
    /// For procedures.
    procedures: Linker<CallState>,
    /// For components that answer requests, which alone have a use for `wasi:http`.
    handlers: Linker<CallState>,
}

/// A component that is compiled and whose imports are linked.
#[derive(Clone)]
pub struct Program {
    linked: InstancePre<CallState>,
    touches_nothing: bool,
    budget: MemoryBudget,
    /// Memories beyond the first.
    extra_memories: u32,
    room: Arc<Room>,
}

/// A function that a [`Program`] exports.
#[derive(Clone)]
pub struct Function {
    index: ComponentExportIndex,
    /// How many core values its result comes in; see `abi::Returned`.
    flat_result: usize,
    is_async: bool,
}

/// What a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Units of fuel.
    pub fuel: u64,
    /// Bytes of all memories together, at the most.
    pub peak_memory: usize,
    /// From the start of the call until its instance was ready.
    pub instantiate: Duration,
    /// From then until it returned or failed.
    pub run: Duration,
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
            plain: Ground::new(max_calls, Concurrency::Off)?,
            concurrent: OnceLock::new(),
            max_calls,
            room: Arc::new(Room {
                long_calls: LongCalls::new()?,
                extra_memories: Arc::new(Semaphore::new(engine::EXTRA_MEMORIES as usize)),
            }),
        })
    }

    /// The same, with guests charged to this budget.
    #[must_use]
    pub fn with_budget(self, budget: MemoryBudget) -> Self {
        Self { budget, ..self }
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
    fn concurrent(&self) -> wasmtime::Result<&Ground> {
        if let Some(ground) = self.concurrent.get() {
            return Ok(ground);
        }
        let ground = Ground::new(self.max_calls, Concurrency::On)?;
        Ok(self.concurrent.get_or_init(|| ground))
    }

    /// Links a component's imports to what the host provides.
    ///
    /// # Errors
    ///
    /// Names all imports that the host does not provide, or the limit of the engine that the component
    /// exceeds.
    pub fn link(&self, component: &Component) -> Result<Program, String> {
        let ground = match self.concurrent.get() {
            Some(ground) if Engine::same(&ground.engine, component.engine()) => ground,
            _ => &self.plain,
        };
        let linked = ground.link(component)?;
        let memories = component.resources_required().map_or(1, |needed| needed.num_memories);
        Ok(Program {
            linked,
            touches_nothing: outside::touches_nothing(component),
            extra_memories: memories.saturating_sub(1),
            budget: self.budget.clone(),
            room: Arc::clone(&self.room),
        })
    }
}

/// Compiles a component for the engine that suits it, where nothing runs: a sandbox of the same
/// version can load the code.
///
/// # Errors
///
/// Where no engine accepts it.
pub fn precompile(component: &[u8]) -> wasmtime::Result<(Concurrency, Vec<u8>)> {
    precompile_with(component, engine::compiler)
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

impl Ground {
    fn new(max_calls: u32, concurrency: Concurrency) -> wasmtime::Result<Self> {
        let engine = engine::engine(max_calls, concurrency)?;
        let mut procedures = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut procedures)?;
        if concurrency == Concurrency::On {
            wasmtime_wasi::p3::add_to_linker(&mut procedures)?;
        }
        job::link(&mut procedures)?;
        let mut handlers = procedures.clone();
        wasi_http::link(&mut handlers, concurrency)?;
        Ok(Self { engine, procedures, handlers })
    }

    fn link(&self, component: &Component) -> Result<InstancePre<CallState>, String> {
        let instantiate = |linker: &Linker<CallState>| {
            linker.instantiate_pre(component).map_err(|e| missing::explain(linker, component, e))
        };
        if handler::is_exported(component) {
            return instantiate(&self.handlers);
        }
        if !wasi_http::is_imported(component) {
            return instantiate(&self.procedures);
        }
        let mut linker = self.procedures.clone();
        wasi_http::refuse(&mut linker, component).map_err(|e| format!("{e:#}"))?;
        instantiate(&linker)
    }
}

impl Program {
    /// Room for the memories of one call beyond the first, which every call has.
    fn reserve(&self) -> Result<Option<OwnedSemaphorePermit>, CallError> {
        if self.extra_memories == 0 {
            return Ok(None);
        }
        Arc::clone(&self.room.extra_memories)
            .try_acquire_many_owned(self.extra_memories)
            .map(Some)
            .map_err(|_| {
                let message =
                    "every memory for components that have several is taken; try again later";
                CallError::new(Kind::Overloaded, message).retry_after(1)
            })
    }

    /// The interfaces that it imports functions from, with their versions.
    pub fn imports(&self) -> Vec<String> {
        outside::imports(self.linked.component())
    }

    /// Whether no call of this component can touch anything outside its own instance, so that
    /// running one again, whatever became of the first time, is safe.
    ///
    /// A component has no way out but its imports, and they were all seen when it was linked. What
    /// counts is what they are good for: ordinary components import all of WASI, but nothing is
    /// granted with it. No folder, no network, no input, no environment, no state that outlives the
    /// call. What is left can be read (clocks, random numbers), so that another run may give
    /// another result, but cannot be changed. The output and the interface `job` are heard by the
    /// call's owner alone. Any other import, but for one of types only, makes this false.
    pub fn touches_nothing(&self) -> bool {
        self.touches_nothing
    }
}

impl Function {
    /// The function that a component exports at `index` with this signature.
    pub fn new(index: ComponentExportIndex, signature: &Signature) -> Self {
        let flat_result = match &signature.result {
            Some(ty) if signature.is_async => flat_count(ty),
            None if signature.is_async => 0,
            _ => 1,
        };
        // More than 16 come through memory, as one pointer.
        let flat_result = if flat_result > 16 { 1 } else { flat_result };
        Self { index, flat_result, is_async: signature.is_async }
    }
}

/// How many core values a type takes, by the canonical ABI's flattening.
fn flat_count(ty: &Type) -> usize {
    let optional = |ty: &Option<Box<Type>>| ty.as_deref().map_or(0, flat_count);
    match ty {
        Type::String | Type::List(_) | Type::Map { .. } => 2,
        Type::Tuple(types) => types.iter().map(flat_count).sum(),
        Type::Record(fields) => fields.iter().map(|field| flat_count(&field.ty)).sum(),
        Type::Variant(cases) => {
            1 + cases.iter().filter_map(|(_, ty)| ty.as_ref()).map(flat_count).max().unwrap_or(0)
        }
        Type::Flags(names) => names.len().div_ceil(32),
        Type::Option(inner) => 1 + flat_count(inner),
        Type::Result(ok, err) => 1 + optional(ok).max(optional(err)),
        _ => 1,
    }
}
