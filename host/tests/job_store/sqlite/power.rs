//! Power loss, as far as files can show it: the database and its log as they are on the disk at the
//! moment of an acknowledgement, and behind that moment anything.

use std::fs;
use std::path::{Path, PathBuf};

use tarp_host::jobs::model::{JobId, JobState, NewJob};
use tarp_host::jobs::store::{JobStore, Lookup, SqliteStore};

use super::{fresh, open};
use crate::common::{claim, completion, finish, found, job, version};

fn log(directory: &Path) -> PathBuf {
    directory.join("jobs.sqlite-wal")
}

async fn submissions(store: &SqliteStore, count: usize) -> Vec<JobId> {
    let mut ids = Vec::new();
    for n in 0..count {
        let new = NewJob { arguments: vec![b'a'; 500 * (n % 7)], ..job() };
        ids.push(new.id);
        store.submit(new).await.unwrap();
    }
    ids
}

/// Opens a copy with this log, and gives how many of the later jobs it has. It has every earlier one,
/// and no later one without those before it.
async fn later_ones(
    database: &Path,
    log_bytes: &[u8],
    earlier: &[JobId],
    later: &[JobId],
) -> usize {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(database, copy.path().join("jobs.sqlite")).unwrap();
    fs::write(log(copy.path()), log_bytes).unwrap();
    let store = open(copy.path());
    for (n, id) in earlier.iter().enumerate() {
        let expected = if n == 0 { JobState::Succeeded } else { JobState::Queued };
        assert_eq!(found(&store, *id).await.state, expected);
    }
    let mut there = Vec::new();
    for id in later {
        there.push(matches!(store.get(*id).await.unwrap(), Lookup::Found(_)));
    }
    let count = there.iter().take_while(|is_there| **is_there).count();
    assert!(!there[count..].contains(&true), "a later job is there without an earlier one");
    let unfinished = store.unfinished().await.unwrap();
    assert_eq!(unfinished.len(), earlier.len() - 1 + count);
    for job in unfinished {
        assert!(claim(&store, job.id, version("d"), job.submitted).await.unwrap().is_some());
    }
    count
}

#[tokio::test]
async fn what_was_acknowledged_outlives_any_end_of_the_log() {
    let (store, directory) = fresh();
    let database = directory.path().join("jobs.sqlite");
    let earlier = submissions(&store, 20).await;
    finish(&store, earlier[0], completion(JobState::Succeeded)).await.unwrap();
    let acknowledged = fs::read(log(directory.path())).unwrap().len();
    let later = submissions(&store, 20).await;
    let whole = fs::read(log(directory.path())).unwrap();
    assert!(whole.len() > acknowledged, "the log grows, so that its end is what came last");

    let step = (whole.len() - acknowledged) / 40;
    let mut counts = Vec::new();
    for at in (acknowledged..whole.len()).step_by(step) {
        let truncated = later_ones(&database, &whole[..at], &earlier, &later).await;
        // A write that was torn: pages that came later are there, one before them is not.
        let mut torn = whole.clone();
        torn[at..(at + 512).min(whole.len())].iter_mut().for_each(|byte| *byte ^= 0x5a);
        let mut garbled = whole.clone();
        garbled[at..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        for log in [torn, garbled] {
            let count = later_ones(&database, &log, &earlier, &later).await;
            assert_eq!(count, truncated);
        }
        counts.push(truncated);
    }
    assert_eq!(counts[0], 0);
    assert!(counts.is_sorted() && counts.contains(&10), "{counts:?}");
    assert_eq!(later_ones(&database, &whole, &earlier, &later).await, 20);
}
