//! [`CallError`]: every way in which a call can fail.
//!
//! Status codes are the front's affair; this table knows none.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::value::Value;

pub use tarp_schema::error_kind::ErrorKind;

/// A failed call: its type, a message for a person, and what else is known.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("{}: {message}", kind.name())]
pub struct CallError {
    /// The type of the failure.
    pub kind: ErrorKind,
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
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), value: None, backtrace: None, retry_after: None }
    }

    /// A request that cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, message)
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
    const MAX_LENGTH: usize = 40;
    match text.char_indices().nth(MAX_LENGTH) {
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
}
