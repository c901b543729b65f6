//! Attempts that run before the store knows of them, and where that is noted meanwhile.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::model::{Attempt, JobId};
use super::store::JobStore;

/// An attempt that runs before the store knows of it.
#[derive(Clone)]
pub(super) struct Unclaimed {
    pub(super) attempt: Attempt,
    mark: Arc<Mark>,
}

/// Where it is noted meanwhile, until it is stored.
struct Mark {
    number: MarkNumber,
    store: Arc<dyn JobStore>,
}

impl Unclaimed {
    pub(super) fn new(attempt: Attempt, number: MarkNumber, store: Arc<dyn JobStore>) -> Self {
        Self { attempt, mark: Arc::new(Mark { number, store }) }
    }

    /// Notes that it runs.
    pub(super) fn mark(&self, id: JobId) {
        self.mark.store.mark(self.mark.number.number, id, self.attempt.number);
    }

    pub(super) fn store(&self) -> &Arc<dyn JobStore> {
        &self.mark.store
    }
}

type Free = Arc<Mutex<BinaryHeap<Reverse<u32>>>>;

/// Numbers of marks, the lowest ones that are free.
#[derive(Default)]
pub(super) struct MarkNumbers {
    free: Free,
    next: AtomicU32,
}

/// One of them, until it is dropped.
pub(super) struct MarkNumber {
    number: u32,
    free: Free,
}

impl MarkNumbers {
    pub(super) fn take(&self) -> MarkNumber {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let number = free.map_or_else(|| self.next.fetch_add(1, Ordering::Relaxed), |free| free.0);
        MarkNumber { number, free: Arc::clone(&self.free) }
    }
}

impl Drop for MarkNumber {
    fn drop(&mut self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(Reverse(self.number));
    }
}
