//! The embedded store: the suite that every store passes, and what is promised of this one alone.

#[path = "../conformance/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one suite for every implementation")]
mod conformance;
mod crash;
mod disk;
mod faults;
mod log;
mod marks;
mod opening;
mod power;
mod versions;

use std::path::Path;

use tarp_host::jobs::store::SqliteStore;

type Store = SqliteStore;

fn open(directory: &Path) -> Store {
    SqliteStore::open(directory).expect("a store")
}

/// A store in a directory that goes with it.
fn fresh() -> (Store, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    (open(directory.path()), directory)
}
