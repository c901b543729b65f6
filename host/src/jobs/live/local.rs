//! [`LocalChannel`]: for a host that runs all of its jobs itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use futures_util::stream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Event, EventKind, Follower, LiveChannel, MAX_EVENTS, Publisher};
use crate::jobs::model::JobId;

/// Carries events within a process.
#[derive(Default)]
pub struct LocalChannel(Arc<Shared>);

#[derive(Default)]
struct Shared {
    open: Mutex<HashMap<JobId, Arc<Channel>>>,
    changed: watch::Sender<()>,
}

/// Of one job.
struct Channel {
    events: Mutex<Events>,
    /// The number of the newest event.
    newest: watch::Sender<u64>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Events {
    kept: VecDeque<Event>,
    are_over: bool,
}

struct LocalPublisher {
    id: JobId,
    channel: Arc<Channel>,
    shared: Arc<Shared>,
}

impl LiveChannel for LocalChannel {
    fn open(&self, id: JobId) -> Arc<dyn Publisher> {
        let channel = Arc::new(Channel {
            events: Mutex::default(),
            newest: watch::Sender::new(first_number()),
            stop: CancellationToken::new(),
        });
        self.0.lock().insert(id, Arc::clone(&channel));
        Arc::new(LocalPublisher { id, channel, shared: Arc::clone(&self.0) })
    }

    fn follow(&self, id: JobId, seen: u64) -> Option<Follower> {
        let channel = self.0.get(id)?;
        let newest = channel.newest.subscribe();
        Some(Follower::new(id, stream::unfold((channel, newest, seen), next)))
    }

    fn ask_to_stop(&self, id: JobId) {
        if let Some(channel) = self.0.get(id) {
            channel.stop.cancel();
        }
    }

    fn note(&self) {
        self.0.changed.send_replace(());
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }
}

impl Shared {
    fn get(&self, id: JobId) -> Option<Arc<Channel>> {
        self.lock().get(&id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Channel>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publisher for LocalPublisher {
    fn publish(&self, mut kind: EventKind) -> u64 {
        if kind.is_last() {
            // Whoever comes now finds the end in the store.
            self.shared.lock().remove(&self.id);
        }
        let number = {
            // Under the lock, so that numbers are told in their order.
            let mut events = self.channel.lock();
            let number = self.newest() + 1;
            if let EventKind::Log(line) = &mut kind {
                line.number = number;
            }
            events.are_over |= kind.is_last();
            events.keep(Event { number, kind });
            self.channel.newest.send_replace(number);
            number
        };
        self.shared.changed.send_replace(());
        number
    }

    fn newest(&self) -> u64 {
        *self.channel.newest.borrow()
    }

    fn stop(&self) -> &CancellationToken {
        &self.channel.stop
    }
}

impl Drop for LocalPublisher {
    fn drop(&mut self) {
        let mut events = self.channel.lock();
        if !events.are_over {
            events.are_over = true;
            self.channel.newest.send_modify(|_| {});
            drop(events);
            self.shared.lock().remove(&self.id);
        }
    }
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    fn keep(&mut self, event: Event) {
        // Of progress only the newest counts.
        if let (EventKind::Progress(_), Some(EventKind::Progress(_))) =
            (&event.kind, self.kept.back().map(|last| &last.kind))
        {
            self.kept.pop_back();
        }
        if self.kept.len() == MAX_EVENTS {
            self.kept.pop_front();
        }
        self.kept.push_back(event);
    }
}

type Following = (Arc<Channel>, watch::Receiver<u64>, u64);

/// The event after the last one that was seen.
async fn next((channel, mut newest, seen): Following) -> Option<(Event, Following)> {
    loop {
        newest.borrow_and_update();
        {
            let events = channel.lock();
            let next = events.kept.partition_point(|event| event.number <= seen);
            if let Some(event) = events.kept.get(next) {
                let (event, number) = (event.clone(), event.number);
                drop(events);
                return Some((event, (channel, newest, number)));
            }
            if events.are_over {
                return None;
            }
        }
        // The sender lives as long as the channel, which we hold.
        newest.changed().await.ok()?;
    }
}

/// Higher than any number that an earlier host gave to an event, as long as no job had more than a
/// thousand events a millisecond and the clock has not gone back.
fn first_number() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or_default()
}
