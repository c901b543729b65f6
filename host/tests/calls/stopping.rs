//! A job is asked to stop at the moments when it is easily overlooked: after it is stored, and before its
//! submitter or a runner has gone on.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tarp_host::codec::types::Arguments;
use tarp_host::config::JobsConfig;
use tarp_host::error::Kind;
use tarp_host::jobs::Wish;
use tarp_host::jobs::model::{Ending, IdempotencyKey, Job, JobId, Logs, NewJob, State};
use tarp_host::jobs::store::{
    Claim, Fence, Filter, JobStore, Lookup, Page, SqliteStore, StoreError, Submission, Version,
};
use tarp_host::sandbox::Progress;
use tokio::sync::Semaphore;

use crate::host::Host;

/// A store whose answer to a submission comes long after the job is on the disk.
struct Slow {
    store: SqliteStore,
    stored: Semaphore,
    answer: Semaphore,
}

#[async_trait]
impl JobStore for Slow {
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        let submission = self.store.submit(job).await;
        self.stored.add_permits(1);
        self.answer.acquire().await.unwrap().forget();
        submission
    }

    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError> {
        self.store.known(key).await
    }

    async fn claim(
        &self,
        id: JobId,
        version: Version,
        at: SystemTime,
    ) -> Result<Option<Claim>, StoreError> {
        self.store.claim(id, version, at).await
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

    async fn finish(&self, id: JobId, fence: Fence, ending: Ending) -> Result<bool, StoreError> {
        self.store.finish(id, fence, ending).await
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

    async fn counts(&self, procedure: Option<&str>) -> Result<[u64; State::ALL.len()], StoreError> {
        self.store.counts(procedure).await
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

#[tokio::test(flavor = "multi_thread")]
async fn between_its_commit_and_the_reply_to_its_submitter() {
    let host = Host::start().await;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Slow {
        store: SqliteStore::open(directory.path()).unwrap(),
        stored: Semaphore::new(0),
        answer: Semaphore::new(0),
    });
    // Nothing runs: a job that is not ended by who cancels it stays queued.
    let jobs = host.jobs(Arc::clone(&store) as Arc<dyn JobStore>, JobsConfig::default());
    let procedure = host.procedure("spin");
    let submitting = tokio::spawn({
        let jobs = jobs.clone();
        async move { jobs.submit(&procedure, Arguments::default(), Wish::default()).await }
    });
    store.stored.acquire().await.unwrap().forget();
    let id = store.unfinished().await.unwrap()[0].id;
    let mut events = jobs.follow(id, 0).expect("it has not ended, and can be followed");
    assert_eq!(jobs.cancel(id).await.unwrap().job.state, State::Queued);
    store.answer.add_permits(1);
    assert_eq!(submitting.await.unwrap().unwrap().job.id, id);
    let ended = jobs.wait(id, Duration::from_secs(30)).await.unwrap();
    assert_eq!(ended.job.state, State::Cancelled);
    assert_eq!(ended.failure().unwrap().kind, Kind::Cancelled);
    let mut told = 0;
    while events.next().await.is_some() {
        told += 1;
    }
    assert_eq!(told, 2, "it was queued, and then cancelled");
}
