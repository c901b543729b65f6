//! What is told of jobs until they end, and asked of them, between whoever has a job and whoever looks at
//! it: the trait [`LiveChannel`], and the one within a process, [`LocalChannel`].
//!
//! It keeps nothing: what must outlive a host is in the store.

mod local;

use std::sync::Arc;

use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::local::LocalChannel;
use super::model::{JobId, JobState, LogLine};
use crate::sandbox::Progress;

/// Events that a follower who was away can catch up with.
pub const MAX_EVENTS: usize = 1000;

/// Carries events of jobs to those who follow them, and requests to stop to those who run them.
pub trait LiveChannel: Send + Sync + 'static {
    /// Opens the channel of a job, for who has it. It is closed by the event of its end, or when what is
    /// given here is dropped.
    fn open(&self, id: JobId) -> Arc<dyn Publisher>;

    /// The events of a job from the one after `seen` on, as far as they are still at hand: the last
    /// [`MAX_EVENTS`], and of progress that nothing came after the newest. `None` where its channel is not open.
    fn follow(&self, id: JobId, seen: u64) -> Option<Follower>;

    /// Asks whoever has the job to stop it. Reaches nobody where its channel is not open; the store keeps
    /// the wish.
    fn ask_to_stop(&self, id: JobId);

    /// Something has changed that is no event of an open job.
    fn note(&self);

    /// Tells when something happens to some job.
    fn changes(&self) -> watch::Receiver<()>;
}

/// The end of a channel where the job is.
pub trait Publisher: Send + Sync {
    /// Tells all who follow, and gives the event's number: higher than all before, also those of earlier
    /// hosts. A line of the log gets it too.
    fn publish(&self, kind: EventKind) -> u64;

    /// The number of the newest event.
    fn newest(&self) -> u64;

    /// Is cancelled when somebody asks the job to stop.
    fn stop(&self) -> &CancellationToken;
}

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Counts up, also from one host to the next.
    pub number: u64,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// It entered another state.
    State(JobState),
    /// It said how far it has come.
    Progress(Progress),
    /// It logged something.
    Log(LogLine),
}

impl EventKind {
    /// Whether nothing comes after it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::State(state) if state.is_terminal())
    }
}

/// Follows a job's events.
pub struct Follower {
    id: JobId,
    events: BoxStream<'static, Event>,
}

impl Follower {
    /// Of this job, by its events in their order, which end with its channel.
    pub fn new(id: JobId, events: impl Stream<Item = Event> + Send + 'static) -> Self {
        Self { id, events: events.boxed() }
    }

    /// The job that is followed.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The next event; `None` after that of the end.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.next().await
    }

    /// Completes when the channel is closed.
    pub async fn closed(mut self) {
        while self.next().await.is_some() {}
    }
}
