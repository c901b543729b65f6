//! The wasmtime engines, made once per process. The settings were measured; the reasons stand beside
//! them.

use serde::{Deserialize, Serialize};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result,
};

use crate::config::MAX_MEMORY;

/// Instances take about six memory maps each and Linux allows 65,530 a process by default.
const MAX_SLOTS: u32 = 10_000;

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

/// Makes an engine that compiles for those of [`engine`] and runs nothing, so it reserves no memory.
pub(super) fn compiler(concurrency: Concurrency) -> Result<Engine> {
    Engine::new(&compilation(concurrency))
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
        .concurrency_support(concurrent);
    config
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    const KIB: usize = 1 << 10;
    const MIB: usize = 1 << 20;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_memories(slots)
        .total_stacks(slots)
        .total_tables(4 * slots)
        .total_core_instances(32 * slots)
        .total_gc_heaps(slots)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(16)
        .max_component_instance_size(MIB)
        .max_core_instance_size(MIB)
        // Five times what interpreters compiled to wasm have; reserved, not taken.
        .table_elements(100_000)
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
