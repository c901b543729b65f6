//! Where jobs are kept: the trait [`JobStore`], and the embedded one, [`SqliteStore`].
//!
//! The trait is narrow, so that a distributed store can stand in. It knows no procedures and runs
//! nothing; it moves jobs from state to state, hands them to runners, and says what is there.

mod sqlite;
mod turn;
mod turns;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

pub use self::sqlite::{OpenError, SqliteStore};
pub use self::turn::{MAX_ARGUMENTS_AT_HAND, Turn};
use super::model::{Attempt, Completion, IdempotencyKey, Job, JobId, JobState, Logs, NewJob};
use crate::config::Labels;
use crate::sandbox::Progress;

/// Up to how many bytes arguments are kept after the end of their job.
pub const KEPT_ARGUMENTS: usize = 1 << 20;

/// How far [`JobStore::counts`] counts.
pub const MAX_COUNTED: u64 = 10_000;

/// Keeps jobs.
///
/// Whatever a method that changes something has acknowledged survives a crash of the host and a loss
/// of power. What it has refused has not happened; where its disk did not answer in time, it is not made or is
/// undone, unless the host ends before the disk answers. Dropping a future does not undo what it began.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Stores a job: as queued, or as running in its first attempt where that has begun. What is queued is
    /// offered to runners from then on, maybe before this returns.
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError>;

    /// What submitting with this key would come to; `None` where the key is new.
    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError>;

    /// Hands out the jobs that are to begin next, as soon as there is one: at most `capacity`, the most
    /// urgent first, of those that require no other labels than these. Nobody else gets them, until this
    /// runner has ended them, releases them, or is gone. Dropping the future hands out nothing.
    async fn next(&self, capacity: usize, labels: &Labels) -> Result<Vec<Turn>, StoreError>;

    /// Offers a job again that was handed out and that is queued, to whoever asks next, but not before
    /// that time. Does not wait.
    fn release(&self, turn: Turn, not_before: Option<SystemTime>);

    /// Hands out this job, if it is offered and nobody has it.
    async fn take(&self, id: JobId) -> Option<Turn>;

    /// How many jobs are to be handed out before this one, plus one, if it is offered and that is known.
    fn position(&self, id: JobId) -> Option<usize>;

    /// Records that an attempt has begun: a queued job is running from now on. `false` where the job is
    /// not queued, or another attempt is its next one. To claim the same attempt again changes nothing.
    ///
    /// What may run again need not be claimed before it runs: [`Self::mark`] and [`Self::finish`] suffice.
    async fn claim(&self, id: JobId, attempt: Attempt) -> Result<bool, StoreError>;

    /// Notes under this number that an attempt runs, in place of what was noted there before. This waits
    /// for no disk, and outlives a crash of the host, though not one of the machine: after it
    /// [`Self::unfinished`] gives the job as running if it was not claimed.
    fn mark(&self, number: u32, id: JobId, attempt: u32);

    /// Whether something was stored a moment ago, and nothing was refused since: what ends soon can
    /// most likely be recorded.
    fn wrote_lately(&self) -> bool;

    /// Keeps how far an attempt has come, and what it wrote and logged so far. `false` where it is not
    /// the one that runs.
    async fn note(
        &self,
        id: JobId,
        attempt: u32,
        progress: Option<Progress>,
        logs: Logs,
    ) -> Result<bool, StoreError>;

    /// Ends the attempt that the fence names, whether it was claimed or not. `false` where it has ended
    /// before, or another one has begun: the first end stands. A job that is queued again is not offered before
    /// it is released.
    async fn finish(
        &self,
        id: JobId,
        fence: Fence,
        completion: Completion,
    ) -> Result<bool, StoreError>;

    /// Removes a job that has ended, and all that is kept of it; its handle is known to be gone. `false`
    /// where it has not ended.
    async fn remove(&self, id: JobId) -> Result<bool, StoreError>;

    /// Notes that somebody asked the job to stop. `false` where it has ended.
    async fn ask_to_stop(&self, id: JobId) -> Result<bool, StoreError>;

    /// What is known of a handle.
    async fn get(&self, id: JobId) -> Result<Lookup, StoreError>;

    /// The result of a job that succeeded, in the host's neutral encoding.
    async fn result(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The arguments of a job, in the host's neutral encoding; those of a job that has ended only up to
    /// [`KEPT_ARGUMENTS`].
    async fn arguments(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// How many jobs of this procedure, or of all, and of this owner, or of all, there are in each state, in the order of
    /// [`JobState::ALL`]. Counts no further than [`MAX_COUNTED`].
    async fn counts(
        &self,
        procedure: Option<&str>,
        owner: Option<&str>,
    ) -> Result<[u64; JobState::ALL.len()], StoreError>;

    /// What a job that has ended wrote and logged.
    async fn logs(&self, id: JobId) -> Result<Option<Logs>, StoreError>;

    /// Jobs, newest first.
    async fn list(&self, filter: &Filter) -> Result<Page, StoreError>;

    /// Whether it can be written: writes something small, unless it wrote a moment ago.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Waits until what was begun is on the disk, and closes it in good order. What is asked later fails.
    async fn close(&self);

    /// All jobs that have not ended and that no runner has, such as those of a host that is gone; oldest first.
    /// They are handed out: those that are queued are offered once they are released.
    async fn unfinished(&self) -> Result<Vec<Job>, StoreError>;

    /// Lets the store's clock go on by `elapsed` of the host's running time, and removes what has
    /// been kept for its time by that clock: jobs become handles that are known to be gone, and those
    /// are forgotten at last. The wall clock, which may jump, has no part in it. Gives how many jobs
    /// were removed.
    async fn prune(&self, elapsed: Duration) -> Result<usize, StoreError>;
}

/// Which attempt is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// None: the job is queued.
    Queued,
    /// The one with this number, which runs, or is the next of a queued job.
    Attempt(u32),
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
    Gone {
        /// Whose it was.
        owner: Option<Arc<str>>,
    },
    /// There never was one, or so long ago that nobody remembers.
    Unknown,
}

/// Which jobs to list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// In one of these states; any where empty.
    pub states: Vec<JobState>,
    /// Of this procedure.
    pub procedure: Option<String>,
    /// Of this owner.
    pub owner: Option<Arc<str>>,
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
        "the job store has no room left: {0}; free some space on its disk, or remove jobs that have ended"
    )]
    Full(String),
    /// It never takes this, however often it is asked.
    #[error("the job store cannot take this: {0}")]
    Refused(String),
    /// It cannot be read or written at the moment.
    #[error("the job store cannot be used at the moment: {0}")]
    Unavailable(String),
}
