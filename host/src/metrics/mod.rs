//! What the host counts of itself: [`Metrics`].
//!
//! Every procedure has a [`Meter`], which the narrow waist tells of each call; everything else is added
//! up when somebody asks. [`history`] remembers the last minutes, [`exposition`] writes all of it as
//! Prometheus reads it. Knows no HTTP, and no names but those of procedures that are loaded.

mod exposition;
mod histogram;
mod history;
mod meter;
mod standing;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::error::ErrorKind;
pub use exposition::CONTENT_TYPE;
use history::History;
pub use history::{INTERVAL, Overview};
use meter::{ByKind, Figures};
pub use meter::{Meter, Metered};
pub use standing::Standing;

/// Procedures with a meter of their own; calls of any more are counted together.
const MAX_PROCEDURES: usize = 1000;

/// Counts what happens in one host.
pub struct Metrics {
    registry: Mutex<MeterRegistry>,
    /// For the calls of procedures that have no meter of their own, or no longer.
    others: Arc<Meter>,
    refusals: ByKind,
    loads: AtomicU64,
    failed_loads: AtomicU64,
    connections: AtomicUsize,
    started: Instant,
    started_at: SystemTime,
}

/// What is looked at seldom, and by one at a time.
#[derive(Default)]
struct MeterRegistry {
    meters: BTreeMap<Arc<str>, Arc<Meter>>,
    history: History,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            registry: Mutex::default(),
            others: Arc::default(),
            refusals: ByKind::default(),
            loads: AtomicU64::new(0),
            failed_loads: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            started: Instant::now(),
            started_at: SystemTime::now(),
        }
    }
}

impl Metrics {
    /// The meter of a procedure, which it keeps for as long as any version of it is loaded.
    pub fn meter(&self, procedure: &Arc<str>) -> Arc<Meter> {
        let mut registry = self.registry();
        if let Some(meter) = registry.meters.get(procedure) {
            return Arc::clone(meter);
        }
        if registry.meters.len() >= MAX_PROCEDURES {
            self.forget_unloaded(&mut registry);
            if registry.meters.len() >= MAX_PROCEDURES {
                return Arc::clone(&self.others);
            }
        }
        let meter = Arc::<Meter>::default();
        registry.meters.insert(Arc::clone(procedure), Arc::clone(&meter));
        meter
    }

    /// A request was refused before anything was called.
    pub fn refused(&self, kind: ErrorKind) {
        self.refusals.count(kind);
    }

    /// A file was loaded, or could not be.
    pub fn loaded(&self, succeeded: bool) {
        let counter = if succeeded { &self.loads } else { &self.failed_loads };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection is open until the guard is dropped.
    pub fn connection(self: &Arc<Self>) -> Connection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connection(Arc::clone(self))
    }

    /// Since when the host runs.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes a sample of everything in each [`INTERVAL`], for as long as it is polled.
    pub async fn sample(&self, standing: impl Fn() -> Standing) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first comes at once.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let standing = standing();
            let mut registry = self.registry();
            self.forget_unloaded(&mut registry);
            let sum = self.sum(&registry);
            let MeterRegistry { meters, history } = &mut *registry;
            history.take(meters, &sum, standing, resident_memory());
        }
    }

    /// The last minutes and everything since the start.
    pub fn overview(&self, standing: Standing) -> Overview {
        let registry = self.registry();
        let sum = self.sum(&registry);
        registry.history.overview(
            &registry.meters,
            &sum,
            standing,
            self.uptime(),
            resident_memory(),
        )
    }

    fn sum(&self, registry: &MeterRegistry) -> Figures {
        let mut sum = self.others.figures();
        registry.meters.values().for_each(|meter| meter.add_to(&mut sum));
        sum
    }

    /// A procedure that nobody has loaded any more has no meter; what it counted stays counted.
    fn forget_unloaded(&self, registry: &mut MeterRegistry) {
        registry.meters.retain(|_, meter| {
            let is_loaded = Arc::strong_count(meter) > 1;
            if !is_loaded {
                self.others.absorb(&meter.figures());
            }
            is_loaded
        });
    }

    fn registry(&self) -> MutexGuard<'_, MeterRegistry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is open.
pub struct Connection(Arc<Metrics>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes of memory that the host's process occupies; 0 where the system does not say.
fn resident_memory() -> u64 {
    memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Receipt;

    #[test]
    fn a_procedure_keeps_its_meter_until_nobody_has_it_loaded() {
        let metrics = Metrics::default();
        let name: Arc<str> = "mean".into();
        let first = metrics.meter(&name);
        first.begin().end(None, &Receipt::default());
        assert!(Arc::ptr_eq(&first, &metrics.meter(&name)), "a reload goes on counting");
        metrics.forget_unloaded(&mut metrics.registry());
        assert_eq!((metrics.registry().meters.len(), metrics.others.calls()), (1, 0));
        drop(first);
        metrics.forget_unloaded(&mut metrics.registry());
        assert_eq!((metrics.registry().meters.len(), metrics.others.calls()), (0, 1));
        assert_eq!(metrics.sum(&metrics.registry()).calls, 1);
    }

    #[test]
    fn only_so_many_procedures_are_counted_one_by_one() {
        let metrics = Metrics::default();
        let meters: Vec<_> =
            (0..=MAX_PROCEDURES).map(|n| metrics.meter(&n.to_string().into())).collect();
        assert!(Arc::ptr_eq(&meters[MAX_PROCEDURES], &metrics.others));
        assert!(!Arc::ptr_eq(&meters[MAX_PROCEDURES - 1], &metrics.others));
        drop(meters);
        assert!(!Arc::ptr_eq(&metrics.meter(&"later".into()), &metrics.others));
    }

    #[test]
    fn the_process_has_memory() {
        assert!(resident_memory() > 1 << 20);
    }
}
