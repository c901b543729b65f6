//! What can be wrong with a pickle: every refusal says where, what, and how to avoid it.
//!
//! It does not know which status code a refusal becomes; [`PickleErrorKind`] tells the kinds apart for whoever
//! decides that.

/// Why a pickle was not read, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pickle, byte {offset}: {kind}")]
pub struct PickleError {
    /// Offset of the opcode at fault, in bytes from the start of the pickle. Faults of the finished
    /// value, such as a cycle, carry the offset of its STOP.
    pub offset: usize,
    /// What is wrong.
    pub kind: PickleErrorKind,
}

/// The kinds of fault, each with a message for the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickleErrorKind {
    /// The bytes are not a pickle that any Python could load.
    #[error("{0}")]
    Malformed(String),
    /// A pickle that Python may well load, holding what this host does not take.
    #[error("{0}")]
    Refused(String),
    /// The pickle is larger, deeper or more entangled than its [`Budget`](super::budget::Budget) allows.
    #[error("the pickle needs more than {limit} {what}; send less in one call")]
    OverBudget {
        /// What ran out, in the plural.
        what: &'static str,
        /// How much of it there was.
        limit: u64,
    },
    /// The host has no room for the values at the moment.
    #[error("there is no room for its values")]
    NoRoom,
}

impl PickleErrorKind {
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::Malformed(message.into())
    }

    /// Python ignores what follows a pickle, and whoever sent it would not learn that it was lost.
    pub(super) fn after_end(bytes: usize) -> Self {
        let bytes =
            if bytes == 1 { "1 byte follows".into() } else { format!("{bytes} bytes follow") };
        Self::Refused(format!("{bytes} the end of the pickle; send one pickle, and nothing else"))
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }
}

/// What a step of the decoder gives; whoever knows the offset makes a [`PickleError`] of it.
pub(super) type Step<T> = Result<T, PickleErrorKind>;

/// Text of the sender's as a message may quote it: short and without control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
