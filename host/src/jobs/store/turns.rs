//! Whose turn it is, for a store that knows all jobs that wait: the most urgent first, among those the one
//! that was submitted first. What has waited for long counts as more urgent, so that everything has its
//! turn.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use super::turn::{Room, Turn};
use crate::budget::MemoryBudget;
use crate::config::Labels;
use crate::jobs::model::{JobId, Priority};

/// After so long in the queue a job counts as one level more urgent.
const AGEING: Duration = Duration::from_secs(5 * 60);

/// A clock that jumped counts for a day at the most: how long a job has waited, or is still to wait.
const MAX_JUMP: Duration = Duration::from_secs(24 * 60 * 60);

/// Jobs that wait for a runner.
pub(super) struct Turns {
    queue: Mutex<Queue>,
    room: Room,
    /// A job was offered.
    offered: Notify,
}

impl Turns {
    /// None yet. What they take is charged to the budget.
    pub(super) fn new(budget: &MemoryBudget) -> Self {
        Self { queue: Mutex::default(), room: Room::new(budget), offered: Notify::new() }
    }

    /// Offers a job, but not before that time.
    pub(super) fn offer(&self, mut turn: Turn, not_before: Option<SystemTime>) {
        self.room.charge(&mut turn);
        let not_before = not_before.map(|moment| {
            let wait = moment.duration_since(SystemTime::now()).unwrap_or_default();
            Instant::now() + wait.min(MAX_JUMP)
        });
        self.lock().push(turn, not_before);
        self.offered.notify_waiters();
    }

    /// The jobs whose turn it is, as soon as there is one, of those that need no more than these labels.
    pub(super) async fn next(&self, capacity: usize, labels: &Labels) -> Vec<Turn> {
        loop {
            let mut offered = std::pin::pin!(self.offered.notified());
            // What is offered from here on is not missed.
            offered.as_mut().enable();
            let (turns, delayed) = {
                let mut queue = self.lock();
                let turns: Vec<_> = std::iter::from_fn(|| queue.pop(Instant::now(), labels))
                    .take(capacity)
                    .collect();
                (turns, queue.next_delayed())
            };
            if !turns.is_empty() {
                return turns;
            }
            match delayed {
                None => offered.await,
                Some(moment) => drop(tokio::time::timeout_at(moment.into(), offered).await),
            }
        }
    }

    /// Takes a job out that waits.
    pub(super) fn take(&self, id: JobId) -> Option<Turn> {
        self.lock().remove(id)
    }

    /// How many are to go first, plus one.
    pub(super) fn position(&self, id: JobId) -> Option<usize> {
        self.lock().position(id)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Queue {
    /// By what they require. Owners of components name that, so that there are few.
    ready: HashMap<Labels, Ready>,
    /// Waiting for their next attempt.
    delayed: BTreeMap<(Instant, QueueKey), Entry>,
    keys: HashMap<JobId, Place>,
}

/// By urgency, the most urgent first; in each, the oldest first.
type Ready = [BTreeMap<u64, Entry>; 8];

/// Less is sooner.
type QueueKey = (Priority, u64);

struct Entry {
    turn: Box<Turn>,
    since: Instant,
}

/// Where a job waits.
struct Place {
    key: QueueKey,
    requires: Labels,
    /// Where it waits for a moment first.
    not_before: Option<Instant>,
}

impl Queue {
    fn push(&mut self, turn: Turn, not_before: Option<Instant>) {
        let since = waiting_since(turn.job.submitted);
        self.insert(Entry { turn: Box::new(turn), since }, not_before);
    }

    fn insert(&mut self, entry: Entry, not_before: Option<Instant>) {
        let job = &entry.turn.job;
        let (id, key, requires) = (job.id, (job.priority, job.sequence), job.requires.clone());
        self.keys.insert(id, Place { key, requires: requires.clone(), not_before });
        match not_before {
            Some(moment) => drop(self.delayed.insert((moment, key), entry)),
            None => {
                let level = &mut self.ready.entry(requires).or_default()[urgency(key)];
                level.insert(key.1, entry);
            }
        }
    }

    fn pop(&mut self, now: Instant, labels: &Labels) -> Option<Turn> {
        while let Some(entry) = self.delayed.first_entry()
            && entry.key().0 <= now
        {
            let (_, entry) = entry.remove_entry();
            self.insert(entry, None);
        }
        let for_these = self.ready.iter().filter(|(requires, _)| labels.cover(requires));
        let oldest = for_these.flat_map(|(requires, ready)| {
            ready.iter().enumerate().filter_map(move |(urgency, level)| {
                let (sequence, entry) = level.first_key_value()?;
                Some((due(urgency, entry), urgency, *sequence, requires))
            })
        });
        let (_, urgency, sequence, requires) =
            oldest.min_by_key(|(due, urgency, sequence, _)| (*due, *urgency, *sequence))?;
        let requires = requires.clone();
        let entry = self.take_ready(&requires, urgency, sequence)?;
        self.keys.remove(&entry.turn.job.id);
        Some(*entry.turn)
    }

    fn next_delayed(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((moment, _), _)| *moment)
    }

    fn remove(&mut self, id: JobId) -> Option<Turn> {
        let Place { key, requires, not_before } = self.keys.remove(&id)?;
        let entry = match not_before.and_then(|moment| self.delayed.remove(&(moment, key))) {
            Some(entry) => entry,
            // Its moment may have come.
            None => self.take_ready(&requires, urgency(key), key.1)?,
        };
        Some(*entry.turn)
    }

    fn take_ready(&mut self, requires: &Labels, urgency: usize, sequence: u64) -> Option<Entry> {
        let ready = self.ready.get_mut(requires)?;
        let entry = ready[urgency].remove(&sequence);
        if ready.iter().all(BTreeMap::is_empty) {
            self.ready.remove(requires);
        }
        entry
    }

    /// Takes the longer the more have come after it, so that it is quick for the newest.
    fn position(&self, id: JobId) -> Option<usize> {
        let Place { key, requires, not_before } = self.keys.get(&id)?;
        if let Some(moment) = not_before {
            let ready = self.ready.values().flatten().map(BTreeMap::len).sum::<usize>();
            return Some(ready + self.delayed.range(..(*moment, *key)).count() + 1);
        }
        let own = urgency(*key);
        let turn = due(own, self.ready.get(requires)?[own].get(&key.1)?);
        let before = self.ready.values().flat_map(|ready| {
            ready.iter().enumerate().map(|(urgency, level)| {
                let is_before = |entry: &Entry| (due(urgency, entry), urgency) < (turn, own);
                if urgency < own {
                    level.len() - level.values().rev().take_while(|e| !is_before(e)).count()
                } else if urgency == own {
                    level.len() - level.range(key.1..).count()
                } else {
                    level.values().take_while(|e| is_before(e)).count()
                }
            })
        });
        Some(before.sum::<usize>() + 1)
    }
}

fn urgency(key: QueueKey) -> usize {
    usize::from(key.0.urgency())
}

/// By when a job would be the most urgent of all if it waited for so long: the least goes first.
fn due(urgency: usize, entry: &Entry) -> Instant {
    entry.since + AGEING * u32::try_from(urgency).unwrap_or(0)
}

/// Since when a job waits that was submitted then.
fn waiting_since(submitted: SystemTime) -> Instant {
    let waited = SystemTime::now().duration_since(submitted).unwrap_or_default();
    let now = Instant::now();
    now.checked_sub(waited.min(MAX_JUMP)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::jobs::model::NewJob;

    fn id(n: u8) -> JobId {
        JobId::from_bytes([n; 16])
    }

    fn labels(names: &[&str]) -> Labels {
        names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>().try_into().unwrap()
    }

    /// Job `n`, with this urgency, that requires these labels.
    fn entry(n: u8, urgency: u8, since: Instant, requires: &[&str]) -> Entry {
        let new = NewJob {
            priority: Priority::new(urgency).unwrap(),
            requires: labels(requires),
            ..NewJob::for_tests(id(n))
        };
        Entry { turn: Box::new(Turn::new(new.record(n.into()))), since }
    }

    fn pop(queue: &mut Queue, now: Instant, has: &[&str]) -> Option<JobId> {
        queue.pop(now, &labels(has)).map(|turn| turn.job.id)
    }

    fn order(queue: &mut Queue, now: Instant) -> Vec<JobId> {
        std::iter::from_fn(|| pop(queue, now, &[])).collect()
    }

    #[test]
    fn the_most_urgent_goes_first_and_among_equals_the_oldest() {
        let mut queue = Queue::default();
        let now = Instant::now();
        for (n, urgency) in [(1, 3), (2, 0), (3, 3), (4, 7), (5, 0)] {
            queue.insert(entry(n, urgency, now, &[]), None);
        }
        assert_eq!(queue.position(id(3)), Some(4));
        assert_eq!(queue.remove(id(1)).map(|turn| turn.job.id), Some(id(1)));
        assert_eq!(queue.position(id(3)), Some(3));
        assert_eq!(order(&mut queue, now), [2, 5, 3, 4].map(id));
        assert_eq!(queue.position(id(3)), None);
        assert!(queue.ready.is_empty() && queue.keys.is_empty());
    }

    #[test]
    fn a_delayed_job_waits_for_its_moment() {
        let mut queue = Queue::default();
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        queue.insert(entry(1, 0, now, &[]), Some(later));
        queue.insert(entry(2, 3, now, &[]), None);
        assert_eq!(queue.next_delayed(), Some(later));
        assert_eq!(queue.position(id(1)), Some(2));
        assert_eq!(order(&mut queue, now), [id(2)]);
        assert_eq!(order(&mut queue, later), [id(1)]);
        queue.insert(entry(3, 0, now, &[]), Some(later));
        assert!(queue.remove(id(3)).is_some() && queue.next_delayed().is_none());
    }

    #[test]
    fn what_has_waited_for_long_goes_before_what_is_more_urgent() {
        let mut queue = Queue::default();
        let start = Instant::now();
        let now = start + 4 * AGEING;
        queue.insert(entry(1, 3, start, &[]), None);
        queue.insert(entry(2, 7, start, &[]), None);
        queue.insert(entry(3, 0, now, &[]), None);
        assert_eq!([1, 2, 3].map(|n| queue.position(id(n))), [Some(1), Some(3), Some(2)]);
        assert_eq!(order(&mut queue, now), [1, 3, 2].map(id));
    }

    #[test]
    fn a_runner_gets_what_it_has_the_labels_for_in_the_order_of_all() {
        let mut queue = Queue::default();
        let now = Instant::now();
        queue.insert(entry(1, 3, now, &["gpu"]), None);
        queue.insert(entry(2, 3, now, &[]), None);
        queue.insert(entry(3, 3, now, &["gpu", "large"]), None);
        queue.insert(entry(4, 0, now, &["large"]), None);
        assert_eq!(pop(&mut queue, now, &["large"]), Some(id(4)));
        assert_eq!(pop(&mut queue, now, &["large"]), Some(id(2)));
        assert_eq!(pop(&mut queue, now, &["large"]), None);
        assert_eq!(pop(&mut queue, now, &["gpu", "large"]), Some(id(1)));
        assert_eq!(pop(&mut queue, now, &["gpu", "large"]), Some(id(3)));
        assert!(queue.ready.is_empty());
    }

    #[tokio::test]
    async fn two_runners_that_wait_each_get_what_is_theirs() {
        let turns = std::sync::Arc::new(Turns::new(&MemoryBudget::unlimited()));
        let waiting = [&[][..], &["gpu"]].map(|has| {
            let (turns, has) = (std::sync::Arc::clone(&turns), labels(has));
            tokio::spawn(async move { turns.next(1, &has).await.pop().unwrap().job.id })
        });
        tokio::task::yield_now().await;
        for (n, requires) in [(1, &["gpu"][..]), (2, &[])] {
            turns.offer(*entry(n, 3, Instant::now(), requires).turn, None);
            // Whoever waits for longest cannot have the first.
            tokio::task::yield_now().await;
        }
        let [other, gpu] = waiting;
        assert_eq!((gpu.await.unwrap(), other.await.unwrap()), (id(1), id(2)));
    }
}
