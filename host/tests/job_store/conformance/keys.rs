//! The same key and request give the same job, for 24 hours of the store's clock.

use tarp_host::jobs::model::{JobState, NewJob};
use tarp_host::jobs::store::{JobStore, Lookup, Submission};

use super::{fresh, open};
use crate::common::{DAY, HOUR, completion, finish, job, key};

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let (store, directory) = fresh();
    let first = NewJob { key: key("k", 1), ..job() };
    let id = first.id;
    assert_eq!(store.submit(first).await.unwrap(), Submission::New(1));
    drop(store);
    let store = open(directory.path());
    let again = NewJob { key: key("k", 1), ..job() };
    let again_id = again.id;
    assert_eq!(store.submit(again).await.unwrap(), Submission::Known(id));
    assert_eq!(store.get(again_id).await.unwrap(), Lookup::Unknown);
    let other = NewJob { key: key("k", 2), ..job() };
    let other_id = other.id;
    assert_eq!(store.submit(other).await.unwrap(), Submission::Conflict);
    assert_eq!(store.get(other_id).await.unwrap(), Lookup::Unknown);
    assert_eq!(
        store.submit(NewJob { key: key("K", 2), ..job() }).await.unwrap(),
        Submission::New(2)
    );
}

#[tokio::test]
async fn a_key_is_free_after_a_day_and_not_before() {
    let (store, _directory) = fresh();
    let first = NewJob { key: key("k", 1), ..job() };
    let id = first.id;
    store.submit(first).await.unwrap();
    finish(&store, id, completion(JobState::Succeeded)).await.unwrap();
    store.prune(DAY - HOUR).await.unwrap();
    let again = || store.submit(NewJob { key: key("k", 2), ..job() });
    assert_eq!(again().await.unwrap(), Submission::Conflict);
    store.prune(HOUR).await.unwrap();
    let third = NewJob { key: key("k", 2), ..job() };
    let third_id = third.id;
    assert_eq!(store.submit(third).await.unwrap(), Submission::New(2));
    assert_eq!(again().await.unwrap(), Submission::Known(third_id), "for another day");
}

/// Whoever loses the race gets the winner's job.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_is_new() {
    let (store, _directory) = fresh();
    let store = std::sync::Arc::new(store);
    let submissions = (0..16).map(|_| {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move {
            let new = NewJob { key: key("k", 1), ..job() };
            (new.id, store.submit(new).await.unwrap())
        })
    });
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for submission in submissions.collect::<Vec<_>>() {
        match submission.await.unwrap() {
            (id, Submission::New(1)) => new.push(id),
            (_, Submission::Known(id)) => known.push(id),
            (_, other) => panic!("{other:?}"),
        }
    }
    assert_eq!((new.len(), known), (1, vec![new[0]; 15]));
}
