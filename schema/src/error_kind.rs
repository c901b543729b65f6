//! [`ErrorKind`]: the kinds of failure that a caller can see.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Declares the kinds once, so that no list of them can miss one.
macro_rules! error_kinds {
    ($($(#[doc = $meaning:literal])+ $name:ident,)+) => {
        /// The kind of a failure, as callers see it in the field `type` of an error.
        ///
        /// Serialized, it is its name: what is stored outlives a change of their order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorKind {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl ErrorKind {
            /// All kinds, in the order in which they are declared.
            pub const ALL: [Self; [$(Self::$name,)+].len()] = [$(Self::$name,)+];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// When it occurs, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning,)+).trim_ascii(),)+ }
            }
        }
    };
}

error_kinds! {
    /// The request itself cannot be read: its body, its pickle, its JSON.
    BadRequest,
    /// Wrong, missing or unknown arguments.
    BadArguments,
    /// No token, or one that is not valid.
    Unauthorized,
    /// Not from here, or not for this host.
    Forbidden,
    /// No such procedure.
    NotFound,
    /// The address exists, but not for this method.
    MethodNotAllowed,
    /// The result has no form that the caller accepts.
    NotAcceptable,
    /// The body is of a type or an encoding that is not taken for these arguments.
    UnsupportedMediaType,
    /// The request's body came too slowly.
    RequestTimeout,
    /// The request or the result is over its limit.
    TooLarge,
    /// The caller has used up what it may do for now.
    TooManyRequests,
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
    /// No capacity is free, or the host is not ready yet.
    Overloaded,
    /// The procedure says that something it needs is busy.
    OperationInProgress,
    /// The procedure says that it cannot work in its present state.
    InvalidServerState,
    /// There was such a job; its result is no longer kept.
    Gone,
    /// It contradicts an earlier request, or what is there.
    Conflict,
    /// What is there is not what the request says must be.
    PreconditionFailed,
    /// The job was cancelled.
    Cancelled,
    /// The host went down while the job ran.
    Interrupted,
    /// The store has no room for anything more.
    StorageFull,
    /// The store cannot be read or written at the moment.
    Unavailable,
    /// A fault of the host itself.
    Internal,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No kind of failure has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownErrorKind;

impl fmt::Display for UnknownErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a kind of failure")
    }
}

impl std::error::Error for UnknownErrorKind {}

impl FromStr for ErrorKind {
    type Err = UnknownErrorKind;

    fn from_str(name: &str) -> Result<Self, UnknownErrorKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownErrorKind)
    }
}

// Derived, binary formats would store the number of a kind instead of its name.
impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ErrorKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        name.parse()
            .map_err(|_| de::Error::custom(format_args!("unknown kind of failure `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_and_written_by_name() {
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(kind.name().parse(), Ok(kind));
            assert!(kind.meaning().ends_with(['.', ' ']), "{kind}");
        }
        assert_eq!("Nonsense".parse::<ErrorKind>(), Err(UnknownErrorKind));
    }
}
