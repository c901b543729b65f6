//! Why a store is not opened.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::schema;
use crate::jobs::store::StoreError;

/// Why a store was not opened. Each text names the culprit, the expectation and the cure.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made, read or written.
    #[error(
        "the directory of the job store, {}, cannot be used: {error}; it must be a directory that \
         this user can write, so change its owner or permissions, or choose another one",
        directory.display()
    )]
    Directory {
        /// Which one.
        directory: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another host has it open.
    #[error(
        "the job store {} is in use by {}; a store belongs to one host at a time, so stop that one, \
         or choose another directory",
        path.display(),
        holder.map_or("another host".to_owned(), |id| format!("another host (process {id})"))
    )]
    Held {
        /// The database.
        path: PathBuf,
        /// The other host's process, if it is known.
        holder: Option<u32>,
    },
    /// It is no database.
    #[error(
        "{} is not an SQLite database, and so not a job store; it was left as it is: move it \
         away, or choose another directory",
        path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is another program's database.
    #[error(
        "{} is a database of another program (application id {application_id:#010x}, and a job store \
         has {:#010x}); it was left as it is: move it away, or choose another directory",
        path.display(),
        schema::APPLICATION_ID
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What its header says.
        application_id: i32,
    },
    /// A newer host made or changed it.
    #[error(
        "the job store {} is in version {version} of its schema, and this host knows versions up to \
         {}; it was left as it is: run the newer host, or choose another directory",
        path.display(),
        schema::VERSION
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        version: i32,
    },
    /// It is damaged.
    #[error(
        "the job store {} is damaged: {damage}; it was left as it is: restore it and the files that \
         begin with its name from a backup, or move them away to begin with an empty one",
        path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        damage: String,
    },
    /// Its disk is full, or fails, which may pass.
    #[error(
        "the job store {} cannot be opened: {reason}; its disk must work and have some room",
        path.display()
    )]
    Disk {
        /// The database, or its directory.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
        /// Whether there is no room, as far as is known.
        is_full: bool,
    },
    /// It cannot be read or written.
    #[error(
        "the job store {} cannot be opened: {reason}; it must be a file that this user can read and \
         write, on a disk with some room",
        path.display()
    )]
    Inaccessible {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
}

impl OpenError {
    /// Why the store cannot be used now, where that may pass and nobody need act on the host: it may be
    /// opened later.
    #[must_use]
    pub fn passing(&self) -> Option<StoreError> {
        let Self::Disk { reason, is_full, .. } = self else { return None };
        let reason = format!("it cannot be opened: {reason}");
        Some(if *is_full { StoreError::Full(reason) } else { StoreError::Unavailable(reason) })
    }

    fn disk(path: &Path, reason: &dyn ToString, is_full: bool) -> Self {
        Self::Disk { path: path.into(), reason: reason.to_string(), is_full }
    }

    pub(super) fn directory(directory: &Path, error: io::Error) -> Self {
        if is_full(&error) {
            return Self::disk(directory, &error, true);
        }
        Self::Directory { directory: directory.into(), error }
    }

    pub(super) fn inaccessible(path: &Path, error: &io::Error) -> Self {
        if is_full(error) {
            return Self::disk(path, error, true);
        }
        Self::Inaccessible { path: path.into(), reason: error.to_string() }
    }

    /// From SQLite's error.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        use rusqlite::ffi::{
            SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE,
        };
        // SQLite tells of a full disk like this too, where it enlarges the index of the log.
        let not_written =
            [SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE];
        let code = error.sqlite_error().map_or(0, |e| e.extended_code);
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => {
                Self::Damaged { path: path.into(), damage: error.to_string() }
            }
            Some(DiskFull) => Self::disk(path, error, true),
            _ if not_written.contains(&code) => Self::disk(path, error, false),
            _ => Self::Inaccessible { path: path.into(), reason: error.to_string() },
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
