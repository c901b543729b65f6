//! What is kept for how long, by the store's own clock: the wall clock has no part in it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tarp_host::jobs::model::{Completion, JobState, NewJob};
use tarp_host::jobs::store::{JobStore, Lookup, Submission};

use super::{fresh, open};
use crate::common::{
    DAY, HOUR, at, claim, completion, finish, found, job, key, submit, succeed, version,
};

const MOMENT: Duration = Duration::from_nanos(1);

#[tokio::test]
async fn a_result_is_kept_for_its_time_and_no_longer() {
    let (store, _directory) = fresh();
    let id = succeed(&store).await;
    assert_eq!(store.prune(DAY - MOMENT).await.unwrap(), 0);
    assert_eq!(found(&store, id).await.kept_for, Some(MOMENT));
    assert!(store.result(id).await.unwrap().is_some());
    assert_eq!(store.prune(MOMENT).await.unwrap(), 1);
    assert_eq!(store.get(id).await.unwrap(), Lookup::Gone { owner: None });
    assert_eq!(store.result(id).await.unwrap(), None);
    assert_eq!(store.logs(id).await.unwrap(), None);
    assert!(!finish(&store, id, completion(JobState::Failed)).await.unwrap());
    assert!(!store.ask_to_stop(id).await.unwrap());
}

#[tokio::test]
async fn a_handle_is_known_to_be_gone_for_30_days() {
    let (store, directory) = fresh();
    let id = succeed(&store).await;
    store.prune(DAY).await.unwrap();
    store.prune(30 * DAY - MOMENT).await.unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.get(id).await.unwrap(), Lookup::Gone { owner: None });
    store.prune(MOMENT).await.unwrap();
    assert_eq!(store.get(id).await.unwrap(), Lookup::Unknown);
}

#[tokio::test]
async fn each_is_kept_for_its_own_time() {
    let (store, _directory) = fresh();
    let mut ids = Vec::new();
    for hours in [3, 1, 2] {
        let id = submit(&store).await;
        let completion = Completion { keep_for: hours * HOUR, ..completion(JobState::Failed) };
        finish(&store, id, completion).await.unwrap();
        ids.push(id);
    }
    for remaining in [2, 1, 0] {
        assert_eq!(store.prune(HOUR).await.unwrap(), 1);
        let mut left = 0;
        for id in &ids {
            left += usize::from(matches!(store.get(*id).await.unwrap(), Lookup::Found(_)));
        }
        assert_eq!(left, remaining);
    }
}

/// The clock of the machine was wrong by decades, in both directions.
#[tokio::test]
async fn a_wall_clock_that_jumps_changes_nothing() {
    let (store, _directory) = fresh();
    for ended in [UNIX_EPOCH, at(9_000_000_000), UNIX_EPOCH - 1000 * DAY] {
        let new = NewJob { submitted: ended, key: key(&format!("{ended:?}"), 1), ..job() };
        let id = new.id;
        store.submit(new).await.unwrap();
        claim(&store, id, version("d"), ended).await.unwrap();
        finish(&store, id, Completion { ended, ..completion(JobState::Succeeded) }).await.unwrap();
    }
    assert_eq!(store.prune(DAY - MOMENT).await.unwrap(), 0);
    assert_eq!(store.prune(MOMENT).await.unwrap(), 3);
}

#[tokio::test]
async fn the_clock_goes_on_where_it_stood() {
    let (store, directory) = fresh();
    let id = succeed(&store).await;
    store.prune(12 * HOUR).await.unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(found(&store, id).await.kept_for, Some(12 * HOUR));
    let later = succeed(&store).await;
    assert_eq!(store.prune(12 * HOUR).await.unwrap(), 1);
    assert_eq!(found(&store, later).await.kept_for, Some(12 * HOUR));
}

#[tokio::test]
async fn what_has_not_ended_is_kept_and_so_is_what_is_kept_for_ever() {
    let (store, _directory) = fresh();
    let queued = submit(&store).await;
    let running = submit(&store).await;
    claim(&store, running, version("d"), at(1)).await.unwrap();
    let kept = submit(&store).await;
    let for_ever = Completion { keep_for: Duration::MAX, ..completion(JobState::Succeeded) };
    finish(&store, kept, for_ever).await.unwrap();
    assert_eq!(store.prune(36_500 * DAY).await.unwrap(), 0);
    for id in [queued, running, kept] {
        found(&store, id).await;
    }
}

/// A place in the order of submission is a page's boundary, so it must not come twice.
#[tokio::test]
async fn the_place_of_what_is_gone_is_not_given_again() {
    let (store, directory) = fresh();
    for _ in 0..5 {
        succeed(&store).await;
    }
    assert_eq!(store.prune(DAY).await.unwrap(), 5);
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.submit(job()).await.unwrap(), Submission::New(6));
}

/// More than one slice, large results among them, while others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_are_removed_while_others_are_submitted() {
    let (store, directory) = fresh();
    let store = Arc::new(store);
    let mut ids = Vec::new();
    for n in 0..300 {
        let new = NewJob { key: key(&n.to_string(), 1), ..job() };
        let id = new.id;
        store.submit(new).await.unwrap();
        let result = Some(vec![1; if n % 100 == 0 { 5 << 20 } else { 10 }].into());
        finish(&*store, id, Completion { result, ..completion(JobState::Succeeded) })
            .await
            .unwrap();
        ids.push(id);
    }
    let others = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut others = Vec::new();
            for _ in 0..100 {
                others.push(submit(&*store).await);
            }
            others
        }
    });
    assert_eq!(store.prune(DAY).await.unwrap(), 300);
    for id in others.await.unwrap() {
        found(&*store, id).await;
    }
    for id in ids {
        assert_eq!(store.get(id).await.unwrap(), Lookup::Gone { owner: None });
    }
    let again = NewJob { key: key("7", 2), ..job() };
    assert!(matches!(store.submit(again).await.unwrap(), Submission::New(_)));
    drop(store);
    open(directory.path());
}
