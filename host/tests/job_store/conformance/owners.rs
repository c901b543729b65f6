//! Whose a job is, for as long as it is known that there was one.

use std::sync::Arc;

use tarp_host::jobs::model::{JobState, NewJob};
use tarp_host::jobs::store::{Filter, JobStore, Lookup};

use super::{fresh, open};
use crate::common::{completion, finish, found, job, submit};

fn of(owner: &str, procedure: &str) -> NewJob {
    NewJob { owner: Some(owner.into()), procedure: procedure.into(), ..job() }
}

#[tokio::test]
async fn jobs_are_listed_and_counted_by_owner() {
    let (store, directory) = fresh();
    submit(&store).await;
    let new = [of("a", "p"), of("b", "p"), of("a", "q"), of("a", "p")];
    let ids = new.clone().map(|job| job.id);
    for job in new {
        store.submit(job).await.unwrap();
    }
    finish(&store, ids[3], completion(JobState::Failed)).await.unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(found(&store, ids[1]).await.owner.as_deref(), Some("b"));
    let states = |states: &[JobState]| states.to_vec();
    for (owner, procedure, states, expected) in [
        (Some("a"), None, states(&[]), vec![ids[3], ids[2], ids[0]]),
        (Some("a"), Some("p"), states(&[]), vec![ids[3], ids[0]]),
        (Some("a"), None, states(&[JobState::Queued]), vec![ids[2], ids[0]]),
        (Some("b"), None, states(&[]), vec![ids[1]]),
        (Some("c"), None, states(&[]), vec![]),
        (None, Some("q"), states(&[]), vec![ids[2]]),
    ] {
        let filter = Filter {
            states,
            procedure: procedure.map(str::to_owned),
            owner: owner.map(Arc::from),
            since: None,
            until: None,
            before: None,
            limit: 100,
        };
        let jobs = store.list(&filter).await.unwrap().jobs;
        let listed: Vec<_> = jobs.iter().map(|job| job.id).collect();
        assert_eq!(listed, expected, "{filter:?}");
        if filter.states.is_empty() {
            let counts = store.counts(procedure, owner).await.unwrap();
            assert_eq!(counts.iter().sum::<u64>(), expected.len() as u64, "{filter:?}");
        }
    }
    assert_eq!(store.counts(None, None).await.unwrap().iter().sum::<u64>(), 5);
}

#[tokio::test]
async fn it_is_remembered_whose_a_job_was() {
    let (store, _directory) = fresh();
    let (owned, id) = (of("a", "p"), submit(&store).await);
    let owned_id = owned.id;
    store.submit(owned).await.unwrap();
    for id in [owned_id, id] {
        finish(&store, id, completion(JobState::Succeeded)).await.unwrap();
        assert!(store.remove(id).await.unwrap());
    }
    let gone = |owner: Option<&str>| Lookup::Gone { owner: owner.map(Arc::from) };
    assert_eq!(store.get(owned_id).await.unwrap(), gone(Some("a")));
    assert_eq!(store.get(id).await.unwrap(), gone(None));
}
