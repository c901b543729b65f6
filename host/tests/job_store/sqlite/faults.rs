//! Disks that are full, and disks that fail: nothing is acknowledged that is not stored, nothing that
//! was refused turns up later, and the store goes on when the cause is gone.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tarp_host::jobs::model::{JobId, NewJob};
use tarp_host::jobs::store::{JobStore, Lookup, SqliteStore, StoreError, Submission};

use super::disk::{Fault, with_faults};
use super::open;
use crate::common::{at, claim, found, job, submit, version};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// How many jobs are there, none of which has ended, when the store is opened again.
fn unfinished(directory: &Path) -> usize {
    run(async { open(directory).unfinished().await }).unwrap().len()
}

async fn is_unknown(store: &SqliteStore, id: JobId) -> bool {
    store.get(id).await.unwrap() == Lookup::Unknown
}

#[test]
fn a_full_disk_refuses_what_does_not_fit_and_nothing_else() {
    with_faults(
        "sqlite::faults::a_full_disk_refuses_what_does_not_fit_and_nothing_else",
        "jobs.sqlite-wal",
        |directory| {
            run(async {
                let store = Arc::new(open(directory));
                let earlier = submit(&*store).await;
                let log = fs::metadata(directory.join("jobs.sqlite-wal")).unwrap().len();
                let full = Fault::of("limit", &(log + (2 << 20)).to_string());
                let large = NewJob { arguments: vec![1; 3 << 20], ..job() };
                let large_id = large.id;
                let mut submissions = vec![tokio::spawn({
                    let (store, large) = (Arc::clone(&store), large.clone());
                    async move { store.submit(large).await }
                })];
                let small: Vec<_> = (0..20).map(|_| job()).collect();
                for new in small.clone() {
                    let store = Arc::clone(&store);
                    submissions.push(tokio::spawn(async move { store.submit(new).await }));
                }
                for (n, submission) in submissions.into_iter().enumerate() {
                    match submission.await.unwrap() {
                        Err(StoreError::Full(_)) if n == 0 => {}
                        Ok(Submission::New(_)) if n > 0 => {}
                        other => panic!("submission {n}: {other:?}"),
                    }
                }
                assert!(is_unknown(&store, large_id).await);
                drop(full);
                assert!(matches!(store.submit(large).await, Ok(Submission::New(_))));
                for id in [earlier, large_id].into_iter().chain(small.iter().map(|new| new.id)) {
                    assert!(claim(&*store, id, version("d"), at(1)).await.unwrap().is_some());
                }
            });
        },
        |directory| assert_eq!(unfinished(directory), 22),
    );
}

#[test]
fn a_disk_without_any_room_refuses_until_there_is_some() {
    with_faults(
        "sqlite::faults::a_disk_without_any_room_refuses_until_there_is_some",
        "jobs.sqlite*",
        |directory| {
            run(async {
                let store = open(directory);
                let earlier = submit(&store).await;
                let full = Fault::of("limit", "0");
                for _ in 0..5 {
                    let new = job();
                    let id = new.id;
                    let outcome = store.submit(new).await;
                    assert!(matches!(outcome, Err(StoreError::Full(_))), "{outcome:?}");
                    assert!(is_unknown(&store, id).await);
                }
                let outcome = claim(&store, earlier, version("d"), at(1)).await;
                assert!(matches!(outcome, Err(StoreError::Full(_))), "{outcome:?}");
                drop(full);
                assert!(claim(&store, earlier, version("d"), at(1)).await.unwrap().is_some());
                submit(&store).await;
            });
        },
        |directory| assert_eq!(unfinished(directory), 2),
    );
}

/// On whichever file, and whatever fails.
fn a_failing_disk(directory: &Path) {
    run(async {
        for kind in ["sync", "write"] {
            let store = open(directory);
            let earlier = submit(&store).await;
            let broken = Fault::of(kind, "");
            for _ in 0..5 {
                let new = job();
                let id = new.id;
                let outcome = store.submit(new).await;
                assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{kind}: {outcome:?}");
                assert!(is_unknown(&store, id).await, "{kind}");
            }
            drop(broken);
            let id = submit(&store).await;
            drop(store);
            let store = open(directory);
            for id in [earlier, id] {
                assert!(claim(&store, id, version("d"), at(1)).await.unwrap().is_some(), "{kind}");
            }
        }
    });
}

#[test]
fn a_failing_log_refuses_until_it_works_again() {
    with_faults(
        "sqlite::faults::a_failing_log_refuses_until_it_works_again",
        "jobs.sqlite-wal",
        a_failing_disk,
        |directory| assert_eq!(unfinished(directory), 4),
    );
}

/// A database that cannot be written takes nothing from the log; the log goes on without it.
#[test]
fn a_failing_database_loses_nothing() {
    with_faults(
        "sqlite::faults::a_failing_database_loses_nothing",
        "jobs.sqlite",
        |directory| {
            run(async {
                let store = open(directory);
                for kind in ["sync", "write", "limit"] {
                    let _broken = Fault::of(kind, "0");
                    for _ in 0..40 {
                        let large = NewJob { arguments: vec![1; 1 << 20], ..job() };
                        let outcome = store.submit(large).await;
                        assert!(matches!(outcome, Ok(Submission::New(_))), "{kind}: {outcome:?}");
                    }
                }
                // And then it goes down with everything in the log.
                let _broken = Fault::of("write", "");
                drop(store);
            });
        },
        |directory| assert_eq!(unfinished(directory), 120),
    );
}

#[test]
fn a_disk_that_cannot_be_read_is_told() {
    with_faults(
        "sqlite::faults::a_disk_that_cannot_be_read_is_told",
        "jobs.sqlite",
        |directory| {
            run(async {
                let store = open(directory);
                let id = submit(&store).await;
                drop(store);
                let store = open(directory);
                let broken = Fault::of("read", "");
                let answer = store.get(id).await;
                assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
                drop(broken);
                found(&store, id).await;
                let broken = Fault::of("read", "");
                drop(store);
                assert!(SqliteStore::open(directory).is_err());
                drop(broken);
                found(&open(directory), id).await;
            });
        },
        |_| {},
    );
}

/// Only the sync of a commit fails, so that all of it is in the log; then the host goes down. Were it
/// found there, a job would run whose submitter was told that it is not stored.
#[test]
fn what_was_refused_stays_refused_after_a_crash() {
    with_faults(
        "sqlite::faults::what_was_refused_stays_refused_after_a_crash",
        "jobs.sqlite-wal",
        |directory| {
            run(async {
                let store = open(directory);
                submit(&store).await;
                let _broken = Fault::of("sync", "");
                for _ in 0..3 {
                    let large = NewJob { arguments: vec![1; 100_000], ..job() };
                    assert!(store.submit(large).await.is_err());
                }
                // No destructor runs: what the files hold is what the next host finds.
                std::process::exit(0);
            });
        },
        |directory| assert_eq!(unfinished(directory), 1),
    );
}

/// A sync that does not return: what waits for it is refused within a bound, what was refused is not
/// there when the disk answers again, and what is there can be read meanwhile.
#[test]
fn a_disk_that_does_not_answer_refuses_within_a_bound() {
    with_faults(
        "sqlite::faults::a_disk_that_does_not_answer_refuses_within_a_bound",
        "jobs.sqlite-wal",
        |directory| {
            run(async {
                let store = Arc::new(open(directory));
                let earlier = submit(&*store).await;
                let hanging = Fault::of("hang", "");
                let refused: Vec<_> = (0..3).map(|_| job()).collect();
                let submissions: Vec<_> = refused
                    .iter()
                    .map(|new| {
                        let (store, new) = (Arc::clone(&store), new.clone());
                        tokio::spawn(async move { store.submit(new).await })
                    })
                    .collect();
                let is_stalled = |outcome: &StoreError| match outcome {
                    StoreError::Unavailable(reason) => reason.contains("has not answered"),
                    _ => false,
                };
                for submission in submissions {
                    let outcome = submission.await.unwrap();
                    assert!(outcome.as_ref().is_err_and(is_stalled), "{outcome:?}");
                }
                let begun = Instant::now();
                assert!(store.submit(job()).await.is_err_and(|e| is_stalled(&e)));
                assert!(store.ask_to_stop(earlier).await.is_err_and(|e| is_stalled(&e)));
                assert!(store.probe().await.is_err());
                assert!(begun.elapsed() < Duration::from_secs(2), "it is known by now");
                found(&*store, earlier).await;
                drop(hanging);
                while store.probe().await.is_err() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                submit(&*store).await;
                for new in refused {
                    // One of them was on its way to the disk, and is withdrawn.
                    while !is_unknown(&store, new.id).await {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            });
        },
        |directory| assert_eq!(unfinished(directory), 2),
    );
}
