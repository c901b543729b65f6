//! The wasmtime engines, made once per process. The settings were measured; the reasons stand beside
//! them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::{
    CacheStore, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    Result,
};

use crate::config::MAX_MEMORY;

/// Instances take about six memory maps each and Linux allows 65,530 a process by default.
const MAX_SLOTS: u32 = 10_000;

/// Memories beyond the first of each component, for all calls together. A memory reserves 4 GiB of
/// address space, so not every slot can have [`MAX_MEMORIES`].
pub(super) const EXTRA_MEMORIES: u32 = 512;

/// Memories of one component.
const MAX_MEMORIES: u32 = 8;

/// Tables of one component.
const MAX_TABLES: u32 = 16;

/// Core instances of one component.
const MAX_CORE_INSTANCES: u32 = 64;

/// Elements of one table: twice what interpreters compiled to wasm have; reserved, not taken.
const TABLE_ELEMENTS: usize = 100_000;

/// Whether an engine knows the component model's asynchronous functions, streams and futures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Concurrency {
    /// It does not.
    Off,
    /// It does.
    On,
}

/// Makes an engine, with room for `calls` calls at once.
pub(super) fn engine(calls: u32, concurrency: Concurrency) -> Result<Engine> {
    let mut config = compilation(concurrency);
    let pool = pool(calls.clamp(1, MAX_SLOTS));
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// Makes an engine that compiles for those of [`engine`] and runs nothing, so it reserves no memory. Functions that
/// `known` has are not compiled again.
pub(super) fn compiler(concurrency: Concurrency, known: &Arc<dyn CacheStore>) -> Result<Engine> {
    let mut config = compilation(concurrency);
    config.enable_incremental_compilation(Arc::clone(known))?;
    Engine::new(&config)
}

/// Every setting that changes compiled code. It is the same for all engines of one kind, in whatever
/// process: wasmtime refuses code that was compiled with other settings.
fn compilation(concurrency: Concurrency) -> Config {
    let concurrent = concurrency == Concurrency::On;
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .wasm_component_model(true)
        .wasm_component_model_async(concurrent)
        .concurrency_support(concurrent)
        // `map<K, V>` of WASI 0.3.1.
        .wasm_component_model_map(true)
        // No supported tool chain emits these, and each is code of the compiler and the runtime that
        // an attacker could reach. Exceptions stay: Python needs them. So do multiple memories:
        // wasmtime's own adapters between the parts of a composed component have two.
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_memory64(false)
        // The same result on every processor.
        .relaxed_simd_deterministic(true);
    config
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    const KIB: usize = 1 << 10;
    const MIB: usize = 1 << 20;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_memories(slots + EXTRA_MEMORIES)
        .total_stacks(slots)
        // As many as all slots could use at once, so that no component takes another's.
        .total_tables(MAX_TABLES * slots)
        .total_core_instances(MAX_CORE_INSTANCES * slots)
        .total_gc_heaps(slots)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_component_instance_size(MIB)
        .max_core_instance_size(2 * MIB)
        .table_elements(TABLE_ELEMENTS)
        // Calls are capped by their own limit; the reservation stays at 4 GiB, since a smaller one
        // brings bounds checks back (1.3 to 1.45 times slower).
        .max_memory_size(usize::try_from(MAX_MEMORY).unwrap_or(usize::MAX))
        // Pages kept by a slot are cleared by hand instead of by three system calls an instance.
        .linear_memory_keep_resident(MIB)
        .table_keep_resident(64 * KIB)
        .async_stack_keep_resident(16 * KIB)
        .max_unused_warm_slots(100)
        .pagemap_scan(Enabled::Auto);
    pool
}
