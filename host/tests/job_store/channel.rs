//! Channels by which jobs are followed and asked to stop. What every one of them does is tried with the one
//! within a process.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tarp_host::jobs::live::{LiveChannel, MAX_EVENTS};
use tarp_host::jobs::model::{JobId, JobState, LogLine};
use tarp_host::jobs::{Event, EventKind, Follower, LocalChannel};
use tarp_host::sandbox::{Level, Progress};

fn channels() -> [Arc<dyn LiveChannel>; 1] {
    [Arc::new(LocalChannel::default())]
}

fn progress(done: f64) -> EventKind {
    EventKind::Progress(Progress { done, total: None, message: None })
}

fn log(message: &str) -> EventKind {
    let (time, message) = (SystemTime::UNIX_EPOCH, message.to_owned());
    EventKind::Log(LogLine { number: 0, time, level: Level::Info, message })
}

fn state(state: JobState) -> EventKind {
    EventKind::State(state)
}

async fn rest(follower: Option<Follower>) -> Vec<Event> {
    let mut follower = follower.expect("an open channel");
    let mut events = Vec::new();
    while let Some(event) = follower.next().await {
        events.push(event);
    }
    events
}

#[tokio::test]
async fn whoever_follows_is_told_everything_in_its_order_until_the_end() {
    for channel in channels() {
        let id = JobId::random();
        assert!(channel.follow(id, 0).is_none(), "it is not open");
        let publisher = channel.open(id);
        let follower = channel.follow(id, 0);
        let following = tokio::spawn(rest(follower));
        let mut numbers = Vec::new();
        for kind in [state(JobState::Running), log("a"), log("b"), state(JobState::Succeeded)] {
            tokio::task::yield_now().await;
            numbers.push(publisher.publish(kind));
        }
        let told = following.await.unwrap();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert_eq!(told.iter().map(|event| event.number).collect::<Vec<_>>(), numbers);
        let EventKind::Log(line) = &told[1].kind else { panic!("{told:?}") };
        assert_eq!((line.number, &*line.message), (numbers[1], "a"));
        assert_eq!(told[3].kind, state(JobState::Succeeded));
        assert!(channel.follow(id, 0).is_none(), "it is over");
    }
}

#[tokio::test]
async fn whoever_was_away_catches_up_from_what_was_seen() {
    for channel in channels() {
        let id = JobId::random();
        let publisher = channel.open(id);
        let first = publisher.publish(log("a"));
        publisher.publish(log("b"));
        assert_eq!(publisher.newest(), first + 1);
        let [all, later, none] = [0, first, u64::MAX].map(|seen| channel.follow(id, seen));
        publisher.publish(state(JobState::Cancelled));
        assert_eq!(rest(all).await.len(), 3);
        assert_eq!(rest(later).await.len(), 2);
        assert_eq!(rest(none).await.len(), 0);
    }
}

/// A job may log without end, and nobody need listen.
#[tokio::test]
async fn what_is_kept_for_followers_is_bounded() {
    for channel in channels() {
        let id = JobId::random();
        let publisher = channel.open(id);
        for n in 0..3 * MAX_EVENTS {
            publisher.publish(log(&n.to_string()));
        }
        for n in 0..5000 {
            publisher.publish(progress(f64::from(n)));
        }
        let follower = channel.follow(id, 0);
        publisher.publish(state(JobState::Failed));
        let told = rest(follower).await;
        assert_eq!(told.len(), MAX_EVENTS);
        assert_eq!(
            told[MAX_EVENTS - 2].kind,
            progress(4999.0),
            "of progress only the newest counts"
        );
    }
}

#[tokio::test]
async fn a_wish_to_stop_reaches_whoever_has_the_job_and_nobody_else() {
    for channel in channels() {
        let [id, other] = [JobId::random(), JobId::random()];
        let [publisher, others] = [id, other].map(|id| channel.open(id));
        let mut stopped = Box::pin(publisher.stop().cancelled());
        assert!(tokio::time::timeout(Duration::from_millis(10), &mut stopped).await.is_err());
        channel.ask_to_stop(id);
        stopped.await;
        assert!(publisher.stop().is_cancelled() && !others.stop().is_cancelled());
        channel.ask_to_stop(JobId::random());
    }
}

#[tokio::test]
async fn a_channel_ends_with_whoever_had_the_job() {
    for channel in channels() {
        let id = JobId::random();
        let publisher = channel.open(id);
        publisher.publish(log("a"));
        let follower = channel.follow(id, 0);
        drop(publisher);
        assert_eq!(rest(follower).await.len(), 1);
        assert!(channel.follow(id, 0).is_none());
    }
}

#[tokio::test]
async fn it_is_told_that_something_happens_to_some_job() {
    for channel in channels() {
        let mut changes = channel.changes();
        assert!(!changes.has_changed().unwrap());
        let publisher = channel.open(JobId::random());
        publisher.publish(log("a"));
        changes.changed().await.unwrap();
        assert!(!changes.has_changed().unwrap());
        channel.note();
        assert!(changes.has_changed().unwrap());
    }
}
