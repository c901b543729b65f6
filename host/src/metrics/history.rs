//! The last ten minutes, a sample every five seconds: [`History`], and what is shown of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::meter::{Figures, Meter};
use super::standing::Standing;

/// How often a sample is taken.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// How many samples are kept.
const SAMPLES: usize = 120;

/// What the samples say.
#[derive(Default)]
pub(super) struct History {
    samples: VecDeque<Sample>,
    /// Everything up to the last sample.
    last: Figures,
    procedures: HashMap<Arc<str>, Row>,
}

/// The calls of one procedure in each interval.
#[derive(Default)]
struct Row {
    calls: VecDeque<u64>,
    /// All up to the last sample.
    last: u64,
}

/// One interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Sample {
    calls: u64,
    failures: u64,
    p50_us: Option<u64>,
    p95_us: Option<u64>,
    running: u64,
    queued: usize,
    memory: u64,
}

/// How the host is doing, for a person to look at.
#[derive(Debug, Serialize)]
pub struct Overview {
    uptime: u64,
    interval: u64,
    running: u64,
    queued: usize,
    jobs_running: usize,
    memory: u64,
    samples: Vec<Sample>,
    procedures: BTreeMap<Arc<str>, Line>,
}

/// A procedure in an [`Overview`].
#[derive(Debug, Serialize)]
struct Line {
    calls: u64,
    failures: u64,
    p50_us: Option<u64>,
    p95_us: Option<u64>,
    samples: Vec<u64>,
}

impl History {
    /// Takes a sample of these meters, whose figures together are `sum`.
    pub(super) fn take(
        &mut self,
        meters: &BTreeMap<Arc<str>, Arc<Meter>>,
        sum: &Figures,
        standing: Standing,
        memory: u64,
    ) {
        let took = sum.microseconds.since(&self.last.microseconds);
        let sample = Sample {
            calls: sum.calls.saturating_sub(self.last.calls),
            failures: sum.failed().saturating_sub(self.last.failed()),
            p50_us: took.quantile(0.5),
            p95_us: took.quantile(0.95),
            running: sum.running(),
            queued: standing.queued,
            memory,
        };
        self.last = sum.clone();
        push(&mut self.samples, sample);
        self.procedures.retain(|name, _| meters.contains_key(name));
        for (name, meter) in meters {
            let row = self.procedures.entry(Arc::clone(name)).or_default();
            let calls = meter.calls();
            push(&mut row.calls, calls.saturating_sub(row.last));
            row.last = calls;
        }
    }

    pub(super) fn overview(
        &self,
        meters: &BTreeMap<Arc<str>, Arc<Meter>>,
        sum: &Figures,
        standing: Standing,
        uptime: Duration,
        memory: u64,
    ) -> Overview {
        let procedures = meters.iter().map(|(name, meter)| {
            let figures = meter.figures();
            let row = self.procedures.get(name);
            let line = Line {
                calls: figures.calls,
                failures: figures.failed(),
                p50_us: figures.microseconds.quantile(0.5),
                p95_us: figures.microseconds.quantile(0.95),
                samples: row.map(|row| row.calls.iter().copied().collect()).unwrap_or_default(),
            };
            (Arc::clone(name), line)
        });
        Overview {
            uptime: uptime.as_secs(),
            interval: INTERVAL.as_secs(),
            running: sum.running(),
            queued: standing.queued,
            jobs_running: standing.running,
            memory,
            samples: self.samples.iter().copied().collect(),
            procedures: procedures.collect(),
        }
    }
}

fn push<T>(samples: &mut VecDeque<T>, sample: T) {
    if samples.len() == SAMPLES {
        samples.pop_front();
    }
    samples.push_back(sample);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::sandbox::Receipt;

    #[test]
    fn a_sample_tells_of_its_interval_and_the_oldest_goes_first() {
        let mut history = History::default();
        let meter = Arc::<Meter>::default();
        let meters = BTreeMap::from([("mean".into(), Arc::clone(&meter))]);
        let call = |failure, micros| {
            let run = Duration::from_micros(micros);
            meter.begin().end(failure, &Receipt { run, ..Receipt::default() });
        };
        call(None, 100);
        call(Some(ErrorKind::Trap), 100);
        history.take(&meters, &meter.figures(), Standing::default(), 1);
        call(None, 10_000);
        let _running = meter.begin();
        let standing = Standing { queued: 3, ..Standing::default() };
        history.take(&meters, &meter.figures(), standing, 2);
        let [first, second] = [history.samples[0], history.samples[1]];
        assert_eq!((first.calls, first.failures, first.running), (2, 1, 0));
        assert!((88..=113).contains(&first.p50_us.unwrap()), "{first:?}");
        assert_eq!((second.calls, second.failures, second.running, second.queued), (1, 0, 1, 3));
        assert!((8_800..=11_300).contains(&second.p95_us.unwrap()), "{second:?}");
        for _ in 0..SAMPLES {
            history.take(&meters, &meter.figures(), Standing::default(), 3);
        }
        let overview =
            history.overview(&meters, &meter.figures(), standing, Duration::from_secs(9), 4);
        let line = &overview.procedures["mean"];
        assert_eq!((line.calls, line.failures, line.samples.len()), (3, 1, SAMPLES));
        assert_eq!((overview.samples.len(), overview.running, overview.uptime), (SAMPLES, 1, 9));
        let quiet = overview.samples[SAMPLES - 1];
        assert_eq!((quiet.calls, quiet.p50_us), (0, None));
    }

    #[test]
    fn a_procedure_that_is_gone_is_forgotten() {
        let mut history = History::default();
        let meters = BTreeMap::from([("mean".into(), Arc::<Meter>::default())]);
        history.take(&meters, &Figures::default(), Standing::default(), 0);
        history.take(&BTreeMap::new(), &Figures::default(), Standing::default(), 0);
        assert!(history.procedures.is_empty());
    }
}
