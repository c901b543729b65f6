//! What one call's store holds: its WASI context, its output, its observer and its memory's limiter.

use std::sync::Arc;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiterAsync, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::context::Context;
use super::debt::{Charged, Debt, MAX_RANDOM, MAX_RESOURCES};
use super::files::OpenFiles;
use super::grants::Grants;
use super::hints::Hints;
use super::messages;
use super::observe::Observer;
use super::outgoing::Outgoing;
use super::output::Streams;
use crate::budget::{Charge, Purpose};
use crate::config::Limits;

/// Bytes that an instance takes in the host beside its memories and tables: its store, its fiber's stack, of
/// which few pages are ever touched, and what wasmtime keeps of it. Measured with a thousand calls that sleep.
const INSTANCE: usize = 64 << 10;

/// The state of one call.
pub(super) struct CallState {
    /// Made when the guest first turns to WASI, which most calls never do.
    wasi: Option<Box<WasiCtx>>,
    resources: ResourceTable,
    http: WasiHttpCtx,
    /// Made when the guest first has something to send.
    outgoing: Option<Box<Outgoing>>,
    /// Made when the guest first asks for files.
    files: Option<Box<OpenFiles>>,
    pub(super) context: Arc<Context>,
    /// What it was refused.
    pub(super) hints: Hints,
    pub(super) memory: MemoryLimiter,
    pub(super) output: Streams,
    /// The procedure's, for the host's log.
    pub(super) name: Arc<str>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) debt: Debt,
    /// The fuel that was left when a host call last let others run.
    pub(super) yielded_at: u64,
}

impl CallState {
    pub(super) fn new(
        name: &Arc<str>,
        limits: &Limits,
        observer: Option<Arc<dyn Observer>>,
        context: &Arc<Context>,
    ) -> Self {
        let mut charge = context.budget.charge(Purpose::Work);
        charge.expect(INSTANCE);
        let memory = MemoryLimiter { limit: limits.memory, used: 0, denied: None, charge };
        let (debt, hints) = (Debt::default(), Hints::default());
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(MAX_RESOURCES);
        Self {
            wasi: None,
            resources,
            http: WasiHttpCtx::new(),
            outgoing: None,
            files: None,
            context: Arc::clone(context),
            hints,
            memory,
            output: Streams::new(limits.output, &debt),
            debt,
            name: Arc::clone(name),
            observer,
            yielded_at: limits.fuel,
        }
    }
}

impl CallState {
    /// The call's way to servers.
    pub(super) fn outgoing(&mut self) -> &mut Outgoing {
        self.outgoing.get_or_insert_with(|| outgoing(&self.context, &self.hints, &self.debt))
    }

    /// What stands for secrets in the environment, and in what is sent.
    fn placeholders(&mut self) -> Vec<(String, String)> {
        if self.context.grants.secrets.is_empty() {
            return Vec::new();
        }
        let placeholders = self.outgoing().placeholders();
        placeholders.map(|(name, placeholder)| (name.to_owned(), placeholder.to_owned())).collect()
    }

    /// What the call has open.
    pub(super) fn files(&mut self) -> &mut OpenFiles {
        self.files.get_or_insert_with(|| {
            let Context { budget, room, .. } = &*self.context;
            Box::new(OpenFiles::new(budget, &room.open_files))
        })
    }

    /// Narrows the bounds for a guest that can hold whole messages.
    pub(super) fn limit_http(&mut self) {
        self.http.set_field_size_limit(messages::MAX_FIELDS);
        self.resources.set_max_capacity(messages::MAX_RESOURCES);
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let placeholders = if self.wasi.is_none() { self.placeholders() } else { Vec::new() };
        let ctx = self.wasi.get_or_insert_with(|| {
            Box::new(wasi(&self.output, &self.debt, &self.context.grants, &placeholders))
        });
        WasiCtxView { ctx, table: &mut self.resources }
    }
}

fn outgoing(context: &Context, hints: &Hints, debt: &Debt) -> Box<Outgoing> {
    let Context { grants, budget, room } = context;
    let (connector, open_files) = (&room.connector, &room.open_files);
    Box::new(Outgoing::new(grants, connector, (hints, debt), budget, open_files))
}

/// Gives the environment that was granted, with placeholders for secrets, and nothing else: no files,
/// which are the affair of [`files`](super::files), no network, no arguments. Whoever grants something
/// must say so in [`outside`](super::outside), which relies on this.
fn wasi(
    output: &Streams,
    debt: &Debt,
    grants: &Grants,
    placeholders: &[(String, String)],
) -> WasiCtx {
    WasiCtx::builder()
        .envs(&grants.environment)
        .envs(placeholders)
        .secure_random(Charged::new(StdRng::from_rng(&mut rand::rng()), debt))
        .max_random_size(MAX_RANDOM)
        .allow_tcp(false)
        .allow_udp(false)
        .stdout(output.stdout.clone())
        .stderr(output.stderr.clone())
        .build()
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Self { outgoing: hooks, context, hints, debt, .. } = self;
        let hooks = hooks.get_or_insert_with(|| outgoing(context, hints, debt));
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.resources, hooks: &mut **hooks }
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
        maximum: Option<usize>,
    ) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            // The memory says itself that it does not grow so far, so the guest is told that it did
            // not, as WebAssembly has it.
            return Ok(false);
        }
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
        maximum: Option<usize>,
    ) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        // How large they may be is bounded by the engine's pool.
        let more = desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT);
        self.charge.take_soon(more).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::Room;
    use super::*;
    use crate::budget::MemoryBudget;

    #[tokio::test]
    async fn an_instance_is_charged_with_its_first_memory() {
        let budget = MemoryBudget::new(1 << 30);
        let room = Arc::new(Room::new().unwrap());
        let context = Arc::new(Context { grants: Arc::default(), budget: budget.clone(), room });
        let mut state = CallState::new(&"f".into(), &Limits::default(), None, &context);
        assert_eq!(budget.used(), 0, "the counter that all share is touched once");
        assert!(state.memory.memory_growing(0, 1 << 20, None).await.unwrap());
        assert_eq!(budget.used(), (1 << 20) + INSTANCE);
        drop(state);
        assert_eq!(budget.used(), 0);
    }
}
