//! What is opened, and what is refused: looks at a database without changing a byte of it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::lock::{Lock, LockError};
use super::open_error::OpenError;
use super::paths::beside;
use super::{clean, inspect, schema};

/// The database's name within the store's directory.
const NAME: &str = "jobs.sqlite";

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
