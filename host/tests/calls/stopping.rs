//! A job is asked to stop at the moments when it is easily overlooked: after it is stored, and before its
//! submitter or a runner has gone on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tarp_host::codec::types::Arguments;
use tarp_host::config::JobsConfig;
use tarp_host::error::ErrorKind;
use tarp_host::jobs::SubmitOptions;
use tarp_host::jobs::model::JobState;
use tarp_host::jobs::store::{JobStore, SqliteStore};
use tokio::sync::Semaphore;

use crate::host::Host;
use crate::store::Altered;

#[tokio::test(flavor = "multi_thread")]
async fn between_its_commit_and_the_reply_to_its_submitter() {
    let host = Host::start().await;
    // Before the store offers it, and after.
    for (offers_late, at_once) in [(true, JobState::Queued), (false, JobState::Cancelled)] {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Altered {
            answers: Semaphore::new(0),
            offers_late: AtomicBool::new(offers_late),
            ..Altered::new(SqliteStore::open(directory.path()).unwrap())
        });
        // Nothing runs: a job that is not ended by who cancels it stays queued.
        let jobs = host.jobs(Arc::clone(&store) as Arc<dyn JobStore>, JobsConfig::default());
        let procedure = host.procedure("spin");
        let submitting = tokio::spawn({
            let jobs = jobs.clone();
            let options = SubmitOptions::default();
            async move { jobs.submit(&procedure, Arguments::default(), options).await }
        });
        store.stored.acquire().await.unwrap().forget();
        let id = store.unfinished().await.unwrap()[0].id;
        let mut events = jobs.follow(id, 0).expect("it has not ended, and can be followed");
        assert_eq!(jobs.cancel(id).await.unwrap().job.state, at_once);
        store.offers_late.store(false, Ordering::Relaxed);
        store.answers.add_permits(1);
        assert_eq!(submitting.await.unwrap().unwrap().job.id, id);
        let ended = jobs.wait(id, Duration::from_secs(30)).await.unwrap();
        assert_eq!(ended.job.state, JobState::Cancelled);
        assert_eq!(ended.failure().unwrap().kind, ErrorKind::Cancelled);
        let mut told = 0;
        while events.next().await.is_some() {
            told += 1;
        }
        assert_eq!(told, 2, "it was queued, and then cancelled");
    }
}
