//! [`CallError`]: every way in which a call can fail.
//!
//! Status codes are the front's affair; this table knows none.

use std::borrow::Cow;

use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::Value;

/// The type of a failure, as callers see it in the field `type` of an error.
///
/// Encoded, it is its name: what is stored outlives a change of their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(remote = "Self")]
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
    /// The result cannot be had in the form that was asked for.
    NotAcceptable,
    /// The body is of a type or an encoding that is not taken for these arguments.
    UnsupportedMediaType,
    /// The request's body came too slowly.
    RequestTimeout,
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
    /// There was such a job; what came of it is no longer kept.
    Gone,
    /// It contradicts what came before.
    Conflict,
    /// The job was cancelled.
    Cancelled,
    /// The host went down while the job ran.
    Interrupted,
    /// There is no room to keep anything more.
    StorageFull,
    /// What the host keeps cannot be read or written at the moment.
    Unavailable,
    /// A fault of the host itself.
    Internal,
}

impl Kind {
    /// All types, in the order in which they are declared.
    pub const ALL: [Self; 24] = [
        Self::BadRequest,
        Self::BadArguments,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::UnsupportedMediaType,
        Self::RequestTimeout,
        Self::TooLarge,
        Self::ProcedureError,
        Self::Trap,
        Self::OutOfFuel,
        Self::OutOfMemory,
        Self::DeadlineExceeded,
        Self::Overloaded,
        Self::OperationInProgress,
        Self::InvalidServerState,
        Self::Gone,
        Self::Conflict,
        Self::Cancelled,
        Self::Interrupted,
        Self::StorageFull,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::BadArguments => "BadArguments",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::RequestTimeout => "RequestTimeout",
            Self::TooLarge => "TooLarge",
            Self::ProcedureError => "ProcedureError",
            Self::Trap => "Trap",
            Self::OutOfFuel => "OutOfFuel",
            Self::OutOfMemory => "OutOfMemory",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::Overloaded => "Overloaded",
            Self::OperationInProgress => "OperationInProgress",
            Self::InvalidServerState => "InvalidServerState",
            Self::Gone => "Gone",
            Self::Conflict => "Conflict",
            Self::Cancelled => "Cancelled",
            Self::Interrupted => "Interrupted",
            Self::StorageFull => "StorageFull",
            Self::Unavailable => "Unavailable",
            Self::Internal => "Internal",
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(Cow::<str>::deserialize(deserializer)?.into_deserializer())
    }
}

/// A failed call: its type, a message for a person, and what else is known.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// As much of a caller's text as a message repeats: 40 characters, then an ellipsis.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short() {
        assert_eq!(excerpt("short"), "short");
        assert_eq!(excerpt(&"ü".repeat(5_000_000)), format!("{}…", "ü".repeat(40)));
    }

    #[test]
    fn all_types_are_where_their_number_says() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number, "{}", kind.name());
        }
        assert_eq!(Kind::Internal as usize + 1, Kind::ALL.len(), "it is the last");
    }
}
