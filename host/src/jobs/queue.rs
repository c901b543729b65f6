//! Whose turn it is: the most urgent job first, among those the one that was submitted first. What has
//! waited for long counts as more urgent, so that everything has its turn. Knows nothing of a job but that.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::model::{JobId, Priority};
use super::parked::Wanted;

/// After so long in the queue a job counts as one level more urgent.
const AGEING: Duration = Duration::from_secs(5 * 60);

/// Jobs that wait. All of it is in the store too, from which it is made anew at the start.
#[derive(Default)]
pub(super) struct Queue {
    /// By urgency, the most urgent first; in each, the oldest first.
    ready: [BTreeMap<u64, Entry>; 8],
    /// Waiting for their next attempt.
    delayed: BTreeMap<(Instant, QueueKey), Entry>,
    /// Waiting for a procedure, or a version of one, that is not there.
    parked: HashMap<Wanted, BTreeMap<QueueKey, Entry>>,
    /// Waiting until another job of their group has ended.
    held: HashMap<Group, BTreeMap<QueueKey, Entry>>,
    /// How many jobs run of each group of which only so many may.
    shares: HashMap<Group, u32>,
    keys: HashMap<JobId, (QueueKey, Waiting)>,
    /// Room that is kept for jobs that are being stored.
    reserved: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: JobId,
    since: Instant,
}

/// Jobs of which only so many may run at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// Those of the procedure of this name.
    Procedure(Arc<str>),
    /// Those that were submitted with the token of this id.
    Owner(Arc<str>),
    /// Those that were submitted without one from this address.
    Peer(Arc<str>),
}

/// What a job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Waiting {
    Turn,
    Moment(Instant),
    Procedure(Wanted),
    Share(Group),
}

/// Less is sooner.
pub(super) type QueueKey = (Priority, u64);

impl Queue {
    /// A job that waits for its turn since then, or first for a moment.
    pub(super) fn push(
        &mut self,
        id: JobId,
        key: QueueKey,
        since: Instant,
        not_before: Option<Instant>,
    ) {
        let entry = Entry { id, since };
        let waiting = match not_before {
            Some(moment) => {
                self.delayed.insert((moment, key), entry);
                Waiting::Moment(moment)
            }
            None => {
                self.level(key.0).insert(key.1, entry);
                Waiting::Turn
            }
        };
        self.keys.insert(id, (key, waiting));
    }

    /// A job whose procedure is not there.
    pub(super) fn park(&mut self, id: JobId, key: QueueKey, since: Instant, wanted: Wanted) {
        self.parked.entry(wanted.clone()).or_default().insert(key, Entry { id, since });
        self.keys.insert(id, (key, Waiting::Procedure(wanted)));
    }

    /// Gives the parked jobs their turn for which there is what they want. Whether there were any.
    pub(super) fn unpark(&mut self, is_there: impl Fn(&Wanted) -> bool) -> bool {
        let found: Vec<_> = self.parked.extract_if(|wanted, _| is_there(wanted)).collect();
        self.push_all(found.into_iter().flat_map(|(_, jobs)| jobs))
    }

    /// Gives all jobs their turn that are held back: whoever takes one puts it back where it is too
    /// early. Whether there were any.
    pub(super) fn release_held(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        self.push_all(held.into_values().flatten())
    }

    fn push_all(&mut self, jobs: impl Iterator<Item = (QueueKey, Entry)>) -> bool {
        let mut any = false;
        for (key, Entry { id, since }) in jobs {
            self.push(id, key, since, None);
            any = true;
        }
        any
    }

    /// The parked jobs.
    pub(super) fn parked(&self) -> Vec<JobId> {
        self.parked.values().flat_map(BTreeMap::values).map(|entry| entry.id).collect()
    }

    /// The job whose turn it is.
    pub(super) fn pop(&mut self, now: Instant) -> Option<JobId> {
        while let Some(entry) = self.delayed.first_entry()
            && entry.key().0 <= now
        {
            let ((_, key), Entry { id, since }) = entry.remove_entry();
            self.push(id, key, since, None);
        }
        let oldest = self.ready.iter().enumerate().filter_map(|(urgency, level)| {
            let (_, entry) = level.first_key_value()?;
            Some((due(urgency, entry), urgency))
        });
        let (_, urgency) = oldest.min()?;
        let (_, Entry { id, .. }) = self.ready[urgency].pop_first()?;
        self.keys.remove(&id);
        Some(id)
    }

    /// When the next delayed job may begin.
    pub(super) fn next_delayed(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((moment, _), _)| *moment)
    }

    /// Takes a job out that is not to be begun, and says where it was.
    pub(super) fn remove(&mut self, id: JobId) -> Option<QueueKey> {
        let (key, waiting) = self.keys.remove(&id)?;
        match waiting {
            Waiting::Moment(moment) => self.delayed.remove(&(moment, key)),
            Waiting::Turn => self.level(key.0).remove(&key.1),
            Waiting::Procedure(wanted) => remove_from(&mut self.parked, &wanted, key),
            Waiting::Share(group) => remove_from(&mut self.held, &group, key),
        };
        Some(key)
    }

    /// Takes a parked job out, and says where it was and what it wants; `None` if it is not parked.
    pub(super) fn remove_parked(&mut self, id: JobId) -> Option<(QueueKey, Wanted)> {
        let (_, Waiting::Procedure(wanted)) = self.keys.get(&id)? else { return None };
        let wanted = wanted.clone();
        Some((self.remove(id)?, wanted))
    }

    fn level(&mut self, priority: Priority) -> &mut BTreeMap<u64, Entry> {
        &mut self.ready[usize::from(priority.urgency())]
    }

    /// How many are to go first, plus one; delayed ones go last, and parked ones have no position. Takes the
    /// longer the more have come after it, so that it is quick for the newest.
    pub(super) fn position(&self, id: JobId) -> Option<usize> {
        let (key, waiting) = self.keys.get(&id)?;
        match waiting {
            Waiting::Procedure(_) | Waiting::Share(_) => None,
            Waiting::Turn => {
                let own = usize::from(key.0.urgency());
                let turn = due(own, self.ready[own].get(&key.1)?);
                let before = self.ready.iter().enumerate().map(|(urgency, level)| {
                    let is_before = |entry: &Entry| (due(urgency, entry), urgency) < (turn, own);
                    if urgency < own {
                        level.len() - level.values().rev().take_while(|e| !is_before(e)).count()
                    } else if urgency == own {
                        level.len() - level.range(key.1..).count()
                    } else {
                        level.values().take_while(|e| is_before(e)).count()
                    }
                });
                Some(before.sum::<usize>() + 1)
            }
            Waiting::Moment(moment) => {
                let ready: usize = self.ready.iter().map(BTreeMap::len).sum();
                Some(ready + self.delayed.range(..(*moment, *key)).count() + 1)
            }
        }
    }

    /// Counts a job as one that runs in each of its groups; or, where one of them is full, holds it back
    /// until that has room, and gives that one and how many of it may run.
    pub(super) fn take_or_hold(
        &mut self,
        groups: &[(Group, u32)],
        (id, key, since): (JobId, QueueKey, Instant),
    ) -> Result<(), (Group, u32)> {
        let has_room = |(group, most): &&(Group, u32)| {
            self.shares.get(group).is_none_or(|running| running < most)
        };
        let Some(full) = groups.iter().find(|group| !has_room(group)).cloned() else {
            for (group, _) in groups {
                *self.shares.entry(group.clone()).or_default() += 1;
            }
            return Ok(());
        };
        // What it leaves unused is for the next one.
        let roomy: Vec<_> =
            groups.iter().filter(has_room).map(|(group, _)| group.clone()).collect();
        self.held.entry(full.0.clone()).or_default().insert(key, Entry { id, since });
        self.keys.insert(id, (key, Waiting::Share(full.0.clone())));
        for group in roomy {
            self.release_next(&group);
        }
        Err(full)
    }

    /// A job of these groups has ended: the next one of each has its turn.
    pub(super) fn give_back(&mut self, groups: &[(Group, u32)]) {
        for (group, _) in groups {
            match self.shares.get_mut(group) {
                Some(running) if *running > 1 => *running -= 1,
                _ => drop(self.shares.remove(group)),
            }
            self.release_next(group);
        }
    }

    /// Gives the next job of each group its turn of which none runs: one that had its turn before it may
    /// have been cancelled instead. Whether there were any.
    pub(super) fn release_idle(&mut self) -> bool {
        let idle: Vec<_> =
            self.held.keys().filter(|group| !self.shares.contains_key(*group)).cloned().collect();
        idle.iter().for_each(|group| self.release_next(group));
        !idle.is_empty()
    }

    fn release_next(&mut self, group: &Group) {
        let Some(held) = self.held.get_mut(group) else { return };
        let next = held.pop_first();
        if held.is_empty() {
            self.held.remove(group);
        }
        if let Some((key, Entry { id, since })) = next {
            self.push(id, key, since, None);
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.keys.len()
    }

    fn len(&self) -> usize {
        self.waiting() + self.reserved
    }
}

/// Takes a job out of a group, and the group away when it was the last.
fn remove_from<K: Hash + Eq>(
    groups: &mut HashMap<K, BTreeMap<QueueKey, Entry>>,
    group: &K,
    key: QueueKey,
) -> Option<Entry> {
    let members = groups.get_mut(group)?;
    let entry = members.remove(&key);
    if members.is_empty() {
        groups.remove(group);
    }
    entry
}

/// By when a job would be the most urgent of all if it waited for so long: the least goes first.
fn due(urgency: usize, entry: &Entry) -> Instant {
    entry.since + AGEING * u32::try_from(urgency).unwrap_or(0)
}

/// Room in the queue for one job, until it is dropped.
pub(super) struct Reservation(Arc<Mutex<Queue>>);

impl Reservation {
    /// `None` where there would be more than `most`.
    pub(super) fn new(queue: &Arc<Mutex<Queue>>, most: usize) -> Option<Self> {
        let mut locked = queue.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.len() >= most {
            return None;
        }
        locked.reserved += 1;
        Some(Self(Arc::clone(queue)))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reserved -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn id(n: u8) -> JobId {
        JobId::from_bytes([n; 16])
    }

    fn priority(urgency: u8) -> Priority {
        Priority::new(urgency).unwrap()
    }

    #[test]
    fn the_most_urgent_goes_first_and_among_equals_the_oldest() {
        let mut queue = Queue::default();
        let now = Instant::now();
        for (n, urgency) in [(1, 3), (2, 0), (3, 3), (4, 7), (5, 0)] {
            queue.push(id(n), (priority(urgency), u64::from(n)), now, None);
        }
        assert_eq!(queue.position(id(3)), Some(4));
        assert_eq!(queue.remove(id(1)), Some((priority(3), 1)));
        assert_eq!(queue.position(id(3)), Some(3));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(Instant::now())).collect();
        assert_eq!(order, [2, 5, 3, 4].map(id));
        assert_eq!(queue.position(id(3)), None);
    }

    #[test]
    fn a_delayed_job_waits_for_its_moment() {
        let mut queue = Queue::default();
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        queue.push(id(1), (priority(0), 1), now, Some(later));
        queue.push(id(2), (priority(3), 2), now, None);
        assert_eq!(queue.next_delayed(), Some(later));
        assert_eq!(queue.position(id(1)), Some(2));
        assert_eq!(queue.pop(now), Some(id(2)));
        assert_eq!(queue.pop(now), None);
        assert_eq!(queue.pop(later), Some(id(1)));
    }

    #[test]
    fn room_is_kept_for_what_is_being_stored() {
        let queue = Arc::new(Mutex::new(Queue::default()));
        let first = Reservation::new(&queue, 2).unwrap();
        queue.lock().unwrap().push(id(1), (priority(3), 1), Instant::now(), None);
        assert!(Reservation::new(&queue, 2).is_none());
        drop(first);
        assert!(Reservation::new(&queue, 2).is_some());
    }

    #[test]
    fn what_has_waited_for_long_goes_before_what_is_more_urgent() {
        let mut queue = Queue::default();
        let start = Instant::now();
        let now = start + 4 * AGEING;
        queue.push(id(1), (priority(3), 1), start, None);
        queue.push(id(2), (priority(7), 2), start, None);
        queue.push(id(3), (priority(0), 3), now, None);
        assert_eq!([1, 2, 3].map(|n| queue.position(id(n))), [Some(1), Some(3), Some(2)]);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(now)).collect();
        assert_eq!(order, [1, 3, 2].map(id));
    }

    fn procedure(name: &str) -> Group {
        Group::Procedure(name.into())
    }

    #[test]
    fn of_a_procedure_with_a_share_only_so_many_run_and_the_rest_follow_in_order() {
        let mut queue = Queue::default();
        let (now, groups) = (Instant::now(), [(procedure("long"), 1)]);
        let take = |queue: &mut Queue, n, u| {
            queue.take_or_hold(&groups, (id(n), (priority(u), n.into()), now)).is_ok()
        };
        assert!(take(&mut queue, 1, 3));
        assert!(!take(&mut queue, 2, 3) && !take(&mut queue, 3, 0) && !take(&mut queue, 4, 3));
        assert_eq!((queue.waiting(), queue.pop(now), queue.position(id(2))), (3, None, None));
        queue.give_back(&groups);
        assert_eq!((queue.pop(now), queue.pop(now)), (Some(id(3)), None));
        assert!(take(&mut queue, 3, 0));
        // A procedure may have lost its limit.
        assert!(queue.release_held());
        assert_eq!(queue.pop(now), Some(id(2)));
        assert!(!take(&mut queue, 2, 3));
        assert_eq!(queue.pop(now), Some(id(4)));
        assert!(!take(&mut queue, 4, 3));
        assert_eq!(queue.remove(id(2)), Some((priority(3), 2)));
        queue.give_back(&groups);
        assert_eq!((queue.pop(now), queue.waiting()), (Some(id(4)), 0));
    }

    #[test]
    fn a_job_of_two_groups_keeps_no_room_that_it_cannot_use() {
        let mut queue = Queue::default();
        let (now, long, anna) = (Instant::now(), procedure("long"), Group::Owner("anna".into()));
        let both = [(long.clone(), 1), (anna.clone(), 1)];
        let [of_long, of_anna] = [[(long, 1)], [(anna.clone(), 1)]];
        let entry = |n: u8| (id(n), (priority(3), n.into()), now);
        assert!(queue.take_or_hold(&of_anna, entry(1)).is_ok());
        assert!(queue.take_or_hold(&of_long, entry(2)).is_ok());
        assert!(queue.take_or_hold(&both, entry(3)).is_err());
        assert!(queue.take_or_hold(&of_long, entry(4)).is_err());
        // The procedure has room again, and the next job cannot use it, since Anna has none.
        queue.give_back(&of_long);
        assert_eq!(queue.pop(now), Some(id(3)));
        assert_eq!(queue.take_or_hold(&both, entry(3)), Err((anna, 1)));
        assert_eq!(queue.pop(now), Some(id(4)));
        assert!(queue.take_or_hold(&of_long, entry(4)).is_ok());
        queue.give_back(&of_long);
        queue.give_back(&of_anna);
        assert_eq!(queue.pop(now), Some(id(3)));
        assert!(queue.take_or_hold(&both, entry(3)).is_ok());
    }

    #[test]
    fn a_turn_that_is_not_used_goes_to_the_next() {
        let mut queue = Queue::default();
        let (now, groups) = (Instant::now(), [(procedure("long"), 1)]);
        let entry = |n: u8| (id(n), (priority(3), n.into()), now);
        assert!(queue.take_or_hold(&groups, entry(1)).is_ok());
        assert!((2..4).all(|n| queue.take_or_hold(&groups, entry(n)).is_err()));
        assert!(!queue.release_idle());
        queue.give_back(&groups);
        assert_eq!(queue.remove(id(2)), Some((priority(3), 2)), "it is cancelled");
        assert_eq!(queue.pop(now), None);
        assert!(queue.release_idle());
        assert_eq!(queue.pop(now), Some(id(3)));
    }

    #[test]
    fn a_parked_job_has_no_turn_and_keeps_its_place() {
        let mut queue = Queue::default();
        let now = Instant::now();
        let wanted = |name: &str| Wanted::procedure(name);
        queue.park(id(1), (priority(3), 1), now, wanted("one"));
        queue.push(id(2), (priority(3), 2), now, None);
        assert_eq!((queue.position(id(1)), queue.position(id(2))), (None, Some(1)));
        assert_eq!((queue.waiting(), queue.parked()), (2, vec![id(1)]));
        assert!(!queue.unpark(|w| *w == wanted("other")));
        assert!(queue.unpark(|w| *w == wanted("one")) && !queue.unpark(|_| true));
        assert_eq!(
            [queue.pop(now), queue.pop(now), queue.pop(now)],
            [Some(id(1)), Some(id(2)), None]
        );
        queue.park(id(3), (priority(3), 3), now, wanted("one"));
        queue.push(id(4), (priority(3), 4), now, None);
        assert_eq!(queue.remove_parked(id(4)), None);
        assert_eq!(queue.remove_parked(id(3)), Some(((priority(3), 3), wanted("one"))));
        assert_eq!(queue.pop(now), Some(id(4)));
        assert_eq!(queue.waiting(), 0);
    }
}
