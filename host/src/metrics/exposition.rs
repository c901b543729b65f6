//! Everything that is counted, as Prometheus reads it: its text format 0.0.4.
//!
//! There are some twenty lines for each procedure, and one more for each type of failure that it has
//! had; histograms of fuel and memory are of all calls together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use tarp_schema::job_state::JobState;

use super::histogram::Counts;
use super::meter::Figures;
use super::standing::Standing;
use super::{Metrics, Ordering, resident_memory};
use crate::error::ErrorKind;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// The label for calls of procedures that are not loaded any more, or are too many. No procedure is
/// called like that.
const OTHERS: &str = "(other)";

/// Bounds of durations, in microseconds: 16 µs to 18 minutes.
const MICROSECONDS: [u64; 14] = powers_of_four(4);

/// Bounds of fuel: a thousand units to 10^13.
const FUEL: [u64; 17] = powers_of_four(10);

/// Bounds of memory, in bytes: 64 KiB to 4 GiB.
const MEMORY: [u64; 9] = powers_of_four(16);

const fn powers_of_four<const N: usize>(first_exponent: u32) -> [u64; N] {
    let mut powers = [0; N];
    let mut i = 0;
    while i < N {
        powers[i] = 1 << (first_exponent + 2 * i as u32);
        i += 1;
    }
    powers
}

impl Metrics {
    /// Everything that is counted.
    pub fn text(&self, standing: Standing) -> String {
        let (by_procedure, connections) = {
            let mut registry = self.registry();
            self.forget_unloaded(&mut registry);
            let figures =
                registry.meters.iter().map(|(name, meter)| (Arc::clone(name), meter.figures()));
            let mut figures: BTreeMap<Arc<str>, Figures> = figures.collect();
            figures.insert(OTHERS.into(), self.others.figures());
            (figures, self.connections.load(Ordering::Relaxed))
        };
        let snapshot = Snapshot {
            by_procedure,
            standing,
            refusals: self.refusals.counts(),
            loads: self.loads.load(Ordering::Relaxed),
            failed_loads: self.failed_loads.load(Ordering::Relaxed),
            connections,
            memory: resident_memory(),
            started_at: self.started_at.duration_since(UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64()),
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(snapshot));
        let mut text = String::new();
        // Only writing to the string could fail, and it does not.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }
}

/// What was counted at one moment.
struct Snapshot {
    by_procedure: BTreeMap<Arc<str>, Figures>,
    standing: Standing,
    refusals: [u64; ErrorKind::ALL.len()],
    loads: u64,
    failed_loads: u64,
    connections: usize,
    memory: u64,
    started_at: f64,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl prometheus_client::collector::Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let to = &mut encoder;
        self.calls(to)?;
        self.all_calls(to)?;
        self.jobs(to)?;
        self.host(to)
    }
}

impl Snapshot {
    fn calls(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        let help = "Calls that ended, synchronous ones and those of jobs";
        let mut family = to.encode_descriptor("tarp_calls", help, None, MetricType::Counter)?;
        for (name, figures) in &self.by_procedure {
            counter(&mut family, &[("procedure", &**name)], figures.calls)?;
        }
        let help =
            "Calls that failed, by the type of the failure; Cancelled where the caller went away";
        let mut family =
            to.encode_descriptor("tarp_call_failures", help, None, MetricType::Counter)?;
        for (name, figures) in &self.by_procedure {
            for (kind, count) in ErrorKind::ALL.iter().zip(figures.failures) {
                if count > 0 {
                    let labels = [("procedure", &**name), ("type", kind.name())];
                    counter(&mut family, &labels, count)?;
                }
            }
        }
        let help = "Calls that are running";
        let mut family =
            to.encode_descriptor("tarp_calls_running", help, None, MetricType::Gauge)?;
        for (name, figures) in &self.by_procedure {
            let labels = [("procedure", &**name)];
            family.encode_family(&labels)?.encode_gauge(&figures.running())?;
        }
        let help = "From the start of a call's instance to its end";
        let name = "tarp_call_duration_seconds";
        let mut family = to.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (name, figures) in &self.by_procedure {
            let labels = [("procedure", &**name)];
            let mut family = family.encode_family(&labels)?;
            histogram(&mut family, &figures.microseconds, &MICROSECONDS, 1e-6)?;
        }
        let help = "Units of fuel that calls have used";
        let mut family = to.encode_descriptor("tarp_fuel", help, None, MetricType::Counter)?;
        for (name, figures) in &self.by_procedure {
            counter(&mut family, &[("procedure", &**name)], figures.fuel.sum())?;
        }
        let help = "The most memory that a call has used";
        let name = "tarp_call_peak_memory_max_bytes";
        let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (name, figures) in &self.by_procedure {
            let labels = [("procedure", &**name)];
            family.encode_family(&labels)?.encode_gauge(&figures.peak_memory)?;
        }
        Ok(())
    }

    fn all_calls(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        let sum = |part: fn(&Figures) -> &Counts| {
            let mut sum = Counts::default();
            self.by_procedure.values().for_each(|figures| part(figures).add_to(&mut sum));
            sum
        };
        let help = "Units of fuel that a call used";
        let mut family =
            to.encode_descriptor("tarp_call_fuel", help, None, MetricType::Histogram)?;
        histogram(&mut family, &sum(|figures| &figures.fuel), &FUEL, 1.0)?;
        let help = "The memory that a call used at the most";
        let name = "tarp_call_peak_memory_bytes";
        let mut family = to.encode_descriptor(name, help, None, MetricType::Histogram)?;
        histogram(&mut family, &sum(|figures| &figures.memory), &MEMORY, 1.0)?;
        let help = "Requests for procedures that were refused before anything was called";
        let mut family = to.encode_descriptor("tarp_refusals", help, None, MetricType::Counter)?;
        for (kind, count) in
            ErrorKind::ALL.iter().zip(self.refusals).filter(|(_, count)| *count > 0)
        {
            counter(&mut family, &[("type", kind.name())], count)?;
        }
        Ok(())
    }

    fn jobs(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        let Standing { queued, running, entered, .. } = self.standing;
        let help =
            "How often a job has entered a state; those taken up at the start count as entering";
        let mut family =
            to.encode_descriptor("tarp_job_states", help, None, MetricType::Counter)?;
        for (state, count) in JobState::ALL.iter().zip(entered) {
            counter(&mut family, &[("state", state.name())], count)?;
        }
        gauge(to, "tarp_jobs_queued", "Jobs that wait for their turn", queued as f64)?;
        gauge(to, "tarp_jobs_running", "Jobs that are running", running as f64)
    }

    fn host(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        let help = "Versions of components that were loaded, or could not be";
        let mut family = to.encode_descriptor("tarp_loads", help, None, MetricType::Counter)?;
        for (outcome, count) in [("loaded", self.loads), ("failed", self.failed_loads)] {
            counter(&mut family, &[("outcome", outcome)], count)?;
        }
        gauge(to, "tarp_connections", "Connections that are open", self.connections as f64)?;
        let help = "Memory that calls, jobs, requests, replies and loading are charged for";
        gauge(to, "tarp_memory_charged_bytes", help, self.standing.charged as f64)?;
        let help = "Memory that they may be charged for together";
        gauge(to, "tarp_memory_budget_bytes", help, self.standing.budget as f64)?;
        if let Some(lines) = self.standing.unaudited {
            let (name, help) =
                ("tarp_audit_dropped_lines", "Lines of the audit log that were dropped");
            let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
            let none: Option<&Exemplar<NoLabelSet, u64>> = None;
            family.encode_counter(&lines, none)?;
        }
        let help = "Memory that the process occupies";
        gauge(to, "process_resident_memory_bytes", help, self.memory as f64)?;
        let help = "When the process started, in seconds since 1970";
        gauge(to, "process_start_time_seconds", help, self.started_at)
    }
}

fn counter<const N: usize>(
    family: &mut MetricEncoder,
    labels: &[(&str, &str); N],
    count: u64,
) -> fmt::Result {
    let none: Option<&Exemplar<NoLabelSet, u64>> = None;
    family.encode_family(labels)?.encode_counter(&count, none)
}

fn gauge(to: &mut DescriptorEncoder, name: &str, help: &str, value: f64) -> fmt::Result {
    to.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

/// A histogram with these bounds, in a unit that is `unit` of those that were counted.
fn histogram(
    family: &mut MetricEncoder,
    counts: &Counts,
    bounds: &[u64],
    unit: f64,
) -> fmt::Result {
    let bounds_in_unit = bounds.iter().map(|&bound| bound as f64 * unit).chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds_in_unit.zip(counts.within(bounds)).collect();
    let sum = counts.sum() as f64 * unit;
    family.encode_histogram::<NoLabelSet>(sum, counts.count(), &buckets, None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sandbox::Receipt;

    #[test]
    fn all_that_is_counted_is_told() {
        let metrics = Metrics::default();
        let meter = metrics.meter(&"statistics/mean".into());
        let receipt = Receipt {
            fuel: 1000,
            peak_memory: 1 << 20,
            instantiate: Duration::from_micros(4),
            run: Duration::from_micros(12),
        };
        meter.begin().end(None, &receipt);
        meter.begin().end(Some(ErrorKind::Trap), &receipt);
        metrics.refused(ErrorKind::BadArguments);
        metrics.loaded(true);
        let text = metrics.text(Standing {
            queued: 2,
            running: 1,
            entered: [5, 4, 3, 2, 1, 0, 0],
            charged: 1 << 20,
            budget: 1 << 30,
            unaudited: Some(7),
        });
        for line in [
            "# TYPE tarp_calls_total counter",
            r#"tarp_calls_total{procedure="statistics/mean"} 2"#,
            r#"tarp_calls_total{procedure="(other)"} 0"#,
            r#"tarp_call_failures_total{procedure="statistics/mean",type="Trap"} 1"#,
            r#"tarp_calls_running{procedure="statistics/mean"} 0"#,
            "# TYPE tarp_call_duration_seconds histogram",
            r#"tarp_call_duration_seconds_count{procedure="statistics/mean"} 2"#,
            r#"tarp_fuel_total{procedure="statistics/mean"} 2000"#,
            "tarp_call_fuel_sum 2000.0",
            r#"tarp_call_peak_memory_bytes_bucket{le="1.048576e+06"} 2"#,
            r#"tarp_call_peak_memory_bytes_bucket{le="+Inf"} 2"#,
            r#"tarp_refusals_total{type="BadArguments"} 1"#,
            r#"tarp_job_states_total{state="queued"} 5"#,
            "tarp_jobs_queued 2.0",
            "tarp_memory_charged_bytes 1048576.0",
            "tarp_memory_budget_bytes 1073741824.0",
            "tarp_audit_dropped_lines_total 7",
            r#"tarp_loads_total{outcome="loaded"} 1"#,
            r#"tarp_loads_total{outcome="failed"} 0"#,
        ] {
            assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
        }
        let bucket = |bound: &str| {
            let name = "tarp_call_duration_seconds_bucket{";
            text.lines().find(|l| l.starts_with(name) && l.contains(bound) && l.contains("mean"))
        };
        assert!(bucket("1.6e-05").unwrap().ends_with(" 2"), "{text}");
    }

    #[test]
    fn what_nobody_has_loaded_is_told_together() {
        let metrics = Metrics::default();
        metrics.meter(&"gone".into()).begin().end(None, &Receipt::default());
        let text = metrics.text(Standing::default());
        assert!(text.contains(r#"tarp_calls_total{procedure="(other)"} 1"#), "{text}");
        assert!(!text.contains("gone"), "{text}");
    }
}
