//! The wasmtime engines, made once per process. The settings were measured; the reasons stand beside
//! them.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result,
};

use crate::config::MAX_MEMORY;

/// Instances take about six memory maps each and Linux allows 65,530 a process by default.
const MAX_SLOTS: u32 = 10_000;

/// Whether an engine knows the component model's asynchronous functions, streams and futures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concurrency {
    Off,
    On,
}

/// Makes an engine, with room for `calls` calls at once.
pub(super) fn engine(calls: u32, concurrency: Concurrency) -> Result<Engine> {
    let concurrent = concurrency == Concurrency::On;
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .wasm_component_model(true)
        .wasm_component_model_async(concurrent)
        .concurrency_support(concurrent)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(calls.clamp(1, MAX_SLOTS))));
    Engine::new(&config)
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
        // Large enough for the tables of interpreters compiled to wasm.
        .table_elements(20_000)
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
