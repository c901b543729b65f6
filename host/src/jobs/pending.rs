//! What is kept at hand of jobs that wait for their turn, so that nothing is read from the store when it
//! comes. It is charged to the host's budget of memory.

use std::sync::{Arc, Mutex, PoisonError};

use super::model::Job;
use super::submitters::WaitingShare;
use crate::budget::{Charge, MemoryBudget, Purpose};

/// Arguments of no more bytes are kept at hand.
pub(super) const MAX_ARGUMENTS: usize = 1 << 10;

/// Bytes that waiting jobs may take before arguments are left to the store.
const MAX_BYTES: usize = 16 << 20;

/// The room that waiting jobs take together.
#[derive(Clone)]
pub(super) struct Room(Arc<Mutex<Charge>>);

/// A job that waits for its turn.
pub(super) struct Pending {
    /// The record of it.
    pub(super) job: Job,
    /// Its arguments in the host's neutral encoding, where they are few.
    pub(super) arguments: Option<Vec<u8>>,
    bytes: usize,
    room: Room,
    _share: Option<WaitingShare>,
}

impl Room {
    pub(super) fn new(budget: &MemoryBudget) -> Self {
        Self(Arc::new(Mutex::new(budget.charge(Purpose::Work))))
    }

    pub(super) fn pending(
        &self,
        job: Job,
        arguments: Option<Vec<u8>>,
        share: Option<WaitingShare>,
    ) -> Pending {
        let mut charge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // `max_queue` bounds how many there are.
        let mut bytes = job.size();
        charge.force(bytes);
        let arguments = arguments.filter(|arguments| {
            let fits = charge.spent() < MAX_BYTES && charge.take(arguments.len()).is_ok();
            bytes += if fits { arguments.len() } else { 0 };
            fits
        });
        drop(charge);
        Pending { job, arguments, bytes, room: self.clone(), _share: share }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut charge = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = charge.spent().saturating_sub(self.bytes);
        charge.shrink_to(left);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::jobs::model::{JobId, NewJob, Priority};

    fn job() -> Job {
        let new = NewJob {
            id: JobId::random(),
            procedure: "add".into(),
            file: "math.wasm".into(),
            digest: "d".into(),
            arguments: Vec::new(),
            priority: Priority::default(),
            max_attempts: 1,
            backoff: std::time::Duration::ZERO,
            is_repeatable: true,
            suggested_wait: 1,
            submitted: SystemTime::now(),
            begun: None,
            is_pinned: false,
            key: None,
            owner: None,
            peer: None,
        };
        new.record(1)
    }

    #[test]
    fn what_waits_is_charged_until_it_is_begun() {
        let budget = MemoryBudget::new(1 << 30);
        let room = Room::new(&budget);
        let many: Vec<_> =
            (0..1000).map(|_| room.pending(job(), Some(vec![1; 1000]), None)).collect();
        assert!(budget.used() > 1_200_000, "{}", budget.used());
        drop(many);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn where_there_is_no_room_arguments_are_left_to_the_store() {
        let budget = MemoryBudget::new(64 << 10);
        let room = Room::new(&budget);
        let many: Vec<_> =
            (0..100).map(|_| room.pending(job(), Some(vec![1; 1000]), None)).collect();
        assert!(many[0].arguments.is_some() && many[99].arguments.is_none());
        let at_most = 100 * job().size() + (64 << 10);
        assert!(budget.used() <= at_most, "{} of {at_most}", budget.used());
    }
}
