//! SQLite's log: moved into the database while jobs are stored, and bounded.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tarp_host::jobs::model::NewJob;
use tarp_host::jobs::store::{JobStore, Submission};

use super::{Store, fresh, open};
use crate::common::job;

const MIB: u64 = 1 << 20;

/// The log, what may be written between two looks at it, and a transaction.
const BOUND: u64 = (64 + 16 + 8) * MIB;

fn size(directory: &Path) -> u64 {
    fs::metadata(directory.join("jobs.sqlite-wal")).map_or(0, |log| log.len())
}

/// Stores so many MiB by many at once, so that the writer never rests, and gives how long the log ever was.
async fn store(store: &Arc<Store>, directory: &Path, mebibytes: usize) -> u64 {
    let submitting: Vec<_> = (0..16)
        .map(|_| {
            let (store, directory) = (Arc::clone(store), directory.to_owned());
            tokio::spawn(async move {
                let mut longest = 0;
                for _ in 0..mebibytes / 16 {
                    let new = NewJob { arguments: vec![1; 1 << 20], ..job() };
                    assert!(matches!(store.submit(new).await, Ok(Submission::New(_))));
                    longest = longest.max(size(&directory));
                }
                longest
            })
        })
        .collect();
    let mut longest = 0;
    for task in submitting {
        longest = longest.max(task.await.unwrap());
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_bounded_though_the_writer_never_rests() {
    let (jobs, directory) = fresh();
    let jobs = Arc::new(jobs);
    let longest = store(&jobs, directory.path(), 320).await;
    assert!(longest < BOUND, "{} MiB", longest / MIB);
    drop(jobs);
    assert_eq!(open(directory.path()).unfinished().await.unwrap().len(), 320);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_begun_anew_once_whoever_held_it_up_is_gone() {
    let (jobs, directory) = fresh();
    let jobs = Arc::new(jobs);
    let other = Connection::open(directory.path().join("jobs.sqlite")).unwrap();
    let reading = other.unchecked_transaction().unwrap();
    let count = |connection: &Connection| -> i64 {
        connection.query_row("SELECT count(*) FROM jobs", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&reading), 0);
    let longest = store(&jobs, directory.path(), 160).await;
    assert!(longest > BOUND, "it is held up by nobody: {} MiB", longest / MIB);
    assert_eq!(count(&reading), 0);
    drop(reading);
    other.close().unwrap();
    store(&jobs, directory.path(), 32).await;
    assert!(size(directory.path()) < BOUND, "{} MiB", size(directory.path()) / MIB);
}
