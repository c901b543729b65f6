//! What is counted of one procedure's calls: [`Meter`]. Counting takes a few atomic additions; adding up
//! is left to those who ask.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{Counts, Histogram};
use crate::error::ErrorKind;
use crate::sandbox::Receipt;

/// Counts the calls of a procedure.
#[derive(Default)]
pub struct Meter {
    started: AtomicU64,
    /// Calls that ended, also those that were given up.
    calls: AtomicU64,
    failures: ByKind,
    microseconds: Histogram,
    fuel: Histogram,
    memory: Histogram,
    /// The most memory that a call has used, in bytes.
    peak_memory: AtomicU64,
}

impl Meter {
    /// A call begins. It is to be told how it ended; dropped without that, it was given up.
    pub fn begin(&self) -> Metered<'_> {
        self.started.fetch_add(1, Ordering::Relaxed);
        Metered(self)
    }

    fn finish(&self, failure: Option<ErrorKind>, took: Duration) {
        if let Some(kind) = failure {
            self.failures.count(kind);
        }
        self.microseconds.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// How many calls have ended.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// What is counted in it is counted in `figures` too.
    pub(super) fn add_to(&self, figures: &mut Figures) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // In this order, so that what starts and ends meanwhile does not seem to run.
        figures.calls += self.calls();
        figures.started += get(&self.started);
        for (sum, count) in figures.failures.iter_mut().zip(self.failures.counts()) {
            *sum += count;
        }
        self.microseconds.add_to(&mut figures.microseconds);
        self.fuel.add_to(&mut figures.fuel);
        self.memory.add_to(&mut figures.memory);
        figures.peak_memory = figures.peak_memory.max(get(&self.peak_memory));
    }

    /// What is counted in `figures` is counted in it too.
    pub(super) fn absorb(&self, figures: &Figures) {
        let add = |counter: &AtomicU64, n| counter.fetch_add(n, Ordering::Relaxed);
        add(&self.started, figures.started);
        add(&self.calls, figures.calls);
        for (counter, count) in self.failures.0.iter().zip(figures.failures) {
            add(counter, count);
        }
        self.microseconds.absorb(&figures.microseconds);
        self.fuel.absorb(&figures.fuel);
        self.memory.absorb(&figures.memory);
        self.peak_memory.fetch_max(figures.peak_memory, Ordering::Relaxed);
    }

    pub(super) fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        self.add_to(&mut figures);
        figures
    }
}

/// A call that is running.
#[must_use]
pub struct Metered<'a>(&'a Meter);

impl Metered<'_> {
    /// The call has ended, with this failure if it has failed.
    pub fn end(self, failure: Option<ErrorKind>, receipt: &Receipt) {
        let meter = self.0;
        std::mem::forget(self);
        meter.fuel.record(receipt.fuel);
        meter.memory.record(receipt.peak_memory as u64);
        meter.peak_memory.fetch_max(receipt.peak_memory as u64, Ordering::Relaxed);
        meter.finish(failure, receipt.instantiate + receipt.run);
    }

    /// The call has an answer after so long, or has failed; what it uses is not known.
    pub fn answered(self, failure: Option<ErrorKind>, took: Duration) {
        let meter = self.0;
        std::mem::forget(self);
        meter.finish(failure, took);
    }
}

impl Drop for Metered<'_> {
    /// Its caller went away, or it was cancelled.
    fn drop(&mut self) {
        self.0.failures.count(ErrorKind::Cancelled);
        self.0.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// A counter for each type of failure.
#[derive(Default)]
pub(super) struct ByKind([AtomicU64; ErrorKind::ALL.len()]);

impl ByKind {
    pub(super) fn count(&self, kind: ErrorKind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> [u64; ErrorKind::ALL.len()] {
        std::array::from_fn(|i| self.0[i].load(Ordering::Relaxed))
    }
}

/// What was counted up to one moment, of one procedure or of several.
#[derive(Clone, Default)]
pub(super) struct Figures {
    pub(super) started: u64,
    pub(super) calls: u64,
    pub(super) failures: [u64; ErrorKind::ALL.len()],
    pub(super) microseconds: Counts,
    pub(super) fuel: Counts,
    pub(super) memory: Counts,
    pub(super) peak_memory: u64,
}

impl Figures {
    pub(super) fn running(&self) -> u64 {
        self.started.saturating_sub(self.calls)
    }

    pub(super) fn failed(&self) -> u64 {
        self.failures.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_once_however_it_ends() {
        let meter = Meter::default();
        let receipt = Receipt {
            fuel: 7,
            peak_memory: 65_536,
            instantiate: Duration::from_micros(3),
            run: Duration::from_micros(5),
        };
        let (first, second, third) = (meter.begin(), meter.begin(), meter.begin());
        assert_eq!(meter.figures().running(), 3);
        first.end(None, &receipt);
        second.end(Some(ErrorKind::Trap), &receipt);
        drop(third);
        let other = Meter::default();
        other.absorb(&meter.figures());
        for figures in [meter.figures(), other.figures()] {
            assert_eq!((figures.running(), figures.calls, figures.failed()), (0, 3, 2));
            assert_eq!(figures.failures[ErrorKind::Trap as usize], 1);
            assert_eq!(figures.failures[ErrorKind::Cancelled as usize], 1);
            assert_eq!((figures.microseconds.count(), figures.microseconds.sum()), (2, 16));
            assert_eq!((figures.fuel.sum(), figures.peak_memory), (14, 65_536));
        }
    }
}
