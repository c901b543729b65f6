//! [`SqliteStore`]: jobs in an SQLite database of the host's own.
//!
//! Changes go through one [`writer`] that commits many at once; questions go to a few [`readers`].
//! The pieces: `open` (what is opened and what is refused, with `lock`), `schema`, `change` and
//! `prune` (what changes), `read` (what is asked), `row` (columns to types and back), `transaction`
//! (commits and their failures), `checkpoint` (the log), `fault` (what an error means). Knows no
//! procedure and no guest: arguments and results are bytes to it.

mod change;
mod checkpoint;
mod fault;
mod inspect;
mod lock;
mod open;
mod prune;
mod read;
mod readers;
mod row;
mod schema;
mod session;
mod transaction;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

pub use self::open::OpenError;
use self::readers::Readers;
use self::writer::Writer;
use super::{Filter, JobStore, Lookup, Page, StoreError, Submission};
use crate::jobs::model::{Ending, IdempotencyKey, Job, JobId, Logs, NewJob, State};

/// Jobs in an SQLite database: for one host, on one machine.
///
/// To drop it waits until what was begun is on the disk.
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
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
        let writer =
            Writer::start(path.clone(), Arc::clone(&lock)).map_err(|e| OpenError::of(&path, &e))?;
        Ok(Self { readers: Readers::new(path, lock), writer })
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        self.writer.change(job.arguments.len(), move |session| change::submit(session, &job)).await
    }

    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError> {
        let key = key.clone();
        self.readers.read(move |connection| read::known(connection, &key)).await
    }

    async fn claim(
        &self,
        id: JobId,
        digest: &str,
        is_repeatable: bool,
        at: SystemTime,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let digest = digest.to_owned();
        self.writer
            .change(0, move |session| change::claim(session, id, &digest, is_repeatable, at))
            .await
    }

    async fn finish(&self, id: JobId, ending: Ending) -> Result<bool, StoreError> {
        let size = ending.result.as_ref().map_or(0, Bytes::len)
            + ending.logs.stdout.len()
            + ending.logs.stderr.len();
        self.writer.change(size, move |session| change::finish(session, id, &ending)).await
    }

    async fn ask_to_stop(&self, id: JobId) -> Result<bool, StoreError> {
        self.writer.change(0, move |session| change::ask_to_stop(session, id)).await
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

    async fn counts(&self, procedure: Option<&str>) -> Result<[u64; State::ALL.len()], StoreError> {
        let procedure = procedure.map(str::to_owned);
        self.readers.read(move |connection| read::counts(connection, procedure.as_deref())).await
    }

    async fn logs(&self, id: JobId) -> Result<Option<Logs>, StoreError> {
        self.readers.read(move |connection| read::logs(connection, id)).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        let filter = filter.clone();
        self.readers.read(move |connection| read::list(connection, &filter)).await
    }

    async fn unfinished(&self) -> Result<Vec<Job>, StoreError> {
        self.readers.read(read::unfinished).await
    }

    async fn prune(&self, elapsed: Duration) -> Result<usize, StoreError> {
        let elapsed = row::nanoseconds(elapsed);
        let mut removed = 0;
        loop {
            let slice =
                self.writer.change(0, move |session| prune::slice(session, elapsed)).await?;
            removed += slice.removed;
            if slice.is_last {
                return Ok(removed);
            }
        }
    }
}
