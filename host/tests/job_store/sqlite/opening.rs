//! What is opened, what is refused and how, and that what is refused stays as it was, to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tarp_host::error::ErrorKind;
use tarp_host::jobs::model::{JobState, NewJob};
use tarp_host::jobs::store::{Filter, JobStore, OpenError, SqliteStore, StoreError};

use super::{fresh, open};
use crate::common::{claim, found, job, submit, succeed, version};

fn database(directory: &Path) -> PathBuf {
    directory.join("jobs.sqlite")
}

/// Every file of a directory but the lock, which is no data; of SQLite's index of the log, which is
/// none either, only whether it is there.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| path.extension().is_none_or(|end| end != "lock"));
    let content = |path: &Path| match path.to_str() {
        Some(name) if name.ends_with("-shm") => Vec::new(),
        _ => fs::read(path).unwrap(),
    };
    entries.map(|path| (path.clone(), content(&path))).collect()
}

/// Expects that the store is refused, leaves every file as it is, and gives the reason.
#[track_caller]
fn refused(directory: &Path) -> OpenError {
    let before = files(directory);
    let refusal = SqliteStore::open(directory).err().expect("a refusal");
    assert!(files(directory) == before, "something was changed, after: {refusal}");
    assert!(refusal.to_string().contains(directory.to_str().unwrap()), "{refusal}");
    refusal
}

/// Bytes.
const PAGE: usize = 4096;

/// A closed store of 300 jobs, all of it in the database and nothing in a log. Every page is of a tree,
/// none only of somebody's arguments.
async fn filled() -> (tempfile::TempDir, Vec<tarp_host::jobs::model::JobId>) {
    let (store, directory) = fresh();
    let mut ids = Vec::new();
    for n in 0..300 {
        let new = NewJob { arguments: vec![b'a'; n % 50], ..job() };
        ids.push(new.id);
        store.submit(new).await.unwrap();
    }
    drop(store);
    assert!(!directory.path().join("jobs.sqlite-wal").exists());
    (directory, ids)
}

#[tokio::test]
async fn nobody_else_may_read_what_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("a/b");
    let store = open(&directory);
    submit(&store).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&parent.path().join("a")), 0o700);
    assert_eq!(mode(&directory), 0o700);
    let names: Vec<_> = fs::read_dir(&directory).unwrap().map(|f| f.unwrap().path()).collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        assert_eq!(mode(&name), 0o600, "{name:?}");
    }
}

#[tokio::test]
async fn a_store_is_of_one_host_at_a_time() {
    let (store, directory) = fresh();
    let id = submit(&store).await;
    let refusal = SqliteStore::open(directory.path()).err().expect("a refusal");
    let OpenError::Held { holder, .. } = &refusal else { panic!("{refusal}") };
    assert_eq!(*holder, Some(std::process::id()));
    // By another path to the same files, too.
    let link = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(database(directory.path()), database(link.path())).unwrap();
    assert!(matches!(SqliteStore::open(link.path()), Err(OpenError::Held { .. })));
    found(&store, id).await;
    drop(store);
    found(&open(link.path()), id).await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "not a directory").unwrap();
    for path in [file.clone(), file.join("below")] {
        let refusal = SqliteStore::open(&path).err().expect("a refusal");
        assert!(matches!(refusal, OpenError::Directory { .. }), "{refusal}");
        assert!(refusal.to_string().contains("file"), "{refusal}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "not a directory");
}

#[test]
fn what_is_no_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    for content in [&b"SQLite format 3\0 but then it ends"[..], &[b'x'; 5000]] {
        fs::write(database(directory.path()), content).unwrap();
        assert!(matches!(refused(directory.path()), OpenError::NotADatabase { .. }));
    }
    fs::write(database(directory.path()), "").unwrap();
    assert!(matches!(refused(directory.path()), OpenError::Damaged { .. }));
}

#[test]
fn another_programs_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let theirs = Connection::open(database(directory.path())).unwrap();
    theirs.execute_batch("PRAGMA application_id = 7; CREATE TABLE t (x)").unwrap();
    drop(theirs);
    let refusal = refused(directory.path());
    assert!(matches!(refusal, OpenError::Foreign { application_id: 7, .. }), "{refusal}");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let (directory, _) = filled().await;
    let newer = Connection::open(database(directory.path())).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    // First only in the log, then in the header.
    assert!(matches!(refused(directory.path()), OpenError::Newer { version: 99, .. }));
    drop(newer);
    assert!(matches!(refused(directory.path()), OpenError::Newer { version: 99, .. }));
}

#[tokio::test]
async fn a_truncated_database_is_left_alone() {
    let (directory, _) = filled().await;
    let whole = fs::read(database(directory.path())).unwrap();
    for keep in [100, PAGE, PAGE + 1000, whole.len() / 2, whole.len() - PAGE, whole.len() - 1] {
        fs::write(database(directory.path()), &whole[..keep]).unwrap();
        let refusal = refused(directory.path());
        assert!(matches!(refusal, OpenError::Damaged { .. }), "{keep} bytes: {refusal}");
    }
}

#[tokio::test]
async fn a_garbled_database_is_left_alone() {
    let (directory, _) = filled().await;
    let whole = fs::read(database(directory.path())).unwrap();
    for page in 0..whole.len() / PAGE {
        let mut garbled = whole.clone();
        // Of the first page, what is behind the header that tells whose database it is.
        let start = if page == 0 { 100 } else { page * PAGE };
        garbled[start..(page + 1) * PAGE].fill(0x5a);
        fs::write(database(directory.path()), garbled).unwrap();
        let refusal = refused(directory.path());
        assert!(matches!(refusal, OpenError::Damaged { .. }), "page {page}: {refusal}");
    }
}

#[tokio::test]
async fn a_log_without_its_database_is_left_alone() {
    let (store, directory) = fresh();
    submit(&store).await;
    let log = fs::read(directory.path().join("jobs.sqlite-wal")).unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("jobs.sqlite-wal"), log).unwrap();
    let refusal = refused(other.path());
    assert!(matches!(refusal, OpenError::Damaged { .. }), "{refusal}");
}

/// A host that went down while it made the database left a piece of it, under another name.
#[tokio::test]
async fn a_database_that_was_never_finished_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        fs::write(directory.path().join(format!("jobs.sqlite.new{suffix}")), "half").unwrap();
    }
    submit(&open(directory.path())).await;
}

/// Damage that comes while the store is open is told, and ends nothing.
#[tokio::test]
async fn damage_under_way_makes_the_store_unavailable() {
    let (directory, ids) = filled().await;
    let store = open(directory.path());
    let file = fs::File::options().write(true).open(database(directory.path())).unwrap();
    for page in 1..file.metadata().unwrap().len() / PAGE as u64 {
        file.write_all_at(&[0x5a; PAGE], page * PAGE as u64).unwrap();
    }
    let answer = store.get(ids[150]).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    let answer = claim(&store, ids[150], version("d"), std::time::SystemTime::now()).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn what_is_in_the_log_only_is_not_lost() {
    let (store, directory) = fresh();
    let id = succeed(&store).await;
    // As a host leaves it that goes down: nothing is closed.
    let copy = tempfile::tempdir().unwrap();
    for name in ["jobs.sqlite", "jobs.sqlite-wal"] {
        fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    found(&open(copy.path()), id).await;
}

/// The first version had fewer columns, and a file that never became smaller.
#[tokio::test]
async fn a_store_of_the_first_schema_is_brought_up_to_date() {
    let (directory, ids) = filled().await;
    let older = Connection::open(database(directory.path())).unwrap();
    older
        .execute_batch(
            "PRAGMA auto_vacuum = NONE; VACUUM;
             ALTER TABLE jobs DROP COLUMN failures;
             ALTER TABLE jobs DROP COLUMN crashes;
             ALTER TABLE jobs DROP COLUMN is_pinned;
             DROP INDEX jobs_by_owner;
             ALTER TABLE jobs DROP COLUMN owner;
             ALTER TABLE jobs DROP COLUMN peer;
             ALTER TABLE jobs DROP COLUMN requires;
             ALTER TABLE gone DROP COLUMN owner;
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(older);
    let store = open(directory.path());
    for id in ids {
        let job = found(&store, id).await;
        assert_eq!((job.failures, job.crashes, job.is_pinned), (0, 0, false));
        assert_eq!((job.owner, job.peer, job.requires.is_empty()), (None, None, true));
    }
    submit(&store).await;
    drop(store);
    let file = Connection::open(database(directory.path())).unwrap();
    let ask =
        |name: &str| -> i32 { file.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    assert_eq!((ask("user_version"), ask("auto_vacuum")), (5, 2));
}

/// What a later host, or chance, wrote into a row is no reason to refuse the others.
#[tokio::test]
async fn an_unreadable_row_is_the_fault_of_its_job_alone() {
    let (directory, ids) = filled().await;
    let file = Connection::open(database(directory.path())).unwrap();
    for (row, change) in [
        (0, "state = 99"),
        (1, "priority = 77"),
        (2, "progress = x'ff'"),
        (3, "attempts = -5"),
        (4, "id = x'0102'"),
        (5, "requires = 'gpu,?'"),
    ] {
        let sql = format!("UPDATE jobs SET {change} WHERE id = ?1");
        assert_eq!(file.execute(&sql, [ids[row].as_bytes()]).unwrap(), 1);
    }
    file.execute_batch("INSERT OR REPLACE INTO logs SELECT sequence, 'out', '', x'ff' FROM jobs")
        .unwrap();
    file.execute_batch("INSERT OR REPLACE INTO errors SELECT sequence, 'NewKind', 'm', x'ff', NULL, NULL FROM jobs")
        .unwrap();
    drop(file);
    let store = open(directory.path());
    let filter = Filter {
        states: Vec::new(),
        procedure: None,
        owner: None,
        since: None,
        until: None,
        before: None,
        limit: 1000,
    };
    let listed = store.list(&filter).await.unwrap().jobs;
    assert_eq!(listed.len(), ids.len() - 1, "all that have a handle");
    let unfinished = store.unfinished().await.unwrap();
    assert_eq!(unfinished.len(), ids.len() - 3, "all that can be begun");
    let job = found(&store, ids[5]).await;
    let message = job.error.unwrap().message;
    assert!(job.state == JobState::Failed && message.contains("\"?\" is no label"), "{message}");
    let job = found(&store, ids[0]).await;
    assert_eq!((job.state, job.error.unwrap().kind), (JobState::Failed, ErrorKind::Internal));
    assert_eq!(store.logs(ids[1]).await.unwrap().unwrap().stdout, "out");
}
