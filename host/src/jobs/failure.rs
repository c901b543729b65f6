//! How the store's failures, and those inside the host, are told to callers.

use bytesize::ByteSize;

use super::store::StoreError;
use crate::error::{CallError, ErrorKind};

/// What a caller sees of the store's failures.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
pub(super) fn store_failure(error: StoreError) -> CallError {
    let kind = match &error {
        StoreError::Full(_) => ErrorKind::StorageFull,
        StoreError::Refused(_) => ErrorKind::TooLarge,
        StoreError::Unavailable(_) => ErrorKind::Unavailable,
    };
    CallError::new(kind, error.to_string())
}

/// The refusal of a key that stands for another request.
pub(super) fn conflict() -> CallError {
    CallError::new(
        ErrorKind::Conflict,
        "the idempotency key came before, with another procedure or other arguments; use a new key for a new request",
    )
}

/// The refusal of arguments that take more bytes than are stored.
pub(super) fn too_large(size: usize, limit: usize) -> CallError {
    let iec = |bytes: usize| ByteSize(bytes as u64).display().iec().to_string();
    let message = format!(
        "the arguments take {} when they are written out, and a job's may take {}; send less, or raise `max_arguments` of [jobs]",
        iec(size),
        iec(limit)
    );
    CallError::new(ErrorKind::TooLarge, message)
}

/// The refusal of a job where `max` wait already.
pub(super) fn queue_is_full(max: usize) -> CallError {
    let message = format!(
        "{max} jobs are waiting already; try again later, or raise `max_queue` of the host"
    );
    CallError::new(ErrorKind::Overloaded, message).retry_after(1)
}

/// Does what must not be left half done when its asker goes away, as when a connection is lost.
pub(super) async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    tokio::spawn(work).await.unwrap_or_else(|e| {
        Err(CallError::new(ErrorKind::Internal, format!("the request failed inside the host: {e}")))
    })
}
