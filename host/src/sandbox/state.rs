//! What one call's store holds: its WASI context, its output, its observer and its memory's limiter.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiterAsync, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::handler::NoNetwork;
use super::observe::Observer;
use super::output::Streams;
use crate::budget::{Charge, MemoryBudget, Purpose};
use crate::config::Limits;

/// The state of one call.
pub(super) struct CallState {
    /// Made when the guest first turns to WASI, which most calls never do.
    wasi: Option<Box<WasiCtx>>,
    resources: ResourceTable,
    http: WasiHttpCtx,
    outgoing: NoNetwork,
    pub(super) memory: MemoryLimiter,
    pub(super) output: Streams,
    /// The procedure's, for the host's log.
    pub(super) name: Arc<str>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// The fuel that was left when a function of the interface `job` last let others run.
    pub(super) yielded_at: u64,
}

impl CallState {
    pub(super) fn new(
        name: &Arc<str>,
        limits: &Limits,
        observer: Option<Arc<dyn Observer>>,
        budget: &MemoryBudget,
    ) -> Self {
        let charge = budget.charge(Purpose::Work);
        let memory = MemoryLimiter { limit: limits.memory, used: 0, denied: None, charge };
        Self {
            wasi: None,
            resources: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            outgoing: NoNetwork,
            memory,
            output: Streams::new(limits.output),
            name: Arc::clone(name),
            observer,
            yielded_at: limits.fuel,
        }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let output = &self.output;
        let ctx = self.wasi.get_or_insert_with(|| Box::new(wasi(output)));
        WasiCtxView { ctx, table: &mut self.resources }
    }
}

/// Grants nothing: no files, no network, no environment, no arguments. Whoever grants something must
/// say so in [`outside`](super::outside), which relies on this.
fn wasi(output: &Streams) -> WasiCtx {
    WasiCtx::builder()
        .allow_tcp(false)
        .allow_udp(false)
        .stdout(output.stdout.clone())
        .stderr(output.stderr.clone())
        .build()
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.resources,
            hooks: &mut self.outgoing,
        }
    }
}

/// Caps all memories of an instance together, where wasmtime's own limiter caps each.
pub(super) struct MemoryLimiter {
    limit: usize,
    /// Bytes in use, which never shrink: also the peak.
    pub(super) used: usize,
    /// How many bytes the guest would have had, had it not been refused.
    pub(super) denied: Option<usize>,
    /// What the guest has of the host's budget.
    charge: Charge,
}

/// The memory limit was reached; ends the guest, which learns nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("out of memory")]
pub(super) struct MemoryLimitReached;

/// An element of a table is a pointer.
const TABLE_ELEMENT: usize = 8;

#[async_trait::async_trait]
impl ResourceLimiterAsync for MemoryLimiter {
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> Result<bool> {
        let more = desired.saturating_sub(current);
        let wanted = self.used.saturating_add(more);
        if wanted > self.limit {
            self.denied = Some(wanted);
            return Err(MemoryLimitReached.into());
        }
        self.charge.take_soon(more).await?;
        self.used = wanted;
        Ok(true)
    }

    async fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> Result<bool> {
        // How large they may be is bounded by the engine's pool.
        let more = desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT);
        self.charge.take_soon(more).await?;
        Ok(true)
    }
}
