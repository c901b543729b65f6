//! Whose turn it is: the most urgent job first, among those the one that was submitted first. Knows
//! nothing of a job but that.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::model::{JobId, Priority};

/// Jobs that wait. All of it is in the store too, from which it is made anew at the start.
#[derive(Default)]
pub(super) struct Queue {
    /// By urgency, the most urgent first; in each, the oldest first.
    ready: [BTreeMap<u64, JobId>; 8],
    /// Waiting for their next attempt.
    delayed: BTreeMap<(Instant, Place), JobId>,
    places: HashMap<JobId, (Place, Option<Instant>)>,
    /// Room that is kept for jobs that are being stored.
    reserved: usize,
}

/// Less is sooner.
pub(super) type Place = (Priority, u64);

impl Queue {
    pub(super) fn push(
        &mut self,
        id: JobId,
        priority: Priority,
        sequence: u64,
        not_before: Option<Instant>,
    ) {
        let place = (priority, sequence);
        match not_before {
            Some(moment) => self.delayed.insert((moment, place), id),
            None => self.level(priority).insert(sequence, id),
        };
        self.places.insert(id, (place, not_before));
    }

    /// The job whose turn it is.
    pub(super) fn pop(&mut self, now: Instant) -> Option<JobId> {
        while let Some(entry) = self.delayed.first_entry()
            && entry.key().0 <= now
        {
            let ((_, (priority, sequence)), id) = entry.remove_entry();
            self.push(id, priority, sequence, None);
        }
        let (_, id) = self.ready.iter_mut().find_map(BTreeMap::pop_first)?;
        self.places.remove(&id);
        Some(id)
    }

    /// When the next delayed job may begin.
    pub(super) fn next_delayed(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((moment, _), _)| *moment)
    }

    /// Takes a job out that is not to be begun, and says where it was.
    pub(super) fn remove(&mut self, id: JobId) -> Option<Place> {
        let (place, not_before) = self.places.remove(&id)?;
        match not_before {
            Some(moment) => self.delayed.remove(&(moment, place)),
            None => self.level(place.0).remove(&place.1),
        };
        Some(place)
    }

    fn level(&mut self, priority: Priority) -> &mut BTreeMap<u64, JobId> {
        &mut self.ready[usize::from(priority.urgency())]
    }

    /// How many are to go first, plus one; delayed ones go last. Takes the longer the more have come
    /// after it, so that it is quick for the newest.
    pub(super) fn position(&self, id: JobId) -> Option<usize> {
        let (place, not_before) = self.places.get(&id)?;
        Some(match not_before {
            None => {
                let (more_urgent, level) = self.ready.split_at(usize::from(place.0.urgency()));
                let level = level.first()?;
                let before: usize = more_urgent.iter().map(BTreeMap::len).sum();
                before + level.len() + 1 - level.range(place.1..).count()
            }
            Some(moment) => {
                let ready: usize = self.ready.iter().map(BTreeMap::len).sum();
                ready + self.delayed.range(..(*moment, *place)).count() + 1
            }
        })
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.places.len()
    }

    fn len(&self) -> usize {
        self.waiting() + self.reserved
    }
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
        for (n, urgency) in [(1, 3), (2, 0), (3, 3), (4, 7), (5, 0)] {
            queue.push(id(n), priority(urgency), u64::from(n), None);
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
        queue.push(id(1), priority(0), 1, Some(later));
        queue.push(id(2), priority(3), 2, None);
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
        queue.lock().unwrap().push(id(1), priority(3), 1, None);
        assert!(Reservation::new(&queue, 2).is_none());
        drop(first);
        assert!(Reservation::new(&queue, 2).is_some());
    }
}
