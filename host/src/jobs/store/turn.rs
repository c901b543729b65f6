//! A job whose turn it is or will be, as a store hands it out, and the memory that those take which a
//! store keeps at hand.

use std::sync::{Arc, Mutex, PoisonError};

use crate::budget::{Charge, MemoryBudget, Purpose};
use crate::jobs::model::Job;

/// Arguments of no more bytes are kept at hand.
pub const MAX_ARGUMENTS_AT_HAND: usize = 1 << 10;

/// Bytes that waiting jobs may take before arguments are left to the store.
const MAX_BYTES: usize = 16 << 20;

/// A job for its runner.
#[derive(Debug)]
pub struct Turn {
    /// The record of it.
    pub job: Job,
    /// Its arguments in the host's neutral encoding, where they are at hand.
    pub arguments: Option<Vec<u8>>,
    charged: Option<Charged>,
}

impl Turn {
    /// A job whose arguments are in the store.
    #[must_use]
    pub fn new(job: Job) -> Self {
        Self { job, arguments: None, charged: None }
    }

    /// With its arguments.
    #[must_use]
    pub fn with_arguments(self, arguments: Option<Vec<u8>>) -> Self {
        Self { arguments, ..self }
    }
}

/// The memory that the jobs at hand take together.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Mutex<Charge>>);

/// What a job takes of it, until it is dropped.
#[derive(Debug)]
struct Charged {
    bytes: usize,
    room: Room,
}

impl Room {
    pub(super) fn new(budget: &MemoryBudget) -> Self {
        Self(Arc::new(Mutex::new(budget.charge(Purpose::Work))))
    }

    /// Charges a job, and its arguments, which are dropped where there is no room for them.
    pub(super) fn charge(&self, turn: &mut Turn) {
        if turn.charged.is_some() {
            return;
        }
        let mut charge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // `max_queue` bounds how many there are.
        let mut bytes = turn.job.size();
        charge.force(bytes);
        turn.arguments = turn.arguments.take().filter(|arguments| {
            let fits = arguments.len() <= MAX_ARGUMENTS_AT_HAND
                && charge.spent() < MAX_BYTES
                && charge.take(arguments.len()).is_ok();
            bytes += if fits { arguments.len() } else { 0 };
            fits
        });
        drop(charge);
        turn.charged = Some(Charged { bytes, room: self.clone() });
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        let mut charge = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = charge.spent().saturating_sub(self.bytes);
        charge.shrink_to(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::model::{JobId, NewJob};

    fn job() -> Job {
        NewJob::for_tests(JobId::random()).record(1)
    }

    fn many(room: &Room, count: usize) -> Vec<Turn> {
        let turn = |_| {
            let mut turn = Turn::new(job()).with_arguments(Some(vec![1; 1000]));
            room.charge(&mut turn);
            turn
        };
        (0..count).map(turn).collect()
    }

    #[test]
    fn what_waits_is_charged_until_it_is_begun() {
        let budget = MemoryBudget::new(1 << 30);
        let many = many(&Room::new(&budget), 1000);
        assert!(budget.used() > 1_200_000, "{}", budget.used());
        drop(many);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn where_there_is_no_room_arguments_are_left_to_the_store() {
        let budget = MemoryBudget::new(64 << 10);
        let many = many(&Room::new(&budget), 100);
        assert!(many[0].arguments.is_some() && many[99].arguments.is_none());
        let at_most = 100 * job().size() + (64 << 10);
        assert!(budget.used() <= at_most, "{} of {at_most}", budget.used());
    }
}
