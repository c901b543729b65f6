//! Durable submissions a second, by how many submit at once, with an empty store and with 100,000
//! finished jobs in it. Prints a table.
//!
//! `cargo bench --profile dev --bench job_store -- SECONDS`: the dependencies, SQLite among them, are
//! optimised in that profile too.
//!
//! The store's file is in the system's directory for temporary files, or in `TARP_BENCH_DIR`: on a
//! disk, if the figures are to mean anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tarp_host::codec::neutral;
use tarp_host::codec::types::Arguments;
use tarp_host::config::Labels;
use tarp_host::jobs::model::{
    Attempt, Completion, FailureCause, JobId, JobState, Logs, NewJob, Priority, Version,
};
use tarp_host::jobs::store::{Fence, Filter, JobStore, SqliteStore};
use tarp_host::sandbox::Receipt;
use tarp_host::value::{Array, Value};

const FINISHED: usize = 100_000;

#[tokio::main]
async fn main() {
    let seconds = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(2.0);
    let time = Duration::from_secs_f64(seconds);
    encoding();
    let base = std::env::var_os("TARP_BENCH_DIR").map_or(std::env::temp_dir(), Into::into);
    let directory = tempfile::tempdir_in(base).expect("a directory");
    let store = Arc::new(SqliteStore::open(directory.path()).expect("a store"));
    println!(
        "{:>10} {:>10} {:>12} {:>10} {:>10} {:>10}",
        "finished", "at once", "a second", "median", "99 %", "longest"
    );
    submissions(&store, 0, time).await;
    fill(&store).await;
    submissions(&store, FINISHED, time).await;
    questions(&store).await;
    drop(store);
    let start = Instant::now();
    drop(SqliteStore::open(directory.path()).expect("the store again"));
    println!("opened again, with its check, and closed in {:.1?}", start.elapsed());
}

fn encoding() {
    let million = Value::Array(Array::row((0..1_000_000).map(f64::from).collect::<Vec<_>>()));
    let start = Instant::now();
    let encoded = neutral::encode(&million);
    let encoding = start.elapsed();
    let start = Instant::now();
    let decoded: Value = neutral::decode(&encoded).expect("what was encoded");
    println!("1,000,000 f64: encoded in {encoding:.1?}, decoded in {:.1?}", start.elapsed());
    assert_eq!(decoded, million);
}

async fn submissions(store: &Arc<SqliteStore>, finished: usize, time: Duration) {
    for at_once in [1, 16, 64] {
        let (count, mut waits, took) = submit_for(store, at_once, time).await;
        waits.sort_unstable();
        let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
        println!(
            "{finished:>10} {at_once:>10} {:>12.0} {:>10.1?} {:>10.1?} {:>10.1?}",
            count as f64 / took.as_secs_f64(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
        end_all(store).await;
    }
}

async fn submit_for(
    store: &Arc<SqliteStore>,
    at_once: usize,
    time: Duration,
) -> (usize, Vec<Duration>, Duration) {
    let start = Instant::now();
    let submitters = (0..at_once).map(|_| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while start.elapsed() < time {
                let begun = Instant::now();
                store.submit(job()).await.expect("a submission");
                waits.push(begun.elapsed());
            }
            waits
        })
    });
    let mut waits = Vec::new();
    for submitter in submitters.collect::<Vec<_>>() {
        waits.extend(submitter.await.expect("a submitter"));
    }
    (waits.len(), waits, start.elapsed())
}

/// What was submitted for the figures is not to be among what is there for the next.
async fn end_all(store: &Arc<SqliteStore>) {
    let jobs = store.unfinished().await.expect("jobs");
    each(store, jobs.into_iter().map(|job| job.id).collect(), |store, id| async move {
        store.finish(id, Fence::Queued, completion(Duration::ZERO)).await.expect("an end");
    })
    .await;
    store.prune(Duration::from_secs(1)).await.expect("a removal");
}

async fn fill(store: &Arc<SqliteStore>) {
    let ids = (0..FINISHED).map(|_| JobId::random()).collect();
    each(store, ids, |store, id| async move {
        store.submit(NewJob { id, ..job() }).await.expect("a submission");
        let version = Version { file: "f".into(), digest: "digest".into(), is_repeatable: true };
        let attempt = Attempt { number: 1, version, started: SystemTime::now() };
        assert!(store.claim(id, attempt).await.expect("a claim"), "it is queued");
        store
            .finish(id, Fence::Attempt(1), completion(Duration::from_secs(1 << 30)))
            .await
            .expect("an end");
    })
    .await;
}

async fn each<F>(store: &Arc<SqliteStore>, ids: Vec<JobId>, work: fn(Arc<SqliteStore>, JobId) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (ids, next) = (Arc::new(ids), Arc::new(AtomicU64::new(0)));
    let workers = (0..128).map(|_| {
        let (store, ids, next) = (Arc::clone(store), Arc::clone(&ids), Arc::clone(&next));
        tokio::spawn(async move {
            while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                work(Arc::clone(&store), *id).await;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("a worker");
    }
}

async fn questions(store: &Arc<SqliteStore>) {
    let all = Filter {
        states: vec![],
        procedure: None,
        owner: None,
        since: None,
        until: None,
        before: None,
        limit: 50,
    };
    let questions = [
        ("the newest 50", all.clone()),
        (
            "the newest 50 that failed, of none",
            Filter { states: vec![JobState::Failed], ..all.clone() },
        ),
        ("the newest 50 of a procedure", Filter { procedure: Some("mean".into()), ..all.clone() }),
        ("submitted before 1970, of none", Filter { until: Some(SystemTime::UNIX_EPOCH), ..all }),
    ];
    // The first one opens a connection.
    store.unfinished().await.expect("an answer");
    for (what, filter) in questions {
        let start = Instant::now();
        let page = store.list(&filter).await.expect("a page");
        println!("{what}: {} in {:.1?}", page.jobs.len(), start.elapsed());
    }
}

fn job() -> NewJob {
    let row = Value::Array(Array::row(vec![1.0, 2.0, 3.0]));
    NewJob {
        id: JobId::random(),
        procedure: "mean".into(),
        file: "stats.wasm".into(),
        digest: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262".into(),
        arguments: neutral::encode(&Arguments { positional: vec![row], named: vec![] }),
        priority: Priority::default(),
        max_attempts: 1,
        backoff: Duration::from_secs(1),
        is_repeatable: true,
        suggested_wait: 1,
        submitted: SystemTime::now(),
        begun: None,
        is_pinned: false,
        owner: None,
        peer: None,
        requires: Labels::default(),
        key: None,
    }
}

fn completion(keep_for: Duration) -> Completion {
    Completion {
        attempt: None,
        state: JobState::Succeeded,
        ended: SystemTime::now(),
        fault: FailureCause::Nobody,
        not_before: None,
        result: Some(neutral::encode(&Value::Float(2.0)).into()),
        error: None,
        receipt: Receipt::default(),
        progress: None,
        logs: Logs::default(),
        keep_for,
    }
}
