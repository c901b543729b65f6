//! The narrow waist: [`execute`] and, for components that answer whole requests, [`answer`] are the only
//! ways to a guest.
//!
//! Whoever has a call to make, the front now or something that queues calls, makes a [`Call`] of
//! neutral values and gets an [`Outcome`] of neutral values. Every call is counted here. It does not know
//! where a call came from.

use std::sync::Arc;
use std::time::Instant;

use bytesize::ByteSize;

use crate::budget::{Charge, Purpose};
use crate::catalog::{Mount, Procedure};
use crate::codec::types::{Arguments, Presented, Type, Typed, bind, declared_failure, present};
use crate::config::Limits;
use crate::error::{CallError, ErrorKind, Output};
use crate::sandbox::{Observer, Receipt, Request, Response, Sandbox, Threads};
use crate::value::Value;

/// Arguments, and names in a result, that take less are not worth a charge.
const UNCHARGED: usize = 4 << 10;

/// A procedure with the arguments that it is to be called with, which fit its parameters.
pub struct Call {
    procedure: Arc<Procedure>,
    arguments: Vec<Typed>,
    /// What holds room for the arguments.
    charge: Option<Charge>,
    is_job: bool,
}

/// What came of a call.
#[derive(Debug)]
pub struct Outcome {
    /// What the procedure returned, or how the call failed.
    pub result: Result<Value, Box<CallError>>,
    /// What the call used.
    pub receipt: Receipt,
    /// What the guest wrote.
    pub output: Output,
    /// What holds room for the result, until it is written or stored.
    pub charge: Charge,
}

impl Call {
    /// A call of `procedure`, in the version that it has now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadArguments`](crate::error::ErrorKind::BadArguments), naming the argument.
    pub fn new(procedure: Arc<Procedure>, arguments: Arguments) -> Result<Self, CallError> {
        let arguments = bind(&procedure.name, arguments, &procedure.signature)?;
        Ok(Self { procedure, arguments, charge: None, is_job: false })
    }

    /// The same, with what holds room for the arguments, which is given back as soon as the guest has them.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn within(
        procedure: Arc<Procedure>,
        arguments: Arguments,
        charge: Charge,
    ) -> Result<Self, CallError> {
        Ok(Self { charge: Some(charge), ..Self::new(procedure, arguments)? })
    }

    /// The same call within the limits of a job.
    #[must_use]
    pub fn as_job(self) -> Self {
        Self { is_job: true, ..self }
    }
}

/// Runs the call in an instance of its own, followed by the observer if there is one. Dropping the
/// future ends the guest at once.
pub async fn execute(
    sandbox: &Sandbox,
    call: Call,
    observer: Option<Arc<dyn Observer>>,
) -> Outcome {
    let Call { procedure, arguments, charge, is_job } = call;
    let metered = procedure.meter.begin();
    let limits = if is_job { &procedure.jobs.limits } else { &procedure.limits };
    let mut charge = charge.unwrap_or_else(|| sandbox.budget().charge(Purpose::Work));
    // What they were charged by before did not know their types.
    let size: usize = arguments.iter().map(Typed::size).sum();
    if size > charge.spent() + UNCHARGED
        && let Err(no_room) = charge.take_soon(size - charge.spent()).await
    {
        let error = CallError::from(no_room);
        let receipt = Receipt::default();
        metered.end(Some(error.kind), &receipt);
        let output = Output::default();
        return Outcome { result: Err(Box::new(error)), receipt, output, charge };
    }
    let threads = if is_job { Threads::ForGuests } else { Threads::Shared };
    let Procedure { name, program, function, .. } = &*procedure;
    let arguments = (arguments, Some(charge));
    #[expect(clippy::disallowed_methods, reason = "every call is counted and limited here")]
    let run = sandbox.run(name, program, function, limits, arguments, observer, threads).await;
    let mut charge = run.charge;
    let result = match run.returned {
        Ok(typed) => value(&procedure, limits, typed, &mut charge).await,
        Err(error) => Err(error),
    };
    let result = result.map_err(|error| run.hints.explain(error));
    metered.end(result.as_ref().err().map(|error| error.kind), &run.receipt);
    let result = result.map_err(Box::new);
    Outcome { result, receipt: run.receipt, output: run.output, charge }
}

/// Has an instance of its own of a mounted component answer a request. `permit` is held until the guest
/// has ended.
///
/// # Errors
///
/// Why there is no response, and what the guest wrote.
pub async fn answer(
    mount: &Mount,
    request: Request,
    permit: impl Send + 'static,
) -> Result<Response, (CallError, Output)> {
    let metered = mount.meter.begin();
    let start = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "every request is counted and limited here")]
    let answer = mount.handler.handle(&mount.name, &mount.limits, request, permit).await;
    // What comes after the head of the response belongs to whoever reads it.
    metered.answered(answer.as_ref().err().map(|(error, _)| error.kind), start.elapsed());
    answer
}

/// What the caller is to see of what a procedure returned: a top-level `result` is a value or a
/// failure.
///
/// # Errors
///
/// The procedure's own; [`ErrorKind::TooLarge`] where the names in it, which are in the type once and in the
/// value each time, make it larger than a result may be.
async fn value(
    procedure: &Procedure,
    limits: &Limits,
    typed: Option<Typed>,
    charge: &mut Charge,
) -> Result<Value, CallError> {
    let (Some(typed), Some(ty)) = (typed, &procedure.signature.result) else {
        return Ok(Value::None);
    };
    let procedure = &procedure.name;
    let presented = Presented::of(&typed, ty);
    if presented.written > limits.result {
        let message = format!(
            "the result of `{procedure}` takes more than {} with the names in it written out; return less or set a higher `result`",
            ByteSize(limits.result as u64).display().iec()
        );
        return Err(CallError::new(ErrorKind::TooLarge, message));
    }
    if presented.memory > charge.spent() + UNCHARGED {
        charge.take_soon(presented.memory - charge.spent()).await?;
    }
    match (typed, ty) {
        (Typed::Result(Ok(payload)), Type::Result { ok, .. }) => Ok(match (payload, ok) {
            (Some(payload), Some(ty)) => present(*payload, ty),
            _ => Value::None,
        }),
        (Typed::Result(Err(payload)), Type::Result { err, .. }) => {
            Err(declared_failure(procedure, payload.map(|payload| *payload), err.as_deref()))
        }
        (typed, ty) => Ok(present(typed, ty)),
    }
}
