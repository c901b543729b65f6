//! Where jobs are kept: the trait [`JobStore`], and the embedded one, [`SqliteStore`].
//!
//! The trait is narrow, so that a distributed store can stand in. It knows no procedures and runs
//! nothing; it moves jobs from state to state, and says what is there.

mod sqlite;

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

pub use self::sqlite::{OpenError, SqliteStore};
use super::model::{Ending, IdempotencyKey, Job, JobId, Logs, NewJob, State};

/// Up to how many bytes arguments are kept after the end of their job.
pub const KEPT_ARGUMENTS: usize = 1 << 20;

/// How far [`JobStore::counts`] counts.
pub const MOST_COUNTED: u64 = 10_000;

/// Keeps jobs.
///
/// Whatever a method that changes something has acknowledged survives a crash of the host and a loss
/// of power. What it has refused has not happened. Dropping a future does not undo what it began.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Stores a job: as queued, or as running in its first attempt where that has begun.
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError>;

    /// What submitting with this key would come to; `None` where the key is new.
    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError>;

    /// Begins an attempt: a queued job is running from now on, with one more attempt, `digest` and
    /// `is_repeatable` being of the version that runs. Gives its arguments, in the host's neutral
    /// encoding; `None` where it is not queued any more.
    async fn claim(
        &self,
        id: JobId,
        digest: &str,
        is_repeatable: bool,
        at: SystemTime,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Ends an attempt of a running job, or a queued job that is never begun. `false` where it has
    /// ended before: the first end stands.
    async fn finish(&self, id: JobId, ending: Ending) -> Result<bool, StoreError>;

    /// Notes that somebody asked the job to stop. `false` where it has ended.
    async fn ask_to_stop(&self, id: JobId) -> Result<bool, StoreError>;

    /// What is known of a handle.
    async fn get(&self, id: JobId) -> Result<Lookup, StoreError>;

    /// The result of a job that succeeded, in the host's neutral encoding.
    async fn result(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The arguments of a job, in the host's neutral encoding; those of a job that has ended only up to
    /// [`KEPT_ARGUMENTS`].
    async fn arguments(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// How many jobs of this procedure, or of all, there are in each state, in the order of
    /// [`State::ALL`]. Counts no further than [`MOST_COUNTED`].
    async fn counts(&self, procedure: Option<&str>) -> Result<[u64; State::ALL.len()], StoreError>;

    /// What a job that has ended wrote and logged.
    async fn logs(&self, id: JobId) -> Result<Option<Logs>, StoreError>;

    /// Jobs, newest first.
    async fn list(&self, filter: &Filter) -> Result<Page, StoreError>;

    /// All jobs that have not ended, oldest first.
    async fn unfinished(&self) -> Result<Vec<Job>, StoreError>;

    /// Lets the store's clock go on by `elapsed` of the host's running time, and removes what has
    /// been kept for its time by that clock: jobs become handles that are known to be gone, and those
    /// are forgotten at last. The wall clock, which may jump, has no part in it. Gives how many jobs
    /// were removed.
    async fn prune(&self, elapsed: Duration) -> Result<usize, StoreError>;
}

/// What came of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Submission {
    /// The job is stored, at this place in the order of submission.
    New(u64),
    /// The same key and request came before, and made this job.
    Known(JobId),
    /// The same key came before, with another request.
    Conflict,
}

/// What a store knows of a handle.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// The job.
    Found(Box<Job>),
    /// There was such a job; its time is over.
    Gone,
    /// There never was one, or so long ago that nobody remembers.
    Unknown,
}

/// Which jobs to list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// In one of these states; any where empty.
    pub states: Vec<State>,
    /// Of this procedure.
    pub procedure: Option<String>,
    /// Submitted then or later.
    pub since: Option<SystemTime>,
    /// Submitted before.
    pub until: Option<SystemTime>,
    /// Before this place in the order of submission: a page's `next`.
    pub before: Option<u64>,
    /// How many at the most.
    pub limit: usize,
}

/// Some of the jobs that a filter lets through.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Newest first.
    pub jobs: Vec<Job>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// Why a store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There is no room for more.
    #[error(
        "the job store has no room left: {0}; free some space, or shorten how long results are kept"
    )]
    Full(String),
    /// It cannot be read or written at the moment.
    #[error("the job store cannot be used at the moment: {0}")]
    Unavailable(String),
}
