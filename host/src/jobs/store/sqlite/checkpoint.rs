//! When the log is moved into the database, and begun anew.
//!
//! A thread moves it, on a connection of its own, while the writer goes on. Under a writer that never rests it
//! never has all of it, and SQLite begins the log anew only then. So beyond a size the writer moves what is
//! left, between two transactions: what came since the thread looked last.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Result};

use super::questions::Questions;
use super::schema;

/// Bytes of the log that are not in the database, from which on the thread moves them.
const MOVED_FROM: u64 = 4 << 20;

/// Bytes of the log from which on the writer moves what is left.
const MAX_LOG: u64 = 64 << 20;

/// Bytes of the log from which on a question is ended that took too long, since the log cannot be begun anew
/// before it is answered.
const MAX_LOG_OF_QUESTIONS: u64 = 2 * MAX_LOG;

/// What is too long.
const MAX_QUESTION: Duration = Duration::from_secs(1);

/// After how many commits to look, or how many bytes of arguments and results.
const COMMITS: u32 = 16;
const BYTES: usize = 4 << 20;

/// Bytes of a page in the log: its own, and what stands before it.
const FRAME: u64 = 4096 + 24;

/// Looks at the log after commits.
pub(super) struct Checkpoints {
    commits: u32,
    bytes: usize,
    questions: Arc<Questions>,
    thread: Option<Thread>,
}

struct Thread {
    wake: SyncSender<()>,
    /// Locked while it moves the log.
    moving: Arc<Mutex<()>>,
    handle: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the thread on the database at `path`.
    ///
    /// # Errors
    ///
    /// If the database cannot be opened. A thread that cannot be started panics, as everywhere.
    pub(super) fn start(path: &Path, questions: Arc<Questions>) -> Result<Self> {
        let connection = schema::writing(path)?;
        // One wish to begin is as good as many.
        let (wake, wakes) = sync_channel(1);
        let moving = Arc::<Mutex<()>>::default();
        let locked = Arc::clone(&moving);
        let body = move || move_log(&connection, &wakes, &locked);
        let handle = std::thread::Builder::new().name("job-store-log".into()).spawn(body);
        let thread = Thread { wake, moving, handle: handle.expect("a thread") };
        Ok(Self { commits: 0, bytes: 0, questions, thread: Some(thread) })
    }

    /// To be called between transactions, when everybody has been answered.
    pub(super) fn after_commit(&mut self, connection: &Connection, bytes: usize) {
        self.commits += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.commits < COMMITS && self.bytes < BYTES {
            return;
        }
        (self.commits, self.bytes) = (0, 0);
        let mut log = Log::after(connection, "NOOP");
        if log.bytes >= MAX_LOG {
            // SQLite refuses two at once. The disk sets the pace then.
            let _moved = self.thread.as_ref().map(|thread| lock(&thread.moving));
            log = Log::after(connection, "PASSIVE");
        }
        if log.bytes >= MAX_LOG_OF_QUESTIONS {
            self.questions.end_older_than(MAX_QUESTION);
        }
        if log.bytes - log.moved.min(log.bytes) >= MOVED_FROM
            && let Some(thread) = &self.thread
        {
            let _ = thread.wake.try_send(());
        }
    }

    /// Ends the thread, which finishes what it is at.
    pub(super) fn stop(&mut self) {
        if let Some(Thread { wake, handle, .. }) = self.thread.take() {
            drop(wake);
            let _ = handle.join();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock(moving: &Mutex<()>) -> MutexGuard<'_, ()> {
    moving.lock().unwrap_or_else(PoisonError::into_inner)
}

fn move_log(connection: &Connection, wakes: &Receiver<()>, moving: &Mutex<()>) {
    while wakes.recv().is_ok() {
        let _moving = lock(moving);
        // Where the disk fails, the log stays, and it is tried again after some more commits.
        Log::after(connection, "PASSIVE");
    }
}

/// How long the log is, and how much of it is in the database.
#[derive(Default)]
struct Log {
    bytes: u64,
    moved: u64,
}

impl Log {
    /// After a checkpoint of this kind. Empty where it failed.
    fn after(connection: &Connection, mode: &str) -> Self {
        let bytes = |pages: i64| pages.max(0).unsigned_abs() * FRAME;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self { bytes: bytes(row.get(1)?), moved: bytes(row.get(2)?) })
        };
        connection
            .prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))
            .and_then(|mut checkpoint| checkpoint.query_row([], read))
            .unwrap_or_default()
    }
}
