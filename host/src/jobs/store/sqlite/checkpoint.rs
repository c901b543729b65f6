//! When the log is moved into the database.
//!
//! The writer does it, between transactions, for a few milliseconds at a time. A thread of its own
//! would have to finish under a writer that never rests, or the log would grow without end.

use rusqlite::Connection;

/// How many pages the log may have before it is moved. Four times as many, and those who submit
/// meanwhile wait twice as long; half as many gain nothing.
const PAGES: i64 = 1000;

/// After how many commits to look, or how many bytes of arguments and results.
const COMMITS: u32 = 16;
const BYTES: usize = 4 << 20;

/// Counts commits and their bytes.
#[derive(Default)]
pub(super) struct Checkpoints {
    commits: u32,
    bytes: usize,
}

impl Checkpoints {
    /// To be called between transactions, when everybody has been answered.
    pub(super) fn after_commit(&mut self, connection: &Connection, bytes: usize) {
        self.commits += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.commits >= COMMITS || self.bytes >= BYTES {
            (self.commits, self.bytes) = (0, 0);
            if pages(connection, "NOOP") >= PAGES {
                pages(connection, "PASSIVE");
            }
        }
    }
}

/// Runs a checkpoint, and gives how many pages the log has.
fn pages(connection: &Connection, mode: &str) -> i64 {
    connection
        .prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))
        .and_then(|mut checkpoint| checkpoint.query_row([], |row| row.get(1)))
        .unwrap_or(0)
}
