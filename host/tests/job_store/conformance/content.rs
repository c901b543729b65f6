//! Handles, and what is stored: large, and at the ends of what can be told.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use tarp_host::jobs::model::{Completion, JobId, JobState, LogLine, Logs, NewJob};
use tarp_host::jobs::store::JobStore;
use tarp_host::sandbox::Level;

use super::fresh;
use crate::common::{at, claim, completion, finish, found, job, version};

/// Those that are made at the same time differ in what nobody can guess.
#[test]
fn handles_are_random_and_come_in_order() {
    let ids: Vec<JobId> = (0..1000).map(|_| JobId::random()).collect();
    let random: BTreeSet<_> = ids.iter().map(|id| &id.as_bytes()[9..]).collect();
    assert_eq!(random.len(), ids.len());
    let times: Vec<_> = ids.iter().map(|id| &id.as_bytes()[..6]).collect();
    assert!(times.is_sorted(), "the clock was set back, or the time is not in front");
    for id in ids {
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(JobId::from_bytes(*id.as_bytes()), id);
    }
}

#[tokio::test]
async fn large_arguments_and_results_come_back() {
    let (store, _directory) = fresh();
    let large: Vec<u8> = (0..8_000_000u32).map(|n| (n % 251) as u8).collect();
    let new = NewJob { arguments: large.clone(), ..job() };
    let id = new.id;
    store.submit(new).await.unwrap();
    assert!(
        claim(&store, id, version("d2"), at(5))
            .await
            .unwrap()
            .is_some_and(|claim| claim.arguments == large)
    );
    let completion =
        Completion { result: Some(large.clone().into()), ..completion(JobState::Succeeded) };
    finish(&store, id, completion).await.unwrap();
    assert!(store.result(id).await.unwrap() == Some(large));
}

#[tokio::test]
async fn times_before_1970_are_times() {
    let (store, _directory) = fresh();
    let early = UNIX_EPOCH - Duration::new(1_000_000, 1);
    let new = NewJob { submitted: early, ..job() };
    let id = new.id;
    store.submit(new).await.unwrap();
    let logs = Logs {
        lines: vec![LogLine {
            number: 1,
            time: early,
            level: Level::Info,
            message: "early".into(),
        }],
        ..Logs::default()
    };
    let completion =
        Completion { ended: early, logs: logs.clone(), ..completion(JobState::Failed) };
    finish(&store, id, completion).await.unwrap();
    let job = found(&store, id).await;
    assert_eq!((job.submitted, job.ended), (early, Some(early)));
    assert_eq!(store.logs(id).await.unwrap(), Some(logs));
}
