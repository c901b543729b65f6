//! One call from its arguments to its result and receipt.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::component::{Func, InstancePre, TypedFunc};
use wasmtime::error::format_err;

use super::abi::{Parameters, ResultTooLarge, Returned};
use super::failure::{Stop, explain};
use super::state::CallState;
use super::{FUEL_BETWEEN_YIELDS, Function, Observer, Program, Receipt, Sandbox};
use crate::budget::{Charge, MemoryBudget, Purpose};
use crate::codec::types::Typed;
use crate::config::Limits;
use crate::error::{CallError, Output};

/// What wasmtime lets one call of the host move out of the guest, in bytes, at the least: texts that
/// it writes to its streams, for one.
const HOST_CALL: usize = 128 << 20;

/// A result of fewer bytes is not worth a charge.
const UNCHARGED: usize = 4 << 10;

/// How a call ended.
#[derive(Debug)]
pub struct Run {
    /// What the function returned, or why it did not.
    pub returned: Result<Option<Typed>, CallError>,
    /// What it used.
    pub receipt: Receipt,
    /// What it wrote.
    pub output: Output,
    /// What holds room for what it returned.
    pub charge: Charge,
}

impl Sandbox {
    /// Calls `function` in an instance of its own.
    ///
    /// Dropping the future ends the guest at once and frees all it had. `name` is the procedure's,
    /// for messages; `arguments` must fit the function's parameters, and come with what holds room for
    /// them; `observer` follows the call while it runs.
    pub async fn run(
        &self,
        name: &Arc<str>,
        program: &Program,
        function: &Function,
        limits: &Limits,
        arguments: (Vec<Typed>, Option<Charge>),
        observer: Option<Arc<dyn Observer>>,
    ) -> Run {
        let (mut store, prepared) = prepare(&program.linked, name, limits, observer, &self.budget);

        let start = Instant::now();
        let mut ready = None;
        let call = async {
            prepared?;
            let instance = program.linked.instantiate_async(&mut store).await?;
            ready = Some(Instant::now());
            let func = instance
                .get_func(&mut store, function.index)
                .ok_or_else(|| format_err!("the component has lost an export"))?;
            let (arguments, held) = arguments;
            let parameters = Parameters::new(arguments, held);
            invoke(&mut store, func, function.flat_result, parameters).await
        };
        let mut charge = self.budget.charge(Purpose::Work);
        let stopped = match tokio::time::timeout(limits.deadline, call).await {
            Ok(Ok(Some(typed))) => match typed.size() {
                size if size > limits.result => Err(Stop::Failed(ResultTooLarge.into())),
                // Nearly all are small, and pass by the counter that all share.
                size if size < UNCHARGED => Ok(Some(typed)),
                size => match charge.take_soon(size).await {
                    Ok(()) => Ok(Some(typed)),
                    Err(no_room) => Err(Stop::Failed(no_room.into())),
                },
            },
            Ok(result) => result.map_err(Stop::Failed),
            Err(_) => Err(Stop::Deadline),
        };
        let end = Instant::now();
        let ready = ready.unwrap_or(end);
        let receipt = Receipt {
            fuel: limits.fuel - store.get_fuel().unwrap_or(0),
            peak_memory: store.data().memory.used,
            instantiate: ready - start,
            run: end - ready,
        };
        let state = store.data();
        let output = state.output.text();
        let returned = stopped.map_err(|stop| explain(name, stop, limits, state, &output.stderr));
        Run { returned, receipt, output, charge }
    }
}

/// A store for one call, with its limits and its observer.
pub(super) fn prepare(
    linked: &InstancePre<CallState>,
    name: &Arc<str>,
    limits: &Limits,
    observer: Option<Arc<dyn Observer>>,
    budget: &MemoryBudget,
) -> (Store<CallState>, wasmtime::Result<()>) {
    let mut store = Store::new(linked.engine(), CallState::new(name, limits, observer, budget));
    store.limiter_async(|state| &mut state.memory);
    // Lifting a result draws on it as well, for texts twice.
    store.set_hostcall_fuel(limits.result.saturating_mul(2).max(HOST_CALL));
    let fuelled = store
        .set_fuel(limits.fuel)
        .and_then(|()| store.fuel_async_yield_interval(Some(FUEL_BETWEEN_YIELDS)));
    if let Some(observer) = store.data().observer.clone() {
        observer.started(&store.data().output);
        report_fuel(&mut store, limits.fuel, observer);
    }
    (store, fuelled)
}

/// Tells the observer how much fuel is used, each time that the guest turns to the host. Yielding, for
/// which it runs out of the fuel of one interval, is one of those times.
fn report_fuel(store: &mut Store<CallState>, limit: u64, observer: Arc<dyn Observer>) {
    store.call_hook(move |store, transition| {
        if transition.entering_host() {
            observer.fuel(limit - store.get_fuel()?);
        }
        Ok(())
    });
}

/// Calls a function whose result comes in `flat` core values.
async fn invoke(
    store: &mut Store<CallState>,
    func: Func,
    flat: usize,
    parameters: Parameters,
) -> wasmtime::Result<Option<Typed>> {
    async fn call<const FLAT: usize>(
        store: &mut Store<CallState>,
        func: Func,
        parameters: Parameters,
    ) -> wasmtime::Result<Option<Typed>> {
        let typed: TypedFunc<Parameters, Returned<FLAT>> = func.typed(&mut *store)?;
        typed.call_async(store, parameters).await.map(|returned| returned.0)
    }
    // wasmtime wants the count at compile time.
    macro_rules! by_count {
        ($($n:literal)*) => {
            match flat {
                1 => call::<1>(store, func, parameters).await,
                $($n => Box::pin(call::<$n>(store, func, parameters)).await,)*
                _ => Err(format_err!("no function returns {flat} core values")),
            }
        };
    }
    by_count!(0 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}
