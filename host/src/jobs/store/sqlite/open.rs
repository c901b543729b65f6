//! What is opened, and what is refused: looks at a database without changing a byte of it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::lock::{Lock, LockError};
use super::{clean, inspect, schema};
use crate::jobs::store::StoreError;

/// The database's name within the store's directory.
const NAME: &str = "jobs.sqlite";

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

    fn inaccessible(path: &Path, error: &io::Error) -> Self {
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

/// Finds or makes the database of a directory. Gives its path, and the lock that makes it ours.
pub(super) fn prepare(directory: &Path) -> Result<(PathBuf, Lock), OpenError> {
    let unusable = |error| OpenError::directory(directory, error);
    // A directory that is there keeps the permissions that somebody gave it.
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    let path = directory.canonicalize().map_err(unusable)?.join(NAME);
    // Two links to one database must meet at one lock.
    let path = path.canonicalize().unwrap_or(path);
    let lock = Lock::take(&path.with_extension("lock")).map_err(|refusal| match refusal {
        LockError::Held(holder) => OpenError::Held { path: path.clone(), holder },
        LockError::Failed(error) => unusable(error),
    })?;
    match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => {
            header(&path, file)?;
            if !clean::is_clean(&path) {
                inspect::inspect(&path)?;
            }
            clean::forget(&path).map_err(unusable)?;
            schema::migrate(&path).map_err(|e| OpenError::of(&path, &e))?;
        }
        Err(e) if e.kind() == ErrorKind::NotFound => create(&path)?,
        Err(e) => return Err(OpenError::inaccessible(&path, &e)),
    }
    Ok((path, lock))
}

/// What the header alone tells: whether it is ours at all. SQLite never sees a file that is not.
fn header(path: &Path, file: File) -> Result<(), OpenError> {
    let failed = |e: io::Error| OpenError::inaccessible(path, &e);
    let mut header = Vec::new();
    let length = file.metadata().map_err(failed)?.len();
    file.take(100).read_to_end(&mut header).map_err(failed)?;
    let number = |at: usize| header[at..at + 4].try_into().map_or(0, i32::from_be_bytes);
    if header.is_empty() {
        return Err(OpenError::Damaged { path: path.into(), damage: "it is empty".into() });
    }
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase { path: path.into() });
    }
    // Where SQLite's file format puts them.
    let (version, application_id) = (number(60), number(68));
    if application_id != schema::APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.into(), application_id });
    }
    if version > schema::VERSION {
        return Err(OpenError::Newer { path: path.into(), version });
    }
    // SQLite takes what is missing of the last page for zeros. Only while there is a log that the
    // page can be had from may a page be half there.
    let page = u64::from(u16::from_be_bytes([header[16], header[17]])).max(512);
    if !length.is_multiple_of(page) && fs::metadata(beside(path, "-wal")).is_err() {
        let damage = "it ends within a page".into();
        return Err(OpenError::Damaged { path: path.into(), damage });
    }
    Ok(())
}

/// Makes an empty database. It gets its name only when it is complete, so that whatever has the name
/// is a database, or was damaged.
fn create(path: &Path) -> Result<(), OpenError> {
    let failed = |e: io::Error| OpenError::inaccessible(path, &e);
    let log = beside(path, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        let damage = format!("there is its log, {}, but not itself", log.display());
        return Err(OpenError::Damaged { path: path.into(), damage });
    }
    let unfinished = beside(path, ".new");
    for left_behind in [&unfinished, &beside(&unfinished, "-wal"), &beside(&unfinished, "-shm")] {
        match fs::remove_file(left_behind) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
    }
    // SQLite gives the log the permissions of the database.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(&unfinished).map_err(failed)?;
    schema::create(&unfinished).map_err(|e| OpenError::of(path, &e))?;
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(&unfinished, path).map_err(failed)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

/// The file of that name and `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
