//! [`SqliteStore`]: jobs in an SQLite database of the host's own.
//!
//! Changes go through one [`writer`] that commits many at once; questions go to a few [`readers`]. A third
//! thread moves the log into the database.
//! The pieces: `open` (what is opened and what is refused, with `lock`), `schema`, `change` and
//! `prune` (what changes), `read` (what is asked), `row` (columns to types and back), `transaction`
//! (commits and their failures), `disk` (whether it answers), `checkpoint` (the log, and with `questions`
//! what holds it up), `fault` (what an error means). Knows no procedure and no guest: arguments and results
//! are bytes to it.

mod change;
mod checkpoint;
mod clean;
mod disk;
mod fault;
mod inspect;
mod lock;
mod marks;
mod open;
mod open_error;
mod paths;
mod prune;
mod questions;
mod read;
mod readers;
mod row;
mod schema;
mod session;
mod transaction;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::Mutex;
use tracing::warn;

use self::marks::Marks;
pub use self::open_error::OpenError;
use self::questions::Questions;
use self::readers::Readers;
use self::session::Session;
use self::writer::Writer;
use super::turns::Turns;
use super::{
    Fence, Filter, JobStore, Lookup, MAX_ARGUMENTS_AT_HAND, Page, StoreError, Submission, Turn,
};
use crate::budget::MemoryBudget;
use crate::config::Labels;
use crate::jobs::model::{Attempt, Completion, IdempotencyKey, Job, JobId, JobState, Logs, NewJob};
use crate::sandbox::Progress;

/// For how long it is believed that a store which could be written can still be.
const PROBED: Duration = Duration::from_secs(5);

/// What was written so long ago says nothing of the disk any more.
const LATELY: Duration = Duration::from_millis(100);

/// How long a look whether it can be written may take.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

/// Jobs in an SQLite database: for one host, on one machine.
///
/// To drop it waits until what was begun is on the disk.
pub struct SqliteStore {
    readers: Readers,
    writer: Arc<Writer>,
    marks: Marks,
    /// What waits for a runner. All of it is in the database too.
    turns: Turns,
    /// Bytes that jobs may take.
    quota: Option<u64>,
    /// When it was last seen that it can be written.
    written: Mutex<Option<Instant>>,
}

impl SqliteStore {
    /// Opens the store in `directory`, which is made where there is none, and the database in it.
    ///
    /// It blocks, for as long as a check of the database takes.
    ///
    /// # Errors
    ///
    /// If the database is not one of ours, is damaged, is of a newer host, or is in use by another
    /// one; or if the directory cannot be written. The database is as it was then, to the byte.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let (path, lock) = open::prepare(directory)?;
        let lock = Arc::new(lock);
        let marks = Marks::open(&path).map_err(|e| OpenError::directory(directory, e))?;
        let questions = Arc::<Questions>::default();
        let writer = Writer::start(path.clone(), Arc::clone(&lock), Arc::clone(&questions))
            .map_err(|e| OpenError::of(&path, &e))?;
        Ok(Self {
            readers: Readers::new(path, lock, questions),
            writer: Arc::new(writer),
            marks,
            turns: Turns::new(&MemoryBudget::unlimited()),
            quota: None,
            written: Mutex::default(),
        })
    }

    /// Takes no more than so many bytes of jobs, arguments and results together.
    #[must_use]
    pub fn with_quota(self, bytes: Option<u64>) -> Self {
        Self { quota: bytes, ..self }
    }

    /// Charges what is kept at hand of jobs that wait to this budget.
    #[must_use]
    pub fn with_budget(self, budget: &MemoryBudget) -> Self {
        Self { turns: Turns::new(budget), ..self }
    }

    /// Writes something small, unless that was done a moment ago.
    async fn write_something(&self) -> Result<(), StoreError> {
        let mut last = self.written.lock().await;
        if last.is_some_and(|last| last.elapsed() < PROBED) {
            return Ok(());
        }
        *last = None;
        self.writer
            // SQLite does not write what is the same as before.
            .change_soon(
                0,
                |session| session.execute("UPDATE store SET fence = fence + 1", []),
                |_, _| {},
            )
            .await?;
        *last = Some(Instant::now());
        Ok(())
    }

    /// Gives what was freed back to the disk, a slice at a time.
    async fn shrink(&self) -> Result<(), StoreError> {
        while !self.writer.change(prune::SHRUNK_BYTES, prune::shrink).await? {}
        Ok(())
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        let (quota, id, size) = (self.quota, job.id, job.arguments.len());
        // Whoever was told that it is not stored must not find it there, and nobody else runs it.
        let undo = move |writer: &Arc<Writer>, made| {
            if matches!(made, Ok(Submission::New(_))) {
                let writer = Arc::clone(writer);
                tokio::spawn(async move {
                    let withdraw = move |session: &mut Session<'_>| change::withdraw(session, id);
                    if let Err(error) = writer.change(0, withdraw).await {
                        warn!(job = %id, %error, "cannot withdraw a job that was stored too late");
                    }
                });
            }
        };
        let record = job.begun.is_none().then(|| job.record(0));
        let arguments = (size <= MAX_ARGUMENTS_AT_HAND).then(|| job.arguments.clone());
        let submit = move |session: &mut Session<'_>| change::submit(session, &job, quota);
        let submission = self.writer.change_soon(size, submit, undo).await??;
        if let (Submission::New(sequence), Some(record)) = (&submission, record) {
            let job = Job { sequence: *sequence, ..record };
            self.turns.offer(Turn::new(job).with_arguments(arguments), None);
        }
        Ok(submission)
    }

    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError> {
        let key = key.clone();
        self.readers.read(move |connection| read::known(connection, &key)).await
    }

    async fn next(&self, capacity: usize, labels: &Labels) -> Result<Vec<Turn>, StoreError> {
        Ok(self.turns.next(capacity, labels).await)
    }

    fn release(&self, turn: Turn, not_before: Option<SystemTime>) {
        self.turns.offer(turn, not_before);
    }

    async fn take(&self, id: JobId) -> Option<Turn> {
        self.turns.take(id)
    }

    fn position(&self, id: JobId) -> Option<usize> {
        self.turns.position(id)
    }

    async fn claim(&self, id: JobId, attempt: Attempt) -> Result<bool, StoreError> {
        self.writer.change(0, move |session| change::claim(session, id, &attempt)).await
    }

    fn mark(&self, number: u32, id: JobId, attempt: u32) {
        self.marks.set(number, id, attempt);
    }

    fn wrote_lately(&self) -> bool {
        self.writer.wrote_within(LATELY)
    }

    async fn note(
        &self,
        id: JobId,
        attempt: u32,
        progress: Option<Progress>,
        logs: Logs,
    ) -> Result<bool, StoreError> {
        let size = logs.stdout.len() + logs.stderr.len();
        self.writer
            .change(size, move |session| {
                change::note(session, id, attempt, progress.as_ref(), &logs)
            })
            .await
    }

    async fn finish(
        &self,
        id: JobId,
        fence: Fence,
        completion: Completion,
    ) -> Result<bool, StoreError> {
        let (quota, size) = (self.quota, completion.size());
        let finish =
            move |session: &mut Session<'_>| change::finish(session, id, fence, &completion, quota);
        let is_finished = self.writer.change(size, finish).await??;
        if is_finished {
            self.turns.take(id);
        }
        Ok(is_finished)
    }

    async fn remove(&self, id: JobId) -> Result<bool, StoreError> {
        let remove = move |session: &mut Session<'_>| prune::remove(session, id);
        let removed = self.writer.change_soon(0, remove, |_, _| {}).await?;
        if removed {
            self.shrink().await?;
        }
        Ok(removed)
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let written = tokio::time::timeout(HEALTH_TIMEOUT, self.write_something()).await;
        written.unwrap_or_else(|_| {
            Err(StoreError::Unavailable(format!("it has not answered for {HEALTH_TIMEOUT:?}")))
        })
    }

    async fn close(&self) {
        self.readers.close();
        let writer = Arc::clone(&self.writer);
        let _ = tokio::task::spawn_blocking(move || writer.close()).await;
    }

    async fn ask_to_stop(&self, id: JobId) -> Result<bool, StoreError> {
        let ask = move |session: &mut Session<'_>| change::ask_to_stop(session, id);
        self.writer.change_soon(0, ask, |_, _| {}).await
    }

    async fn get(&self, id: JobId) -> Result<Lookup, StoreError> {
        self.readers.read(move |connection| read::get(connection, id)).await
    }

    async fn result(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers.read(move |connection| read::result(connection, id)).await
    }

    async fn arguments(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers.read(move |connection| read::arguments(connection, id)).await
    }

    async fn counts(
        &self,
        procedure: Option<&str>,
        owner: Option<&str>,
    ) -> Result<[u64; JobState::ALL.len()], StoreError> {
        let [procedure, owner] = [procedure, owner].map(|text| text.map(str::to_owned));
        let count = move |connection: &Connection| {
            read::counts(connection, procedure.as_deref(), owner.as_deref())
        };
        self.readers.read(count).await
    }

    async fn logs(&self, id: JobId) -> Result<Option<Logs>, StoreError> {
        self.readers.read(move |connection| read::logs(connection, id)).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        let filter = filter.clone();
        self.readers.read(move |connection| read::list(connection, &filter)).await
    }

    async fn unfinished(&self) -> Result<Vec<Job>, StoreError> {
        let mut jobs = self.readers.read(read::unfinished).await?;
        for job in &mut jobs {
            self.marks.apply(job);
        }
        Ok(jobs)
    }

    async fn prune(&self, elapsed: Duration) -> Result<usize, StoreError> {
        let elapsed = row::nanoseconds(elapsed);
        let mut removed = 0;
        loop {
            let slice =
                self.writer.change(0, move |session| prune::slice(session, elapsed)).await?;
            removed += slice.removed;
            if slice.is_last {
                break;
            }
        }
        self.shrink().await?;
        Ok(removed)
    }
}
