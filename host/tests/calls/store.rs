//! A store that a test can slow down or make refuse something.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tarp_host::config::Labels;
use tarp_host::jobs::model::{
    Attempt, Completion, IdempotencyKey, Job, JobId, JobState, Logs, NewJob,
};
use tarp_host::jobs::store::{
    Fence, Filter, JobStore, Lookup, Page, SqliteStore, StoreError, Submission, Turn,
};
use tarp_host::sandbox::Progress;
use tokio::sync::Semaphore;

/// A store with some of its answers changed.
pub(crate) struct Altered {
    pub(crate) store: SqliteStore,
    /// Permits that answers to submissions wait for.
    pub(crate) answers: Semaphore,
    /// Gets a permit for each submission that is stored.
    pub(crate) stored: Semaphore,
    /// Permits that claims wait for.
    pub(crate) claims: Semaphore,
    /// Whether it does not give a job away yet that is asked for, as before it is offered.
    pub(crate) offers_late: AtomicBool,
    /// Whether it says that it wrote lately; where it is not said, it does when it has.
    pub(crate) wrote_lately: Option<bool>,
    /// Why a completion is refused.
    pub(crate) refusal: fn(&Completion) -> Option<StoreError>,
}

impl Altered {
    /// With nothing changed.
    pub(crate) fn new(store: SqliteStore) -> Self {
        let open = || Semaphore::new(Semaphore::MAX_PERMITS);
        let (answers, claims, stored) = (open(), open(), Semaphore::new(0));
        Self {
            store,
            answers,
            stored,
            claims,
            offers_late: AtomicBool::new(false),
            wrote_lately: None,
            refusal: |_| None,
        }
    }
}

#[async_trait]
impl JobStore for Altered {
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        let submission = self.store.submit(job).await;
        self.stored.add_permits(1);
        self.answers.acquire().await.unwrap().forget();
        submission
    }

    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError> {
        self.store.known(key).await
    }

    async fn next(&self, capacity: usize, labels: &Labels) -> Result<Vec<Turn>, StoreError> {
        self.store.next(capacity, labels).await
    }

    fn release(&self, turn: Turn, not_before: Option<SystemTime>) {
        self.store.release(turn, not_before);
    }

    async fn take(&self, id: JobId) -> Option<Turn> {
        if self.offers_late.load(Ordering::Relaxed) { None } else { self.store.take(id).await }
    }

    fn position(&self, id: JobId) -> Option<usize> {
        self.store.position(id)
    }

    async fn claim(&self, id: JobId, attempt: Attempt) -> Result<bool, StoreError> {
        self.claims.acquire().await.unwrap().forget();
        self.store.claim(id, attempt).await
    }

    fn mark(&self, number: u32, id: JobId, attempt: u32) {
        self.store.mark(number, id, attempt);
    }

    fn wrote_lately(&self) -> bool {
        self.wrote_lately.unwrap_or_else(|| self.store.wrote_lately())
    }

    async fn note(
        &self,
        id: JobId,
        attempt: u32,
        progress: Option<Progress>,
        logs: Logs,
    ) -> Result<bool, StoreError> {
        self.store.note(id, attempt, progress, logs).await
    }

    async fn finish(
        &self,
        id: JobId,
        fence: Fence,
        completion: Completion,
    ) -> Result<bool, StoreError> {
        match (self.refusal)(&completion) {
            Some(refusal) => Err(refusal),
            None => self.store.finish(id, fence, completion).await,
        }
    }

    async fn remove(&self, id: JobId) -> Result<bool, StoreError> {
        self.store.remove(id).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }

    async fn close(&self) {
        self.store.close().await;
    }

    async fn ask_to_stop(&self, id: JobId) -> Result<bool, StoreError> {
        self.store.ask_to_stop(id).await
    }

    async fn get(&self, id: JobId) -> Result<Lookup, StoreError> {
        self.store.get(id).await
    }

    async fn result(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.result(id).await
    }

    async fn arguments(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.arguments(id).await
    }

    async fn counts(
        &self,
        procedure: Option<&str>,
        owner: Option<&str>,
    ) -> Result<[u64; JobState::ALL.len()], StoreError> {
        self.store.counts(procedure, owner).await
    }

    async fn logs(&self, id: JobId) -> Result<Option<Logs>, StoreError> {
        self.store.logs(id).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        self.store.list(filter).await
    }

    async fn unfinished(&self) -> Result<Vec<Job>, StoreError> {
        self.store.unfinished().await
    }

    async fn prune(&self, elapsed: Duration) -> Result<usize, StoreError> {
        self.store.prune(elapsed).await
    }
}
