//! Adds to the failures of the WIT package `tarp:procedure` what Rust code expects of an error type.
//! Knows nothing of status codes.

use std::error::Error;
use std::fmt;

use crate::failures::{Busy, Failure};

impl Failure {
    /// The procedure is occupied; the same call may succeed `retry_after` seconds later.
    pub fn busy(message: impl Into<String>, retry_after: Option<u32>) -> Self {
        Self::OperationInProgress(Busy { message: message.into(), retry_after })
    }

    /// What the procedure works on is in a state that does not allow the call.
    pub fn invalid_state(message: impl Into<String>) -> Self {
        Self::InvalidServerState(message.into())
    }

    /// The message for the person who reads the error.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::OperationInProgress(Busy { message, .. })
            | Self::InvalidServerState(message)
            | Self::Other(message) => message,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl Error for Failure {}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Other(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::Other(message.into())
    }
}
