//! Whether the last host ended in good order, so that the database need not be checked.
//!
//! A host that ends writes beside the database how long it is and when it was last changed. A file
//! that is not so any more was changed by something else, or by a host that crashed.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::paths::beside;

/// The coarsest step in which file systems tell times.
const STEP: Duration = Duration::from_millis(20);

fn note(path: &Path) -> PathBuf {
    path.with_extension("clean")
}

fn stamp(file: &Metadata) -> String {
    format!("{} {}.{:09} {}", file.len(), file.mtime(), file.mtime_nsec(), file.ino())
}

/// Whether the database is as the last host left it when it ended.
pub(super) fn is_clean(path: &Path) -> bool {
    let log = fs::metadata(beside(path, "-wal"));
    let has_log = log.is_ok_and(|log| log.len() > 0);
    let (Ok(file), Ok(noted)) = (fs::metadata(path), fs::read_to_string(note(path))) else {
        return false;
    };
    !has_log && noted == stamp(&file)
}

/// From now on a crash is possible.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(note(path)) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// The database is closed, and all is in it. Where this cannot be noted, the next host checks it.
pub(super) fn remember(path: &Path) {
    // What changes the file after this has another time.
    std::thread::sleep(STEP);
    if let Ok(file) = fs::metadata(path) {
        let _ = fs::write(note(path), stamp(&file));
    }
}
