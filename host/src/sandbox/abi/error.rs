//! Why a result is not moved out of its guest.

/// What the lifted result takes in the host is more than the call's limit.
#[derive(Debug, thiserror::Error)]
#[error("the result is over the limit")]
pub(in crate::sandbox) struct ResultTooLarge;

/// A map in the result has a key twice, which is shown.
#[derive(Debug, thiserror::Error)]
#[error("a map in the result has the key {0} twice")]
pub(in crate::sandbox) struct RepeatedKey(pub(in crate::sandbox) String);
