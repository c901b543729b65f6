//! A store that a test can look through, in memory: what the suite asks of stores is not what SQLite happens
//! to do.

#[path = "../conformance/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one suite for every implementation")]
mod conformance;
mod store;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use store::{Kept, MemoryStore};

type Store = MemoryStore;

/// What outlives a store, by the directory that it would be in.
static KEPT: LazyLock<Mutex<HashMap<PathBuf, Kept>>> = LazyLock::new(Mutex::default);

fn open(directory: &Path) -> Store {
    let kept = Arc::clone(KEPT.lock().unwrap().entry(directory.to_owned()).or_default());
    MemoryStore::open(kept)
}

/// A store in a directory that goes with it.
fn fresh() -> (Store, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    (open(directory.path()), directory)
}
