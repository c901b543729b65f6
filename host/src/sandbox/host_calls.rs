//! What a guest pays for calling the host, beside its [`Debt`](super::debt::Debt), and when.
//!
//! A host call costs fuel by the bytes that it moves, and lets others run where it took long. Without
//! this a guest that does nothing but call the host would get more work done for its fuel than any
//! other, and keep its thread for longer: wasmtime only lets others run when a guest has used fuel.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wasmtime::{CallHook, CallHookHandler, Store, StoreContextMut, Trap};

use super::debt::MAX_TRANSFER;
use super::fair;
use super::observe::Observer;
use super::state::CallState;

/// A guest hands the thread back after this much fuel, about a tenth of a millisecond. A tenth of
/// it already costs 10 % of a guest's speed, more than it is free.
pub(super) const FUEL_BETWEEN_YIELDS: u64 = 1_000_000;

/// Fuel for one host call, about what its work would take in a guest.
const FUEL_PER_CALL: u64 = 1_000;

/// A guest that turns to the host after having run for so long lets others run first.
const MAX_STRETCH: Duration = Duration::from_millis(1);

/// How the result leaves the guest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transfer {
    /// Bytes that the result may have.
    pub(super) result: usize,
    /// Whether it comes by a host call, as that of an `async func` does, so that every host call may
    /// move as much.
    pub(super) by_host_call: bool,
}

impl Transfer {
    /// In the unit of [`Store::set_hostcall_fuel`], which lifting a text draws on twice.
    fn allowance(self) -> usize {
        self.result.saturating_mul(2).max(MAX_TRANSFER)
    }
}

/// Charges the host calls of a store with so much fuel. `result` is `None` where the guest returns none.
pub(super) fn charge(store: &mut Store<CallState>, fuel: u64, result: Option<Transfer>) {
    let (always, on_return) = match result {
        Some(transfer) if transfer.by_host_call => (transfer.allowance(), None),
        Some(transfer) => (MAX_TRANSFER, Some(transfer.allowance())),
        None => (MAX_TRANSFER, None),
    };
    store.set_hostcall_fuel(always);
    let observer = store.data().observer.clone();
    store.call_hook_async(Charge { fuel, on_return, observer });
}

struct Charge {
    /// All that the call has.
    fuel: u64,
    /// What may be moved out once the guest has returned, where it differs.
    on_return: Option<usize>,
    observer: Option<Arc<dyn Observer>>,
}

#[async_trait]
impl CallHookHandler<CallState> for Charge {
    async fn handle_call_event(
        &self,
        mut store: StoreContextMut<'_, CallState>,
        event: CallHook,
    ) -> wasmtime::Result<()> {
        match (event, self.on_return) {
            (CallHook::CallingWasm, Some(_)) => store.set_hostcall_fuel(MAX_TRANSFER),
            (CallHook::ReturningFromWasm, Some(allowance)) => store.set_hostcall_fuel(allowance),
            (CallHook::ReturningFromHost, _) => pay(&mut store).await?,
            _ => {}
        }
        if event.entering_host()
            && let Some(observer) = &self.observer
        {
            observer.fuel(self.fuel - store.get_fuel()?);
        }
        Ok(())
    }
}

async fn pay(store: &mut StoreContextMut<'_, CallState>) -> wasmtime::Result<()> {
    let price = store.data().debt.take().saturating_add(FUEL_PER_CALL);
    let fuel = store.get_fuel()?;
    let left = fuel.saturating_sub(price);
    // wasmtime starts a new interval now, so a guest that comes here often never yields by itself.
    store.set_fuel(left)?;
    if fuel < price {
        return Err(Trap::OutOfFuel.into());
    }
    let state = store.data_mut();
    let used = state.yielded_at.saturating_sub(left);
    if used >= FUEL_BETWEEN_YIELDS || fair::stretch() >= MAX_STRETCH {
        state.yielded_at = left;
        tokio::task::yield_now().await;
    }
    Ok(())
}
