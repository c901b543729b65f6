//! What jobs that wait take of the bounds on that: [`Place`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::submitters::WaitingShare;

/// How many jobs wait, or are being stored.
#[derive(Debug, Clone, Default)]
pub(super) struct QueueLength(Arc<AtomicUsize>);

/// A job among those that wait, until it is dropped.
pub(super) struct Place {
    length: QueueLength,
    _share: Option<WaitingShare>,
}

impl QueueLength {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Place {
    /// For a new job; `None` where as many wait as may.
    pub(super) fn new(
        length: &QueueLength,
        most: usize,
        share: Option<WaitingShare>,
    ) -> Option<Self> {
        let one_more = |length| (length < most).then_some(length + 1);
        length.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self { length: length.clone(), _share: share })
    }

    /// The same for a job that was accepted before.
    pub(super) fn again(length: &QueueLength, share: Option<WaitingShare>) -> Self {
        length.0.fetch_add(1, Ordering::Relaxed);
        Self { length: length.clone(), _share: share }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.length.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_wait_at_once_and_those_of_before_besides() {
        let length = QueueLength::default();
        let before = Place::again(&length, None);
        let first = Place::new(&length, 2, None).unwrap();
        assert!(Place::new(&length, 2, None).is_none());
        let more = Place::again(&length, None);
        assert_eq!(length.get(), 3);
        drop((before, first));
        assert!(Place::new(&length, 2, None).is_some());
        drop(more);
        assert_eq!(length.get(), 0);
    }
}
