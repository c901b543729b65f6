//! Jobs and endings to try the store with.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tarp_host::jobs::model::{
    Ending, Fault, IdempotencyKey, Job, JobId, Logs, NewJob, Priority, State,
};
use tarp_host::jobs::store::{
    Fence, JobStore, Lookup, SqliteStore, StoreError, Submission, Version,
};
use tarp_host::sandbox::Receipt;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory).expect("a store")
}

/// A store in a directory that goes with it.
pub(crate) fn fresh() -> (SqliteStore, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    (open(directory.path()), directory)
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::new(seconds, 987_654_321)
}

pub(crate) fn job() -> NewJob {
    NewJob {
        id: JobId::random(),
        procedure: "stats/mean".into(),
        file: "lab/stats.wasm".into(),
        digest: "d1".into(),
        arguments: b"arguments".to_vec(),
        priority: Priority::default(),
        max_attempts: 3,
        backoff: Duration::from_millis(1500),
        is_repeatable: true,
        suggested_wait: 7,
        submitted: at(1_700_000_000),
        begun: None,
        is_pinned: false,
        key: None,
    }
}

pub(crate) fn key(key: &str, request: u8) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: key.into(), request: [request; 32] })
}

pub(crate) fn ending(state: State) -> Ending {
    Ending {
        state,
        fault: Fault::Nobody,
        ended: at(1_700_000_009),
        not_before: None,
        result: (state == State::Succeeded).then(|| b"result".as_slice().into()),
        error: None,
        receipt: Receipt::default(),
        progress: None,
        logs: Logs::default(),
        keep_for: DAY,
    }
}

/// Submits a new job, and gives its handle.
pub(crate) async fn submit(store: &SqliteStore) -> JobId {
    let job = job();
    let id = job.id;
    assert!(matches!(store.submit(job).await, Ok(Submission::New(_))));
    id
}

/// Submits a job that succeeds, is kept for a day, and gives its handle.
pub(crate) async fn succeed(store: &SqliteStore) -> JobId {
    let id = submit(store).await;
    assert!(finish(store, id, ending(State::Succeeded)).await.unwrap());
    id
}

pub(crate) async fn found(store: &SqliteStore, id: JobId) -> Job {
    match store.get(id).await {
        Ok(Lookup::Found(job)) => *job,
        other => panic!("{id} is not found, but {other:?}"),
    }
}

/// A version of the procedure, which may run again.
pub(crate) fn version(digest: &str) -> Version {
    Version { file: "lab/stats.wasm".into(), digest: digest.into(), is_repeatable: true }
}

/// Ends the attempt that runs, or the job that is queued.
pub(crate) async fn finish(
    store: &SqliteStore,
    id: JobId,
    ending: Ending,
) -> Result<bool, StoreError> {
    let fence = match store.get(id).await? {
        Lookup::Found(job) if job.state == State::Running => Fence::Attempt(job.attempts),
        _ => Fence::Queued,
    };
    store.finish(id, fence, ending).await
}
