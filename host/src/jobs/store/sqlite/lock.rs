//! One host to a database: an exclusive lock on a file beside it.
//!
//! The system gives it back when the process ends, however it ends. SQLite's own locks are of no use
//! for this, for they let another process in between transactions; and the database itself must not
//! be opened by another way than SQLite's while SQLite has it open, for to close it would drop
//! SQLite's locks.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub(super) enum LockError {
    /// A living process holds it: which, if it said so.
    Held(Option<u32>),
    /// The file cannot be made, or locked.
    Failed(io::Error),
}

impl Lock {
    /// Takes the lock, or fails at once. The file stays when the lock goes, for to remove it would
    /// let two in: one with the old file, one with a new one.
    pub(super) fn take(path: &Path) -> Result<Self, LockError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(LockError::Failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(LockError::Held(holder.trim().parse().ok()));
            }
            Err(TryLockError::Error(e)) => return Err(LockError::Failed(e)),
        }
        // Only for the message of whoever comes second, so that it may fail.
        let _ = file
            .set_len(0)
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        Ok(Self { _file: file })
    }
}
