//! Jobs and endings to try the store with.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tarp_host::config::Labels;
use tarp_host::jobs::model::{
    Attempt, Completion, FailureCause, IdempotencyKey, Job, JobId, JobState, Logs, NewJob,
    Priority, Version,
};
use tarp_host::jobs::store::{Fence, JobStore, Lookup, StoreError, Submission};
use tarp_host::sandbox::Receipt;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

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
        owner: None,
        peer: None,
        requires: Labels::default(),
        key: None,
    }
}

pub(crate) fn labels(names: &[&str]) -> Labels {
    let names = names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    names.try_into().expect("labels")
}

pub(crate) fn key(key: &str, request: u8) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: key.into(), request: [request; 32] })
}

pub(crate) fn completion(state: JobState) -> Completion {
    Completion {
        attempt: None,
        state,
        fault: FailureCause::Nobody,
        ended: at(1_700_000_009),
        not_before: None,
        result: (state == JobState::Succeeded).then(|| b"result".as_slice().into()),
        error: None,
        receipt: Receipt::default(),
        progress: None,
        logs: Logs::default(),
        keep_for: DAY,
    }
}

/// Submits a new job, and gives its handle.
pub(crate) async fn submit(store: &impl JobStore) -> JobId {
    let job = job();
    let id = job.id;
    assert!(matches!(store.submit(job).await, Ok(Submission::New(_))));
    id
}

/// Submits a job that succeeds, is kept for a day, and gives its handle.
pub(crate) async fn succeed(store: &impl JobStore) -> JobId {
    let id = submit(store).await;
    assert!(finish(store, id, completion(JobState::Succeeded)).await.unwrap());
    id
}

pub(crate) async fn found(store: &impl JobStore, id: JobId) -> Job {
    match store.get(id).await {
        Ok(Lookup::Found(job)) => *job,
        other => panic!("{id} is not found, but {other:?}"),
    }
}

/// A version of the procedure, which may run again.
pub(crate) fn version(digest: &str) -> Version {
    Version { file: "lab/stats.wasm".into(), digest: digest.into(), is_repeatable: true }
}

/// An attempt that was claimed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) attempt: u32,
    pub(crate) arguments: Vec<u8>,
}

/// Claims the next attempt of a job, if it is queued.
pub(crate) async fn claim(
    store: &impl JobStore,
    id: JobId,
    version: Version,
    started: SystemTime,
) -> Result<Option<Claim>, StoreError> {
    let number = match store.get(id).await? {
        Lookup::Found(job) => job.attempts + 1,
        _ => 1,
    };
    if !store.claim(id, Attempt { number, version, started }).await? {
        return Ok(None);
    }
    let arguments = store.arguments(id).await?.unwrap_or_default();
    Ok(Some(Claim { attempt: number, arguments }))
}

/// Ends the attempt that runs, or the job that is queued.
pub(crate) async fn finish(
    store: &impl JobStore,
    id: JobId,
    completion: Completion,
) -> Result<bool, StoreError> {
    let fence = match store.get(id).await? {
        Lookup::Found(job) if job.state == JobState::Running => Fence::Attempt(job.attempts),
        _ => Fence::Queued,
    };
    store.finish(id, fence, completion).await
}
