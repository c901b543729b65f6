//! Attempts that run unclaimed, and a host that crashes meanwhile.

use tarp_host::jobs::model::{Completion, FailureCause, Job, JobState};
use tarp_host::jobs::store::{Fence, JobStore};

use super::{fresh, open};
use crate::common::{completion, found, submit};

#[tokio::test]
async fn what_ran_unclaimed_when_the_host_crashed_is_known_to_have_run() {
    let (store, directory) = fresh();
    let (ran, waited, ended) = (submit(&store).await, submit(&store).await, submit(&store).await);
    let failed = Completion { fault: FailureCause::Attempt, ..completion(JobState::Queued) };
    store.finish(ran, Fence::Attempt(1), failed.clone()).await.unwrap();
    store.mark(0, ended, 1);
    store.mark(1, waited, 1);
    store.mark(1, ran, 2);
    store.finish(ended, Fence::Attempt(1), failed).await.unwrap();
    let standing = |jobs: Vec<Job>| -> Vec<_> {
        jobs.into_iter().map(|job| (job.id, job.state, job.attempts)).collect()
    };
    // As a host leaves it that crashes: nothing is closed.
    let copy = tempfile::tempdir().unwrap();
    for name in ["jobs.sqlite", "jobs.sqlite-wal", "jobs.running"] {
        std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let store = open(copy.path());
    let expected =
        [(ran, JobState::Running, 2), (waited, JobState::Queued, 0), (ended, JobState::Queued, 1)];
    assert_eq!(standing(store.unfinished().await.unwrap()), expected);
    let crashed = Completion { fault: FailureCause::Crash, ..completion(JobState::Queued) };
    assert!(store.finish(ran, Fence::Attempt(2), crashed).await.unwrap());
    let job = found(&store, ran).await;
    assert_eq!((job.attempts, job.failures, job.crashes), (2, 1, 1));
    let again = [(ran, JobState::Queued, 2), expected[1], expected[2]];
    assert_eq!(standing(store.unfinished().await.unwrap()), again);
}
