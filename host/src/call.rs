//! The narrow waist: [`execute`] and, for components that answer whole requests, [`answer`] are the only
//! ways to a guest.
//!
//! Whoever has a call to make, the front now or something that queues calls, makes a [`Call`] of
//! neutral values and gets an [`Outcome`] of neutral values. Every call is counted here. It does not know
//! where a call came from.

use std::sync::Arc;
use std::time::Instant;

use crate::catalog::{Mount, Procedure};
use crate::codec::types::{Arguments, Signature, Type, Typed, bind, declared_failure, present};
use crate::error::{CallError, Output};
use crate::sandbox::{Observer, Receipt, Request, Response, Sandbox};
use crate::value::Value;

/// A procedure with the arguments that it is to be called with, which fit its parameters.
pub struct Call {
    procedure: Arc<Procedure>,
    arguments: Vec<Typed>,
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
}

impl Call {
    /// A call of `procedure`, in the version that it has now.
    ///
    /// # Errors
    ///
    /// [`Kind::BadArguments`](crate::error::Kind::BadArguments), naming the argument.
    pub fn new(procedure: Arc<Procedure>, arguments: Arguments) -> Result<Self, CallError> {
        let arguments = bind(&procedure.name, arguments, &procedure.signature)?;
        Ok(Self { procedure, arguments, is_job: false })
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
    let Call { procedure, arguments, is_job } = call;
    let metered = procedure.meter.begin();
    let limits = if is_job { &procedure.jobs.limits } else { &procedure.limits };
    let run = sandbox
        .run(&procedure.name, &procedure.program, &procedure.function, limits, arguments, observer)
        .await;
    let result = run.returned.and_then(|typed| value(&procedure.name, typed, &procedure.signature));
    metered.end(result.as_ref().err().map(|error| error.kind), &run.receipt);
    Outcome { result: result.map_err(Box::new), receipt: run.receipt, output: run.output }
}

/// Has an instance of its own of a mounted component answer a request. `place` is held until the guest
/// has ended.
///
/// # Errors
///
/// Why there is no response, and what the guest wrote.
pub async fn answer(
    mount: &Mount,
    request: Request,
    place: impl Send + 'static,
) -> Result<Response, (CallError, Output)> {
    let metered = mount.meter.begin();
    let start = Instant::now();
    let answer = mount.handler.handle(&mount.name, &mount.limits, request, place).await;
    // What comes after the head of the response belongs to whoever reads it.
    metered.answered(answer.as_ref().err().map(|(error, _)| error.kind), start.elapsed());
    answer
}

/// What the caller is to see of what a procedure returned: a top-level `result` is a value or a
/// failure.
fn value(procedure: &str, typed: Option<Typed>, signature: &Signature) -> Result<Value, CallError> {
    let (Some(typed), Some(ty)) = (typed, &signature.result) else { return Ok(Value::None) };
    match (typed, ty) {
        (Typed::Result(Ok(payload)), Type::Result(ok, _)) => Ok(match (payload, ok) {
            (Some(payload), Some(ty)) => present(*payload, ty),
            _ => Value::None,
        }),
        (Typed::Result(Err(payload)), Type::Result(_, err)) => {
            Err(declared_failure(procedure, payload.map(|payload| *payload), err.as_deref()))
        }
        (typed, ty) => Ok(present(typed, ty)),
    }
}
