//! One call from its arguments to its result and receipt.

use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::{Func, TypedFunc};
use wasmtime::error::format_err;

use super::abi::{Parameters, Returned};
use super::failure::{Stop, explain};
use super::state::CallState;
use super::{Function, Program, Receipt, Sandbox};
use crate::codec::types::Typed;
use crate::config::Limits;
use crate::error::{CallError, Kind, Output};

/// A guest hands the thread back after this much fuel, about a tenth of a millisecond. A tenth of
/// it already costs 10 % of a guest's speed, more than it is free.
const FUEL_BETWEEN_YIELDS: u64 = 1_000_000;

/// How long a call waits for a place before it is refused.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a call ended.
#[derive(Debug)]
pub struct Run {
    /// What the function returned, or why it did not.
    pub returned: Result<Option<Typed>, CallError>,
    /// What it used.
    pub receipt: Receipt,
    /// What it wrote.
    pub output: Output,
}

impl Sandbox {
    /// Calls `function` in an instance of its own.
    ///
    /// Dropping the future ends the guest at once and frees all it had. `name` is the procedure's,
    /// for messages; `arguments` must fit the function's parameters.
    pub async fn run(
        &self,
        name: &str,
        program: &Program,
        function: &Function,
        limits: &Limits,
        arguments: Vec<Typed>,
    ) -> Run {
        let Ok(Ok(_place)) = tokio::time::timeout(PATIENCE, self.places.acquire()).await else {
            let error = CallError::new(
                Kind::Overloaded,
                "every place for a call is taken; try again later",
            );
            let (receipt, output) = (Receipt::default(), Output::default());
            return Run { returned: Err(error.retry_after(1)), receipt, output };
        };
        let mut store = Store::new(&self.engine, CallState::new(limits));
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits.result);
        let fuelled = store
            .set_fuel(limits.fuel)
            .and_then(|()| store.fuel_async_yield_interval(Some(FUEL_BETWEEN_YIELDS)));

        let start = Instant::now();
        let mut ready = None;
        let call = async {
            fuelled?;
            let instance = program.linked.instantiate_async(&mut store).await?;
            ready = Some(Instant::now());
            let func = instance
                .get_func(&mut store, function.index)
                .ok_or_else(|| format_err!("the component has lost an export"))?;
            invoke(&mut store, func, function.flat_result, arguments).await
        };
        let stopped = match tokio::time::timeout(limits.deadline, call).await {
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
        let output = Output { stdout: state.stdout.text(), stderr: state.stderr.text() };
        let returned = stopped.map_err(|stop| explain(name, stop, limits, state, &output.stderr));
        Run { returned, receipt, output }
    }
}

/// Calls a function whose result comes in `flat` core values.
async fn invoke(
    store: &mut Store<CallState>,
    func: Func,
    flat: usize,
    arguments: Vec<Typed>,
) -> wasmtime::Result<Option<Typed>> {
    async fn call<const FLAT: usize>(
        store: &mut Store<CallState>,
        func: Func,
        arguments: Vec<Typed>,
    ) -> wasmtime::Result<Option<Typed>> {
        let typed: TypedFunc<Parameters, Returned<FLAT>> = func.typed(&mut *store)?;
        typed.call_async(store, Parameters(arguments)).await.map(|returned| returned.0)
    }
    // wasmtime wants the count at compile time.
    macro_rules! by_count {
        ($($n:literal)*) => {
            match flat {
                1 => call::<1>(store, func, arguments).await,
                $($n => Box::pin(call::<$n>(store, func, arguments)).await,)*
                _ => Err(format_err!("no function returns {flat} core values")),
            }
        };
    }
    by_count!(0 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}
