//! What each method does, and that it is still so when the store is opened again.

use std::time::Duration;

use tarp_host::error::{CallError, Kind};
use tarp_host::jobs::model::{Ending, Fault, Job, JobId, LogLine, Logs, NewJob, Priority, State};
use tarp_host::jobs::store::{Fence, JobStore, Lookup, Submission, Version};
use tarp_host::sandbox::{Level, Progress, Receipt};
use tarp_host::value::Value;

use crate::common::{DAY, at, ending, finish, found, fresh, job, open, submit, version};

#[tokio::test]
async fn a_job_is_stored_as_it_was_submitted() {
    let (store, directory) = fresh();
    let new = NewJob { priority: Priority::new(7).unwrap(), is_repeatable: false, ..job() };
    let id = new.id;
    assert_eq!(store.submit(new).await.unwrap(), Submission::New(1));
    let expected = Job {
        id,
        sequence: 1,
        procedure: "stats/mean".into(),
        file: "lab/stats.wasm".into(),
        digest: "d1".into(),
        state: State::Queued,
        priority: Priority::new(7).unwrap(),
        attempts: 0,
        failures: 0,
        crashes: 0,
        max_attempts: 3,
        is_pinned: false,
        backoff: Duration::from_millis(1500),
        is_repeatable: false,
        suggested_wait: 7,
        submitted: at(1_700_000_000),
        started: None,
        ended: None,
        kept_for: None,
        not_before: None,
        cancel_requested: false,
        progress: None,
        receipt: Receipt::default(),
        error: None,
    };
    assert_eq!(found(&store, id).await, expected);
    drop(store);
    assert_eq!(found(&open(directory.path()), id).await, expected);
}

#[tokio::test]
async fn a_job_may_be_stored_as_begun() {
    let (store, _directory) = fresh();
    let new = NewJob { begun: Some(at(9)), ..job() };
    let (id, expected) = (new.id, new.record(1));
    assert_eq!(store.submit(new).await.unwrap(), Submission::New(1));
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts, job.started), (State::Running, 1, Some(at(9))));
    assert_eq!(job, expected);
    assert_eq!(store.claim(id, version("d2"), at(10)).await.unwrap(), None, "it has begun");
    assert!(finish(&store, id, ending(State::Succeeded)).await.unwrap());
}

#[tokio::test]
async fn a_claim_begins_an_attempt_once() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    let claimed = store.claim(id, version("d2"), at(5)).await.unwrap().unwrap();
    assert_eq!((claimed.attempt, &*claimed.arguments), (1, &b"arguments"[..]));
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts), (State::Running, 1));
    assert_eq!((&*job.digest, job.started), ("d2", Some(at(5))));
    assert_eq!(store.claim(id, version("d3"), at(6)).await.unwrap(), None);
    assert_eq!(found(&store, id).await, job);
    assert_eq!(store.claim(JobId::random(), version("d2"), at(5)).await.unwrap(), None);
}

/// An ending with something in every part.
fn full(state: State) -> Ending {
    Ending {
        receipt: Receipt {
            fuel: u64::MAX,
            peak_memory: 65_536,
            instantiate: Duration::from_nanos(1),
            run: Duration::from_secs(3),
        },
        progress: Some(Progress {
            done: 0.1,
            total: Some(f64::INFINITY),
            message: Some("ü\0".into()),
        }),
        logs: Logs {
            stdout: "out\0put".into(),
            stderr: "error".into(),
            lines: vec![LogLine {
                number: 7,
                time: at(3),
                level: Level::Warn,
                message: "slow".into(),
            }],
        },
        ..ending(state)
    }
}

fn error() -> CallError {
    CallError {
        backtrace: Some("f1\nf2".into()),
        ..CallError::new(Kind::ProcedureError, "no such sample").retry_after(3)
    }
    .with_value(Value::List(vec![Value::Float(0.5), Value::text("x")]))
}

#[tokio::test]
async fn a_success_keeps_everything() {
    let (store, directory) = fresh();
    let id = submit(&store).await;
    store.claim(id, version("d2"), at(5)).await.unwrap();
    assert_eq!(store.logs(id).await.unwrap(), None);
    assert!(finish(&store, id, full(State::Succeeded)).await.unwrap());
    drop(store);
    let store = open(directory.path());
    let (job, given) = (found(&store, id).await, full(State::Succeeded));
    assert_eq!((job.state, job.error), (State::Succeeded, None));
    assert_eq!((job.ended, job.kept_for), (Some(given.ended), Some(DAY)));
    assert_eq!((job.receipt, job.progress), (given.receipt, given.progress));
    assert_eq!(store.result(id).await.unwrap().as_deref(), Some(&b"result"[..]));
    assert_eq!(store.logs(id).await.unwrap(), Some(given.logs));
}

#[tokio::test]
async fn a_failure_keeps_its_error_and_no_result() {
    let (store, _directory) = fresh();
    for state in [State::Failed, State::Cancelled, State::TimedOut, State::Interrupted] {
        let id = submit(&store).await;
        store.claim(id, version("d2"), at(5)).await.unwrap();
        let ending =
            Ending { error: Some(error()), result: Some(b"no".as_slice().into()), ..ending(state) };
        assert!(finish(&store, id, ending).await.unwrap());
        let job = found(&store, id).await;
        assert_eq!((job.state, job.error), (state, Some(error())));
        assert_eq!(store.result(id).await.unwrap(), None);
        assert_eq!(store.logs(id).await.unwrap(), Some(Logs::default()));
    }
}

#[tokio::test]
async fn the_first_end_stands() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    assert!(finish(&store, id, full(State::Cancelled)).await.unwrap(), "it need not have begun");
    let (job, logs) = (found(&store, id).await, store.logs(id).await.unwrap());
    for state in State::ALL {
        let ending = Ending { error: Some(error()), ..ending(state) };
        assert!(!finish(&store, id, ending).await.unwrap());
    }
    assert_eq!(store.claim(id, version("d2"), at(5)).await.unwrap(), None);
    assert_eq!(found(&store, id).await, job);
    assert_eq!(store.logs(id).await.unwrap(), logs);
    assert_eq!(store.result(id).await.unwrap(), None);
    assert!(!finish(&store, JobId::random(), ending(State::Failed)).await.unwrap());
}

#[tokio::test]
async fn another_attempt_has_the_same_arguments() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    store.claim(id, version("d2"), at(5)).await.unwrap();
    let again = Ending { not_before: Some(at(50)), error: Some(error()), ..full(State::Queued) };
    assert!(finish(&store, id, again).await.unwrap());
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts, job.not_before), (State::Queued, 1, Some(at(50))));
    assert_eq!((job.ended, job.kept_for, job.error), (None, None, Some(error())));
    assert_eq!(store.logs(id).await.unwrap(), Some(full(State::Queued).logs));

    let claimed = store.claim(id, version("d3"), at(60)).await.unwrap();
    assert_eq!(claimed.map(|claim| claim.arguments).as_deref(), Some(&b"arguments"[..]));
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts, job.not_before), (State::Running, 2, None));
    assert_eq!((job.error, job.progress, job.receipt), (None, None, Receipt::default()));
    assert!(finish(&store, id, ending(State::Succeeded)).await.unwrap());
    assert_eq!(store.logs(id).await.unwrap(), Some(Logs::default()), "the last attempt's");
}

#[tokio::test]
async fn only_the_attempt_that_runs_can_be_ended() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    let first = store.claim(id, version("d2"), at(5)).await.unwrap().unwrap();
    let again = Ending { fault: Fault::Attempt, ..ending(State::Queued) };
    assert!(!store.finish(id, Fence::Queued, again.clone()).await.unwrap(), "it runs");
    assert!(store.finish(id, Fence::Attempt(first.attempt), again).await.unwrap());
    let second = store.claim(id, version("d2"), at(6)).await.unwrap().unwrap();
    assert_ne!(first.attempt, second.attempt);
    let late = ending(State::Succeeded);
    assert!(!store.finish(id, Fence::Attempt(first.attempt), late.clone()).await.unwrap());
    assert!(!store.note(id, first.attempt, None, Logs::default()).await.unwrap());
    assert_eq!(found(&store, id).await.state, State::Running);
    assert!(store.finish(id, Fence::Attempt(second.attempt), late).await.unwrap());
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts, job.failures, job.crashes), (State::Succeeded, 2, 1, 0));
}

#[tokio::test]
async fn what_an_attempt_has_told_is_kept_before_its_end() {
    let (store, directory) = fresh();
    let id = submit(&store).await;
    let attempt = store.claim(id, version("d2"), at(5)).await.unwrap().unwrap().attempt;
    let told = full(State::Succeeded);
    assert!(store.note(id, attempt, told.progress.clone(), told.logs.clone()).await.unwrap());
    drop(store);
    let store = open(directory.path());
    assert_eq!(found(&store, id).await.progress, told.progress);
    assert_eq!(store.logs(id).await.unwrap(), Some(told.logs));
}

#[tokio::test]
async fn the_version_that_runs_is_recorded_with_file_and_digest() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    let moved = Version { file: "new.wasm".into(), ..version("d9") };
    store.claim(id, moved, at(5)).await.unwrap().unwrap();
    let job = found(&store, id).await;
    assert_eq!((&*job.file, &*job.digest), ("new.wasm", "d9"));
}

#[tokio::test]
async fn what_is_removed_is_gone_and_only_once_it_has_ended() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    assert!(!store.remove(id).await.unwrap(), "it is queued");
    finish(&store, id, full(State::Succeeded)).await.unwrap();
    assert!(store.remove(id).await.unwrap());
    assert_eq!(store.get(id).await.unwrap(), Lookup::Gone);
    assert_eq!(store.result(id).await.unwrap(), None);
    assert!(!store.remove(id).await.unwrap());
    assert!(!store.remove(JobId::random()).await.unwrap());
    let next = job();
    assert_eq!(store.submit(next).await.unwrap(), Submission::New(2), "no place is given twice");
}

#[tokio::test]
async fn a_wish_to_stop_is_noted_until_the_end() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    assert!(store.ask_to_stop(id).await.unwrap());
    assert!(found(&store, id).await.cancel_requested);
    store.claim(id, version("d2"), at(5)).await.unwrap();
    assert!(store.ask_to_stop(id).await.unwrap());
    finish(&store, id, ending(State::Cancelled)).await.unwrap();
    assert!(!store.ask_to_stop(id).await.unwrap());
    assert!(!store.ask_to_stop(JobId::random()).await.unwrap());
}

#[tokio::test]
async fn what_never_was_is_unknown() {
    let (store, _directory) = fresh();
    let id = JobId::random();
    assert_eq!(store.get(id).await.unwrap(), Lookup::Unknown);
    assert_eq!(store.result(id).await.unwrap(), None);
    assert_eq!(store.logs(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_handle_is_given_once() {
    let (store, _directory) = fresh();
    let first = job();
    let second = NewJob { arguments: b"others".to_vec(), ..first.clone() };
    let id = first.id;
    assert_eq!(store.submit(first).await.unwrap(), Submission::New(1));
    assert!(store.submit(second).await.is_err());
    let claimed = store.claim(id, version("d2"), at(5)).await.unwrap();
    assert_eq!(claimed.map(|claim| claim.arguments).as_deref(), Some(&b"arguments"[..]));
}
