//! How much the cache takes: what was used longest ago goes first.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tracing::{debug, warn};

use super::directory::Directory;
use super::names::ENDINGS;

/// Bytes that an entry counts for at the least, as a file takes a block of the disk at the least.
pub(super) const LEAST: u64 = 4 << 10;

/// Keeps the directory within its size.
pub(super) struct Room {
    most: u64,
    /// What it takes, as far as this host knows; others may use it too.
    taken: Mutex<u64>,
}

impl Room {
    pub(super) fn new(most: u64, directory: &Directory) -> Self {
        let taken = shrink(directory, most);
        Self { most, taken: Mutex::new(taken) }
    }

    /// Counts what was written. Only what is beyond the size makes it look at all files, and then it
    /// removes a tenth more than needed, so that it seldom looks.
    pub(super) fn taken(&self, size: u64, directory: &Directory) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken += size.max(LEAST);
        if *taken > self.most {
            *taken = shrink(directory, self.most - self.most / 10);
        }
    }
}

/// Removes entries, those that were used longest ago first, until all of them take `most` bytes.
/// Gives what is left.
fn shrink(directory: &Directory, most: u64) -> u64 {
    let files = match directory.entries() {
        Ok(files) => files,
        Err(e) => {
            warn!(error = %e, "cannot look how much the cache takes");
            return 0;
        }
    };
    // By stem, with the time of the file that was used last.
    let mut entries: BTreeMap<&str, (SystemTime, u64)> = BTreeMap::new();
    for file in &files {
        let stem = file.name.split('.').next().unwrap_or_default();
        let entry = entries.entry(stem).or_insert((file.used, 0));
        *entry = (entry.0.max(file.used), entry.1 + file.size);
    }
    let counted = |(stem, (used, size)): (_, (_, u64))| (used, stem, size.max(LEAST));
    let mut by_use: Vec<_> = entries.into_iter().map(counted).collect();
    let mut taken: u64 = by_use.iter().map(|(_, _, size)| size).sum();
    by_use.sort_unstable();
    for (_, stem, size) in by_use {
        if taken <= most {
            break;
        }
        debug!(stem, "removing what was used longest ago from the cache");
        ENDINGS.iter().for_each(|ending| directory.remove(&format!("{stem}.{ending}")));
        taken -= size;
    }
    taken
}
