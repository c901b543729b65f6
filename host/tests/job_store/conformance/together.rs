//! Many change the store at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use tarp_host::jobs::model::JobState;
use tarp_host::jobs::store::{JobStore, Submission};

use super::{fresh, open};
use crate::common::{at, claim, completion, finish, found, job, version};

#[test]
fn sixteen_threads_submit_and_finish() {
    const THREADS: u64 = 16;
    const EACH: u64 = 50;
    let (store, directory) = fresh();
    let store = Arc::new(store);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let threads = (0..THREADS).map(|_| {
        let (store, runtime) = (Arc::clone(&store), runtime.handle().clone());
        std::thread::spawn(move || {
            runtime.block_on(async {
                let mut jobs = Vec::new();
                for _ in 0..EACH {
                    let new = job();
                    let id = new.id;
                    let Submission::New(place) = store.submit(new).await.unwrap() else {
                        panic!("{id} is not new");
                    };
                    assert!(claim(&*store, id, version("d"), at(1)).await.unwrap().is_some());
                    assert!(finish(&*store, id, completion(JobState::Succeeded)).await.unwrap());
                    jobs.push((place, id));
                }
                jobs
            })
        })
    });
    let threads: Vec<_> = threads.collect();
    let jobs: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    drop(store);
    let places: BTreeSet<u64> = jobs.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..=THREADS * EACH).collect());
    let store = open(directory.path());
    runtime.block_on(async {
        for (place, id) in jobs {
            let job = found(&store, id).await;
            assert_eq!((job.sequence, job.state), (place, JobState::Succeeded));
        }
    });
}

/// A change that fails within a transaction takes no other with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_is_refused_is_refused_alone() {
    let (store, _directory) = fresh();
    let store = Arc::new(store);
    let twice = job();
    let submissions = (0..64).map(|n| {
        let (store, twice) = (Arc::clone(&store), twice.clone());
        tokio::spawn(async move {
            let new = if n % 8 == 0 { twice } else { job() };
            let id = new.id;
            (id, store.submit(new).await)
        })
    });
    let (mut refused, mut stored) = (Vec::new(), BTreeSet::new());
    for submission in submissions.collect::<Vec<_>>() {
        match submission.await.unwrap() {
            (id, Ok(Submission::New(_))) => assert!(stored.insert(id)),
            (id, outcome) => {
                assert!(outcome.is_err());
                refused.push(id);
            }
        }
    }
    assert_eq!((stored.len(), refused), (57, vec![twice.id; 7]));
    for id in stored {
        found(&*store, id).await;
    }
}

/// Whoever asked may give up; what was asked for is done all the same.
#[tokio::test]
async fn what_was_begun_is_done_even_if_nobody_waits() {
    use std::task::{Context, Waker};
    let (store, directory) = fresh();
    let new = job();
    let id = new.id;
    let mut submission = store.submit(new);
    let begun = submission.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(begun);
    drop(submission);
    drop(store);
    found(&open(directory.path()), id).await;
}
