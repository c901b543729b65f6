//! What an error of SQLite means to those who use the store.
//!
//! The texts may reach a caller, so that no path of this machine is in them.

use rusqlite::{Error, ErrorCode, ffi};

use crate::jobs::store::StoreError;

/// The store's error for one of SQLite's.
pub(super) fn fault(error: &Error) -> StoreError {
    let said = match error {
        Error::SqliteFailure(code, said) => {
            let said = said.clone().unwrap_or_else(|| code.to_string());
            format!("{said} (SQLite's code {})", code.extended_code)
        }
        error => error.to_string(),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(said),
        Some(ErrorCode::TooBig) => StoreError::Refused(said),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Unavailable(format!("another program keeps its file locked: {said}"))
        }
        Some(ErrorCode::OperationInterrupted) => StoreError::Unavailable(
            "an answer took so long that what is written meanwhile would fill its disk".into(),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Unavailable(format!("its file is damaged: {said}"))
        }
        _ => StoreError::Unavailable(said),
    }
}

/// Whether a handle is there already. The statement, and it alone, is undone then.
pub(super) fn is_conflict(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE)
}
