//! Which jobs runners are handed, and when.

use std::time::{Duration, SystemTime};

use tarp_host::jobs::model::{Completion, FailureCause, JobId, JobState, NewJob, Priority};
use tarp_host::jobs::store::{Fence, JobStore, Turn};

use super::{Store, fresh, open};
use crate::common::{claim, completion, finish, found, job, labels, submit, version};

/// For what does not come.
const MOMENT: Duration = Duration::from_millis(50);

async fn next(store: &Store, capacity: usize, has: &[&str]) -> Vec<Turn> {
    store.next(capacity, &labels(has)).await.unwrap()
}

async fn is_idle(store: &Store, has: &[&str]) -> bool {
    tokio::time::timeout(MOMENT, next(store, 1, has)).await.is_err()
}

fn ids(turns: &[Turn]) -> Vec<JobId> {
    turns.iter().map(|turn| turn.job.id).collect()
}

fn urgent(urgency: u8) -> NewJob {
    NewJob { priority: Priority::new(urgency).unwrap(), submitted: SystemTime::now(), ..job() }
}

fn requiring(required: &[&str]) -> NewJob {
    NewJob { requires: labels(required), ..urgent(3) }
}

async fn submit_these<const N: usize>(store: &Store, jobs: [NewJob; N]) -> [JobId; N] {
    let ids = jobs.clone().map(|job| job.id);
    for job in jobs {
        store.submit(job).await.unwrap();
    }
    ids
}

#[tokio::test]
async fn the_most_urgent_are_handed_out_first_and_each_once() {
    let (store, _directory) = fresh();
    let jobs = submit_these(&store, [urgent(3), urgent(0), urgent(3), urgent(7)]).await;
    let [first, second, third, last] = [jobs[1], jobs[0], jobs[2], jobs[3]];
    assert_eq!(jobs.map(|id| store.position(id)), [Some(2), Some(1), Some(3), Some(4)]);
    let turns = next(&store, 2, &[]).await;
    assert_eq!(ids(&turns), [first, second]);
    assert_eq!(turns[0].job, found(&store, first).await);
    assert!(turns[0].arguments.as_deref().is_none_or(|arguments| arguments == b"arguments"));
    assert_eq!([first, third].map(|id| store.position(id)), [None, Some(1)]);
    assert_eq!(ids(&next(&store, 9, &[]).await), [third, last]);
    assert!(is_idle(&store, &[]).await);
}

#[tokio::test]
async fn whoever_waits_is_handed_what_is_submitted() {
    let (store, _directory) = fresh();
    let submitting = async {
        tokio::time::sleep(MOMENT).await;
        submit(&store).await
    };
    let (turns, id) = tokio::join!(next(&store, 1, &[]), submitting);
    assert_eq!(ids(&turns), [id]);
}

#[tokio::test]
async fn a_runner_is_handed_what_it_has_the_labels_for() {
    let (store, _directory) = fresh();
    let [gpu, any, both] =
        submit_these(&store, [requiring(&["gpu"]), urgent(3), requiring(&["gpu", "large"])]).await;
    assert_eq!(ids(&next(&store, 9, &["large"]).await), [any]);
    assert!(is_idle(&store, &[]).await);
    assert_eq!(ids(&next(&store, 9, &["gpu", "large", "old"]).await), [gpu, both]);
}

#[tokio::test]
async fn what_is_released_is_handed_out_again_but_not_too_early() {
    let (store, _directory) = fresh();
    let [first, second] = submit_these(&store, [urgent(3), urgent(3)]).await;
    let mut turns = next(&store, 2, &[]).await.into_iter();
    let soon = SystemTime::now() + 2 * MOMENT;
    store.release(turns.next().unwrap(), Some(soon));
    store.release(turns.next().unwrap(), None);
    assert_eq!(ids(&next(&store, 2, &[]).await), [second]);
    assert_eq!(store.position(first), Some(1));
    assert_eq!(ids(&next(&store, 2, &[]).await), [first]);
    assert!(SystemTime::now() >= soon);
}

#[tokio::test]
async fn what_waits_can_be_taken_and_is_handed_to_nobody_else() {
    let (store, _directory) = fresh();
    let [first, second] = submit_these(&store, [urgent(3), urgent(3)]).await;
    assert_eq!(store.take(first).await.map(|turn| turn.job.id), Some(first));
    assert!(store.take(first).await.is_none() && store.take(JobId::random()).await.is_none());
    assert_eq!(ids(&next(&store, 9, &[]).await), [second]);
    assert!(store.take(second).await.is_none(), "somebody has it");
}

#[tokio::test]
async fn what_begins_with_its_submission_is_nobody_elses() {
    let (store, _directory) = fresh();
    let begun = NewJob { begun: Some(SystemTime::now()), ..job() };
    store.submit(begun).await.unwrap();
    assert!(is_idle(&store, &[]).await);
}

#[tokio::test]
async fn what_has_ended_is_handed_to_nobody() {
    let (store, _directory) = fresh();
    let [cancelled, begun] = submit_these(&store, [urgent(3), urgent(3)]).await;
    finish(&store, cancelled, completion(JobState::Cancelled)).await.unwrap();
    assert!(store.take(cancelled).await.is_none());
    assert_eq!(ids(&next(&store, 9, &[]).await), [begun]);
}

/// It is its runner's until that has released it, and its next attempt is another one.
#[tokio::test]
async fn an_attempt_that_is_to_be_followed_by_another_is_handed_out_when_it_is_released() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    let turn = next(&store, 1, &[]).await.pop().unwrap();
    let attempt = claim(&store, id, version("d2"), turn.job.submitted).await.unwrap().unwrap();
    let again = Completion { fault: FailureCause::Attempt, ..completion(JobState::Queued) };
    assert!(store.finish(id, Fence::Attempt(attempt.attempt), again.clone()).await.unwrap());
    assert!(is_idle(&store, &[]).await);
    store.release(Turn::new(found(&store, id).await), None);
    let turn = next(&store, 1, &[]).await.pop().unwrap();
    assert_eq!((turn.job.id, turn.job.attempts), (id, 1));
    let late = store.finish(id, Fence::Attempt(1), again).await.unwrap();
    assert!(!late, "the first attempt has ended");
    assert!(finish(&store, id, completion(JobState::Succeeded)).await.unwrap());
}

/// Whatever a host leaves behind, the next one has and decides upon.
#[tokio::test]
async fn what_a_host_leaves_behind_is_handed_to_the_next_one() {
    let (store, directory) = fresh();
    let [ran, waited, gpu] =
        submit_these(&store, [urgent(3), urgent(3), requiring(&["gpu"])]).await;
    next(&store, 1, &[]).await;
    claim(&store, ran, version("d2"), SystemTime::now()).await.unwrap();
    drop(store);
    let store = open(directory.path());
    let unfinished = store.unfinished().await.unwrap();
    let standing: Vec<_> = unfinished.iter().map(|job| (job.id, job.state)).collect();
    let expected = [(ran, JobState::Running), (waited, JobState::Queued), (gpu, JobState::Queued)];
    assert_eq!(standing, expected);
    for job in unfinished.into_iter().skip(1) {
        store.release(Turn::new(job), None);
    }
    assert_eq!(ids(&next(&store, 9, &[]).await), [waited]);
    assert_eq!(ids(&next(&store, 9, &["gpu"]).await), [gpu]);
}
