//! Which jobs a listing shows, in which order, and how its pages fit together.

use std::collections::BTreeMap;

use tarp_host::jobs::model::{Completion, JobState, NewJob};
use tarp_host::jobs::store::{Filter, JobStore};

use super::{Store, fresh};
use crate::common::{at, claim, completion, finish, job, version};

const ALL: Filter = Filter {
    states: vec![],
    procedure: None,
    owner: None,
    since: None,
    until: None,
    before: None,
    limit: 100,
};

/// 21 jobs, numbers 1 to 21: number n is in state n % 7, of procedure p0, p1 or p2, and submitted at
/// second 100 - n, for a clock may go backwards.
async fn store() -> (Store, tempfile::TempDir) {
    let (store, directory) = fresh();
    for n in 1..=21 {
        let procedure = format!("p{}", n % 3).into();
        let new = NewJob { procedure, submitted: at(100 - n), ..job() };
        let id = new.id;
        store.submit(new).await.unwrap();
        match JobState::ALL[n as usize % 7] {
            JobState::Queued => {}
            JobState::Running => drop(claim(&store, id, version("d"), at(1)).await.unwrap()),
            state => drop(finish(&store, id, completion(state)).await.unwrap()),
        }
    }
    (store, directory)
}

async fn numbers(store: &Store, filter: &Filter) -> Vec<u64> {
    let page = store.list(filter).await.unwrap();
    assert_eq!(page.next, None);
    page.jobs.iter().map(|job| job.sequence).collect()
}

fn those(only: impl Fn(u64) -> bool) -> Vec<u64> {
    (1..=21).rev().filter(|n| only(*n)).collect()
}

#[tokio::test]
async fn every_filter_lets_through_what_it_says() {
    let (store, _directory) = store().await;
    let both = vec![JobState::Running, JobState::Queued, JobState::Running];
    let cases: BTreeMap<&str, (Filter, Vec<u64>)> = [
        ("all", ALL, those(|_| true)),
        ("a state", Filter { states: vec![JobState::Failed], ..ALL }, those(|n| n % 7 == 3)),
        ("states", Filter { states: both.clone(), ..ALL }, those(|n| n % 7 <= 1)),
        ("every state", Filter { states: JobState::ALL.into(), ..ALL }, those(|_| true)),
        ("a procedure", Filter { procedure: Some("p1".into()), ..ALL }, those(|n| n % 3 == 1)),
        ("no procedure", Filter { procedure: Some("p".into()), ..ALL }, vec![]),
        ("an owner without jobs", Filter { owner: Some("o".into()), ..ALL }, vec![]),
        ("since", Filter { since: Some(at(90)), ..ALL }, those(|n| n <= 10)),
        ("until", Filter { until: Some(at(90)), ..ALL }, those(|n| n > 10)),
        ("before", Filter { before: Some(5), ..ALL }, those(|n| n < 5)),
        ("before all", Filter { before: Some(u64::MAX), ..ALL }, those(|_| true)),
        ("none", Filter { limit: usize::MAX, before: Some(1), ..ALL }, vec![]),
        (
            "everything at once",
            Filter {
                states: both,
                procedure: Some("p1".into()),
                owner: None,
                since: Some(at(80)),
                until: Some(at(98)),
                before: Some(20),
                limit: 3,
            },
            those(|n| n % 7 <= 1 && n % 3 == 1 && n > 2 && n < 20),
        ),
    ]
    .map(|(name, filter, expected)| (name, (filter, expected)))
    .into();
    for (name, (filter, expected)) in cases {
        assert_eq!(numbers(&store, &filter).await, expected, "{name}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let (store, _directory) = store().await;
    for limit in [1, 2, 7, 20, 21, 22] {
        for states in [vec![], vec![JobState::Queued, JobState::Failed, JobState::TimedOut]] {
            let mut filter = Filter { limit, states, ..ALL };
            let whole = numbers(&store, &Filter { limit: 100, ..filter.clone() }).await;
            let mut seen = Vec::new();
            loop {
                let page = store.list(&filter).await.unwrap();
                assert!(page.jobs.len() <= limit);
                seen.extend(page.jobs.iter().map(|job| job.sequence));
                filter.before = page.next;
                if page.next.is_none() {
                    break;
                }
                assert_eq!(page.next, seen.last().copied());
            }
            assert_eq!(seen, whole, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn the_unfinished_come_oldest_first() {
    let (store, _directory) = store().await;
    let jobs = store.unfinished().await.unwrap();
    let numbers: Vec<_> = jobs.iter().map(|job| job.sequence).collect();
    assert_eq!(numbers, [1, 7, 8, 14, 15, 21]);
    for job in jobs {
        assert_eq!(
            job.state,
            if job.sequence % 7 == 0 { JobState::Queued } else { JobState::Running }
        );
    }
}

#[tokio::test]
async fn a_listing_tells_why_jobs_failed() {
    use tarp_host::error::{CallError, ErrorKind};
    let (store, _directory) = fresh();
    for n in 0..3 {
        let new = job();
        let id = new.id;
        store.submit(new).await.unwrap();
        let error = (n == 1).then(|| CallError::new(ErrorKind::OutOfFuel, "too much"));
        finish(&store, id, Completion { error, ..completion(JobState::Failed) }).await.unwrap();
    }
    let jobs = store.list(&ALL).await.unwrap().jobs;
    let kinds: Vec<_> = jobs.iter().map(|job| job.error.as_ref().map(|e| e.kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::OutOfFuel), None]);
}
