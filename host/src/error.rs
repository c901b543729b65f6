//! [`CallError`]: every way in which a call can fail.
//!
//! Status codes are the front's affair; this table knows none.

use crate::value::Value;

/// The type of a failure, as callers see it in the field `type` of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request itself cannot be read: its body, its pickle, its JSON.
    BadRequest,
    /// Wrong, missing or unknown arguments.
    BadArguments,
    /// Not from here, or not for this host.
    Forbidden,
    /// No such procedure.
    NotFound,
    /// The address is there, but not for this method.
    MethodNotAllowed,
    /// The request or the result is over its limit.
    TooLarge,
    /// The procedure returned its error.
    ProcedureError,
    /// The guest was stopped by a panic, `unreachable`, a stack overflow ...
    Trap,
    /// The call used up its fuel.
    OutOfFuel,
    /// The call used up its memory.
    OutOfMemory,
    /// The call took longer than it may.
    DeadlineExceeded,
    /// Every place is taken, or the host is not ready yet.
    Overloaded,
    /// The procedure says that something it needs is busy.
    OperationInProgress,
    /// The procedure says that it cannot work in its present state.
    InvalidServerState,
    /// A fault of the host itself.
    Internal,
}

impl Kind {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::BadArguments => "BadArguments",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::TooLarge => "TooLarge",
            Self::ProcedureError => "ProcedureError",
            Self::Trap => "Trap",
            Self::OutOfFuel => "OutOfFuel",
            Self::OutOfMemory => "OutOfMemory",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::Overloaded => "Overloaded",
            Self::OperationInProgress => "OperationInProgress",
            Self::InvalidServerState => "InvalidServerState",
            Self::Internal => "Internal",
        }
    }
}

/// A failed call: its type, a message for a person, and what else is known.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {message}", kind.name())]
pub struct CallError {
    /// The type of the failure.
    pub kind: Kind,
    /// The culprit, the expectation and, where there is one, the cure.
    pub message: String,
    /// The error value that the procedure returned.
    pub value: Option<Value>,
    /// Where in the guest it happened, innermost frame first.
    pub backtrace: Option<String>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
}

/// What a guest wrote, each stream cut in its middle to its limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl CallError {
    /// A failure of which nothing more is known.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), value: None, backtrace: None, retry_after: None }
    }

    /// With the error value that the procedure returned.
    #[must_use]
    pub fn with_value(mut self, value: Value) -> Self {
        self.value = Some(value);
        self
    }

    /// With the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}
