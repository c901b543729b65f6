//! What each method does, and that it is still so when the store is opened again.

use std::time::Duration;

use tarp_host::error::{CallError, ErrorKind};
use tarp_host::jobs::model::{
    Attempt, Completion, FailureCause, Job, JobId, JobState, LogLine, Logs, NewJob, Priority,
    Version,
};
use tarp_host::jobs::store::{Fence, JobStore, Lookup, Submission};
use tarp_host::sandbox::{Level, Progress, Receipt};
use tarp_host::value::Value;

use super::{fresh, open};
use crate::common::{DAY, at, claim, completion, finish, found, job, labels, submit, version};

#[tokio::test]
async fn a_job_is_stored_as_it_was_submitted() {
    let (store, directory) = fresh();
    let peer = Some("10.0.0.1".into());
    let priority = Priority::new(7).unwrap();
    let requires = labels(&["gpu", "large"]);
    let new = NewJob { priority, is_repeatable: false, peer, requires: requires.clone(), ..job() };
    let id = new.id;
    assert_eq!(store.submit(new).await.unwrap(), Submission::New(1));
    let expected = Job {
        id,
        sequence: 1,
        procedure: "stats/mean".into(),
        file: "lab/stats.wasm".into(),
        digest: "d1".into(),
        state: JobState::Queued,
        priority: Priority::new(7).unwrap(),
        attempts: 0,
        failures: 0,
        crashes: 0,
        max_attempts: 3,
        is_pinned: false,
        owner: None,
        peer: Some("10.0.0.1".into()),
        requires: requires.clone(),
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
    assert_eq!((job.state, job.attempts, job.started), (JobState::Running, 1, Some(at(9))));
    assert_eq!(job, expected);
    assert_eq!(claim(&store, id, version("d2"), at(10)).await.unwrap(), None, "it has begun");
    assert!(finish(&store, id, completion(JobState::Succeeded)).await.unwrap());
}

#[tokio::test]
async fn a_claim_begins_an_attempt_once() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    let claimed = claim(&store, id, version("d2"), at(5)).await.unwrap().unwrap();
    assert_eq!((claimed.attempt, &*claimed.arguments), (1, &b"arguments"[..]));
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts), (JobState::Running, 1));
    assert_eq!((&*job.digest, job.started), ("d2", Some(at(5))));
    assert_eq!(claim(&store, id, version("d3"), at(6)).await.unwrap(), None);
    assert_eq!(found(&store, id).await, job);
    assert_eq!(claim(&store, JobId::random(), version("d2"), at(5)).await.unwrap(), None);
}

#[tokio::test]
async fn an_attempt_is_claimed_only_as_the_next_one_and_the_same_one_again() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    let attempt = |number| Attempt { number, version: version("d2"), started: at(5) };
    assert!(!store.claim(id, attempt(2)).await.unwrap(), "there was none before it");
    assert!(store.claim(id, attempt(1)).await.unwrap());
    let job = found(&store, id).await;
    // As whoever asks again that was not answered.
    assert!(store.claim(id, attempt(1)).await.unwrap());
    assert_eq!(found(&store, id).await, job);
}

#[tokio::test]
async fn an_attempt_that_was_not_claimed_is_recorded_with_its_end() {
    let (store, directory) = fresh();
    let id = submit(&store).await;
    let attempt = |number, digest| Attempt { number, version: version(digest), started: at(5) };
    let end = |number, digest, state| Completion {
        attempt: Some(attempt(number, digest)),
        fault: FailureCause::Attempt,
        ..full(state)
    };
    let first = end(1, "d2", JobState::Queued);
    assert!(store.finish(id, Fence::Attempt(1), first.clone()).await.unwrap());
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts, job.failures), (JobState::Queued, 1, 1));
    assert_eq!((&*job.digest, job.started), ("d2", Some(at(5))));
    assert!(!store.finish(id, Fence::Attempt(1), first).await.unwrap(), "the first end stands");
    // One that was claimed, but whose claim nobody waited for.
    assert!(store.claim(id, attempt(2, "d3")).await.unwrap());
    let last = end(2, "d3", JobState::Succeeded);
    assert!(store.finish(id, Fence::Attempt(2), last.clone()).await.unwrap());
    assert!(!store.finish(id, Fence::Attempt(2), last).await.unwrap());
    assert!(!store.claim(id, attempt(2, "d3")).await.unwrap(), "it has ended");
    drop(store);
    let job = found(&open(directory.path()), id).await;
    assert_eq!((job.state, job.attempts, job.failures), (JobState::Succeeded, 2, 2));
    assert_eq!((&*job.digest, job.error), ("d3", None));
}

/// A completion with something in every part.
fn full(state: JobState) -> Completion {
    Completion {
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
        ..completion(state)
    }
}

fn error() -> CallError {
    CallError {
        backtrace: Some("f1\nf2".into()),
        ..CallError::new(ErrorKind::ProcedureError, "no such sample").retry_after(3)
    }
    .with_value(Value::List(vec![Value::Float(0.5), Value::text("x")]))
}

#[tokio::test]
async fn a_success_keeps_everything() {
    let (store, directory) = fresh();
    let id = submit(&store).await;
    claim(&store, id, version("d2"), at(5)).await.unwrap();
    assert_eq!(store.logs(id).await.unwrap(), None);
    assert!(finish(&store, id, full(JobState::Succeeded)).await.unwrap());
    drop(store);
    let store = open(directory.path());
    let (job, given) = (found(&store, id).await, full(JobState::Succeeded));
    assert_eq!((job.state, job.error), (JobState::Succeeded, None));
    assert_eq!((job.ended, job.kept_for), (Some(given.ended), Some(DAY)));
    assert_eq!((job.receipt, job.progress), (given.receipt, given.progress));
    assert_eq!(store.result(id).await.unwrap().as_deref(), Some(&b"result"[..]));
    assert_eq!(store.logs(id).await.unwrap(), Some(given.logs));
}

#[tokio::test]
async fn a_failure_keeps_its_error_and_no_result() {
    let (store, _directory) = fresh();
    for state in [JobState::Failed, JobState::Cancelled, JobState::TimedOut, JobState::Interrupted]
    {
        let id = submit(&store).await;
        claim(&store, id, version("d2"), at(5)).await.unwrap();
        let completion = Completion {
            error: Some(error()),
            result: Some(b"no".as_slice().into()),
            ..completion(state)
        };
        assert!(finish(&store, id, completion).await.unwrap());
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
    assert!(finish(&store, id, full(JobState::Cancelled)).await.unwrap(), "it need not have begun");
    let (job, logs) = (found(&store, id).await, store.logs(id).await.unwrap());
    for state in JobState::ALL {
        let completion = Completion { error: Some(error()), ..completion(state) };
        assert!(!finish(&store, id, completion).await.unwrap());
    }
    assert_eq!(claim(&store, id, version("d2"), at(5)).await.unwrap(), None);
    assert_eq!(found(&store, id).await, job);
    assert_eq!(store.logs(id).await.unwrap(), logs);
    assert_eq!(store.result(id).await.unwrap(), None);
    assert!(!finish(&store, JobId::random(), completion(JobState::Failed)).await.unwrap());
}

#[tokio::test]
async fn another_attempt_has_the_same_arguments() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    claim(&store, id, version("d2"), at(5)).await.unwrap();
    let again =
        Completion { not_before: Some(at(50)), error: Some(error()), ..full(JobState::Queued) };
    assert!(finish(&store, id, again).await.unwrap());
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts, job.not_before), (JobState::Queued, 1, Some(at(50))));
    assert_eq!((job.ended, job.kept_for, job.error), (None, None, Some(error())));
    assert_eq!(store.logs(id).await.unwrap(), Some(full(JobState::Queued).logs));

    let claimed = claim(&store, id, version("d3"), at(60)).await.unwrap();
    assert_eq!(claimed.map(|claim| claim.arguments).as_deref(), Some(&b"arguments"[..]));
    let job = found(&store, id).await;
    assert_eq!((job.state, job.attempts, job.not_before), (JobState::Running, 2, None));
    assert_eq!((job.error, job.progress, job.receipt), (None, None, Receipt::default()));
    assert!(finish(&store, id, completion(JobState::Succeeded)).await.unwrap());
    assert_eq!(store.logs(id).await.unwrap(), Some(Logs::default()), "the last attempt's");
}

#[tokio::test]
async fn only_the_attempt_that_runs_can_be_ended() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    let first = claim(&store, id, version("d2"), at(5)).await.unwrap().unwrap();
    let again = Completion { fault: FailureCause::Attempt, ..completion(JobState::Queued) };
    assert!(!store.finish(id, Fence::Queued, again.clone()).await.unwrap(), "it runs");
    assert!(store.finish(id, Fence::Attempt(first.attempt), again).await.unwrap());
    let second = claim(&store, id, version("d2"), at(6)).await.unwrap().unwrap();
    assert_ne!(first.attempt, second.attempt);
    let late = completion(JobState::Succeeded);
    assert!(!store.finish(id, Fence::Attempt(first.attempt), late.clone()).await.unwrap());
    assert!(!store.note(id, first.attempt, None, Logs::default()).await.unwrap());
    assert_eq!(found(&store, id).await.state, JobState::Running);
    assert!(store.finish(id, Fence::Attempt(second.attempt), late).await.unwrap());
    let job = found(&store, id).await;
    assert_eq!(
        (job.state, job.attempts, job.failures, job.crashes),
        (JobState::Succeeded, 2, 1, 0)
    );
}

#[tokio::test]
async fn what_an_attempt_has_told_is_kept_before_its_end() {
    let (store, directory) = fresh();
    let id = submit(&store).await;
    let attempt = claim(&store, id, version("d2"), at(5)).await.unwrap().unwrap().attempt;
    let told = full(JobState::Succeeded);
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
    claim(&store, id, moved, at(5)).await.unwrap().unwrap();
    let job = found(&store, id).await;
    assert_eq!((&*job.file, &*job.digest), ("new.wasm", "d9"));
}

#[tokio::test]
async fn what_is_removed_is_gone_and_only_once_it_has_ended() {
    let (store, _directory) = fresh();
    let id = submit(&store).await;
    assert!(!store.remove(id).await.unwrap(), "it is queued");
    finish(&store, id, full(JobState::Succeeded)).await.unwrap();
    assert!(store.remove(id).await.unwrap());
    assert_eq!(store.get(id).await.unwrap(), Lookup::Gone { owner: None });
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
    claim(&store, id, version("d2"), at(5)).await.unwrap();
    assert!(store.ask_to_stop(id).await.unwrap());
    finish(&store, id, completion(JobState::Cancelled)).await.unwrap();
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
    let claimed = claim(&store, id, version("d2"), at(5)).await.unwrap();
    assert_eq!(claimed.map(|claim| claim.arguments).as_deref(), Some(&b"arguments"[..]));
}
