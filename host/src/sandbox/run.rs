//! One call from its arguments to its result and receipt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;
use wasmtime::component::{Func, InstancePre, TypedFunc};
use wasmtime::error::format_err;

use super::abi::{Parameters, RepeatedKey, ResultTooLarge, Returned};
use super::debt::MAX_RESOURCES;
use super::failure::{Stop, explain};
use super::hints::Hints;
use super::host_calls::{self, FUEL_BETWEEN_YIELDS, Transfer};
use super::observe::Observer;
use super::program::{Function, Program};
use super::state::CallState;
use super::{Sandbox, fair};
use crate::budget::{Charge, Purpose};
use crate::codec::types::{Typed, with_maps};
use crate::config::Limits;
use crate::error::{CallError, Output};

/// A result of fewer bytes is not worth a charge.
const UNCHARGED: usize = 4 << 10;

/// The threads that a call is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// Of a runtime that has other things to do as well, which a guest must not hold up.
    Shared,
    /// Of one that has nothing but guests.
    ForGuests,
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
    /// What it asked for and was not granted.
    pub hints: Hints,
}

impl Sandbox {
    /// Calls `function` in an instance of its own.
    ///
    /// Dropping the future ends the guest at once and frees all it had. `name` is the procedure's,
    /// for messages; `arguments` must fit the function's parameters, and come with what holds room for
    /// them; `observer` follows the call while it runs.
    #[expect(clippy::too_many_arguments, reason = "each is one part of what a call is")]
    pub async fn run(
        &self,
        name: &Arc<str>,
        program: &Arc<Program>,
        function: &Function,
        limits: &Limits,
        arguments: (Vec<Typed>, Option<Charge>),
        observer: Option<Arc<dyn Observer>>,
        threads: Threads,
    ) -> Run {
        let charge = self.budget.charge(Purpose::Work);
        let extra_memories = match program.reserve() {
            Ok(extra_memories) => extra_memories,
            Err(overloaded) => {
                let (receipt, output) = (Receipt::default(), Output::default());
                let hints = Hints::default();
                return Run { returned: Err(overloaded), receipt, output, charge, hints };
            }
        };
        let guest = Guest {
            name: Arc::clone(name),
            program: Arc::clone(program),
            function: function.clone(),
            limits: limits.clone(),
            arguments,
            observer,
            charge,
            _extra_memories: extra_memories,
        };
        match threads {
            Threads::Shared => program.context.room.long_calls.share(guest.run()).await,
            Threads::ForGuests => fair::timed(guest.run()).await,
        }
    }
}

/// One call, with all that it needs.
struct Guest {
    name: Arc<str>,
    program: Arc<Program>,
    function: Function,
    limits: Limits,
    arguments: (Vec<Typed>, Option<Charge>),
    observer: Option<Arc<dyn Observer>>,
    /// For the result.
    charge: Charge,
    _extra_memories: Option<OwnedSemaphorePermit>,
}

impl Guest {
    async fn run(self) -> Run {
        let Self { name, program, function, limits, arguments, observer, mut charge, .. } = self;
        let linked = &program.linked;
        let transfer = Transfer { result: limits.result, by_host_call: function.is_async };
        let (mut store, prepared) =
            prepare(linked, &name, &limits, observer, Some(transfer), &program);

        let start = Instant::now();
        let mut ready = None;
        let call = async {
            prepared?;
            let instance = linked.instantiate_async(&mut store).await?;
            ready = Some(Instant::now());
            let func = instance
                .get_func(&mut store, function.index)
                .ok_or_else(|| format_err!("the component has lost an export"))?;
            let (arguments, held) = arguments;
            let parameters = Parameters::new(arguments, held);
            let returned = invoke(&mut store, func, function.flat_result, parameters).await?;
            Ok(match (returned, &function.maps) {
                (Some(typed), Some(ty)) => Some(with_maps(typed, ty).map_err(RepeatedKey)?),
                (returned, _) => returned,
            })
        };
        let stopped = match fair::until(start + limits.deadline, call).await {
            Some(Ok(Some(typed))) => match typed.size() {
                size if size > limits.result => Err(Stop::Failed(ResultTooLarge.into())),
                // Nearly all are small, and pass by the counter that all share.
                size if size < UNCHARGED => Ok(Some(typed)),
                size => match charge.take_soon(size).await {
                    Ok(()) => Ok(Some(typed)),
                    Err(no_room) => Err(Stop::Failed(no_room.into())),
                },
            },
            Some(result) => result.map_err(Stop::Failed),
            None => Err(Stop::Deadline),
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
        let output = state.output.ended(&name);
        let returned = stopped.map_err(|stop| explain(&name, stop, &limits, state, &output.stderr));
        Run { returned, receipt, output, charge, hints: state.hints.clone() }
    }
}

/// A store for one call, with its limits and its observer. `result` is `None` where the guest returns
/// none.
pub(super) fn prepare(
    linked: &InstancePre<CallState>,
    name: &Arc<str>,
    limits: &Limits,
    observer: Option<Arc<dyn Observer>>,
    result: Option<Transfer>,
    program: &Program,
) -> (Store<CallState>, wasmtime::Result<()>) {
    let state = CallState::new(name, limits, observer, &program.context);
    let mut store = Store::new(linked.engine(), state);
    if program.has_http {
        store.data_mut().limit_http();
    }
    store.limiter_async(|state| &mut state.memory);
    let fuelled = store
        .set_fuel(limits.fuel)
        .and_then(|()| store.fuel_async_yield_interval(Some(FUEL_BETWEEN_YIELDS)));
    if let Some(observer) = &store.data().observer {
        observer.started(&store.data().output);
    }
    host_calls::charge(&mut store, limits.fuel, result);
    if let Some(table) = store.concurrent_resource_table() {
        table.set_max_capacity(MAX_RESOURCES);
    }
    (store, fuelled)
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
        #[expect(clippy::disallowed_methods, reason = "the store has been prepared here")]
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
