//! Jobs that run: how they begin, and how they end where something is in their way.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tarp_host::codec::types::Arguments;
use tarp_host::config::{JobsConfig, Labels};
use tarp_host::error::ErrorKind;
use tarp_host::jobs::model::{
    Completion, FailureCause, Job, JobId, JobState, Logs, NewJob, Priority,
};
use tarp_host::jobs::store::{Fence, JobStore, Lookup, SqliteStore, StoreError};
use tarp_host::jobs::{EventKind, JobRuntime, Jobs, SubmitOptions};
use tarp_host::sandbox::Receipt;
use tarp_host::value::Value;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::host::Host;
use crate::store::Altered;

const LONG: Duration = Duration::from_secs(60);

/// Runs jobs with so many permits until it is dropped.
fn run(jobs: &Jobs, permits: u32) -> impl Drop {
    struct Running(CancellationToken);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    let stopping = CancellationToken::new();
    let (jobs, until) = (jobs.clone(), stopping.clone());
    tokio::spawn(async move {
        let runtime = JobRuntime::new(Some(permits)).unwrap();
        let (_changes, changed) = watch::channel(());
        jobs.run(&runtime, changed, until).await;
        jobs.finish().await;
    });
    Running(stopping)
}

async fn submit(host: &Host, jobs: &Jobs, name: &str, arguments: &[Value]) -> JobId {
    let arguments = Arguments { positional: arguments.to_vec(), named: Vec::new() };
    let procedure = host.procedure(name);
    jobs.submit(&procedure, arguments, SubmitOptions::default()).await.unwrap().job.id
}

async fn ended(jobs: &Jobs, id: JobId) -> Job {
    let job = jobs.wait(id, LONG).await.unwrap().job;
    assert!(job.state.is_terminal(), "{job:?}");
    job
}

fn altered(directory: &Path) -> Altered {
    Altered::new(SqliteStore::open(directory).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_the_store_never_takes_is_a_failure() {
    let host = Host::start().await;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Altered {
        refusal: |completion| {
            completion.result.is_some().then(|| StoreError::Refused("it is too big".into()))
        },
        ..altered(directory.path())
    });
    let jobs = host.jobs(store, JobsConfig::default());
    let _running = run(&jobs, 1);
    let refused = submit(&host, &jobs, "add", &[Value::Int(1), Value::Int(2)]).await;
    let job = ended(&jobs, refused).await;
    assert_eq!((job.state, job.attempts), (JobState::Failed, 1));
    let error = job.error.unwrap();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(error.message.contains("it is too big"), "{}", error.message);
    assert!(jobs.result(refused).await.is_err());
}

/// More permits than there are instances: whoever finds none waits, and no attempt counts as failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_finds_the_pool_full_waits() {
    let host = Host::start().await;
    let directory = tempfile::tempdir().unwrap();
    let jobs = host.jobs(Arc::new(altered(directory.path())), JobsConfig::default());
    let _running = run(&jobs, 64);
    let mut ids = Vec::new();
    for _ in 0..64 {
        ids.push(submit(&host, &jobs, "sleep_for", &[Value::Int(100)]).await);
    }
    let mut attempts = 0;
    for id in ids {
        let job = ended(&jobs, id).await;
        assert_eq!((job.state, job.failures), (JobState::Succeeded, 0), "{job:?}");
        attempts += job.attempts;
    }
    assert!(attempts > 64, "none found the pool full, so that this shows nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_another_host_stored_is_run() {
    let host = Host::start().await;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(altered(directory.path()));
    let jobs = host.jobs(Arc::clone(&store) as Arc<dyn JobStore>, JobsConfig::default());
    let _running = run(&jobs, 1);
    let own = submit(&host, &jobs, "add", &[Value::Int(1), Value::Int(2)]).await;
    let Job { procedure, file, digest, .. } = ended(&jobs, own).await;
    let new = NewJob {
        id: JobId::random(),
        procedure,
        file,
        digest,
        arguments: store.arguments(own).await.unwrap().unwrap(),
        priority: Priority::default(),
        max_attempts: 1,
        backoff: Duration::ZERO,
        is_repeatable: true,
        suggested_wait: 1,
        submitted: SystemTime::now(),
        begun: None,
        is_pinned: false,
        key: None,
        owner: None,
        peer: None,
        requires: Labels::default(),
    };
    let id = new.id;
    store.submit(new).await.unwrap();
    while !jobs.view(id).await.unwrap().job.state.is_terminal() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (result, _) = jobs.result(id).await.unwrap();
    assert_eq!(result, Value::Int(3));
    assert_eq!((jobs.standing().running, jobs.standing().queued), (0, 0));
}

/// As when another host took it for dead.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_somebody_else_recorded_first_stands_and_is_told() {
    let host = Host::start().await;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(altered(directory.path()));
    let jobs = host.jobs(Arc::clone(&store) as Arc<dyn JobStore>, JobsConfig::default());
    let _running = run(&jobs, 1);
    let id = submit(&host, &jobs, "sleep_for", &[Value::Int(500)]).await;
    while jobs.view(id).await.unwrap().job.state != JobState::Running {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut follower = jobs.follow(id, 0).unwrap();
    let interrupted = Completion {
        attempt: None,
        state: JobState::Interrupted,
        fault: FailureCause::Crash,
        ended: SystemTime::now(),
        not_before: None,
        result: None,
        error: None,
        receipt: Receipt::default(),
        progress: None,
        logs: Logs::default(),
        keep_for: LONG,
    };
    assert!(store.finish(id, Fence::Attempt(1), interrupted).await.unwrap());
    let mut last = None;
    while let Some(event) = follower.next().await {
        last = Some(event.kind);
    }
    assert_eq!(last, Some(EventKind::State(JobState::Interrupted)));
    let job = ended(&jobs, id).await;
    assert_eq!((job.state, job.crashes), (JobState::Interrupted, 1));
    assert_eq!(jobs.standing().running, 0);
}

/// What may run again waits for no claim, neither to run nor to end; and yet a crash is counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_unclaimed_is_known_to_run_and_after_a_crash_to_have_run() {
    let host = Host::start().await;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Altered {
        claims: Semaphore::new(0),
        wrote_lately: Some(true),
        ..altered(directory.path())
    });
    let jobs = host.jobs(Arc::clone(&store) as Arc<dyn JobStore>, JobsConfig::default());
    let _running = run(&jobs, 2);
    let quick = submit(&host, &jobs, "add", &[Value::Int(1), Value::Int(2)]).await;
    let job = ended(&jobs, quick).await;
    assert_eq!((job.state, job.attempts), (JobState::Succeeded, 1));
    assert!(job.started.is_some());
    let endless = submit(&host, &jobs, "spin", &[]).await;
    while jobs.view(endless).await.unwrap().job.state != JobState::Running {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let seen = jobs.view(endless).await.unwrap().job;
    assert_eq!(seen.attempts, 1);
    // As a host leaves it that crashes: nothing is closed.
    let copy = tempfile::tempdir().unwrap();
    for name in ["jobs.sqlite", "jobs.sqlite-wal", "jobs.running"] {
        std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let next = Arc::new(altered(copy.path()));
    let after = host.jobs(Arc::clone(&next) as Arc<dyn JobStore>, JobsConfig::default());
    after.recover().await.unwrap();
    let job = after.view(endless).await.unwrap().job;
    assert_eq!((job.state, job.attempts, job.crashes), (JobState::Queued, 1, 1));
    // The same is told of it when it is claimed.
    store.claims.add_permits(1);
    let claimed = loop {
        match store.get(endless).await.unwrap() {
            Lookup::Found(job) if job.state == JobState::Running => break job,
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    let micros = |job: &Job| {
        job.started.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros()
    };
    assert_eq!(micros(&seen), micros(&claimed));
    assert_eq!(jobs.cancel(endless).await.unwrap().job.id, endless);
    let job = ended(&jobs, endless).await;
    assert_eq!((job.state, job.attempts), (JobState::Cancelled, 1));
}

/// A crash of the machine leaves no marks: the job has never begun.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_neither_claimed_nor_marked_has_never_begun() {
    let host = Host::start().await;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(altered(directory.path()));
    let jobs = host.jobs(Arc::clone(&store) as Arc<dyn JobStore>, JobsConfig::default());
    let id = submit(&host, &jobs, "spin", &[]).await;
    let copy = tempfile::tempdir().unwrap();
    for name in ["jobs.sqlite", "jobs.sqlite-wal"] {
        std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let next = Arc::new(altered(copy.path()));
    let after = host.jobs(next, JobsConfig::default());
    after.recover().await.unwrap();
    let job = after.view(id).await.unwrap().job;
    assert_eq!((job.state, job.attempts, job.crashes), (JobState::Queued, 0, 0));
}
