//! What a guest says while it runs, for whoever runs it: [`Observer`].
//!
//! Does not know what becomes of it.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift};

use super::output::Streams;

/// Follows one call while it runs.
///
/// Its methods are called on the thread that runs the guest, which waits for them, and as often as
/// the guest likes: fuel slows a flood down, but only an observer that keeps the newest of
/// everything, or a bounded number, holds it. They must neither block nor panic.
pub trait Observer: Send + Sync {
    /// The call has its place and starts. What it writes can be read from `output` at any time,
    /// also after its end.
    fn started(&self, output: &Streams);

    /// How far the guest says it has come. The newest report holds.
    fn progress(&self, progress: Progress);

    /// The guest adds to its log.
    fn log(&self, level: Level, message: String);

    /// Whether the guest is asked to stop. It may look, and it may not.
    fn is_cancelled(&self) -> bool;

    /// Fuel used so far. Comes whenever the guest turns to the host, and at least once every
    /// million units or so; what is used after the last time is in the receipt.
    fn fuel(&self, used: u64);
}

/// How far a call has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Finite, not negative, at most `total`.
    pub done: f64,
    /// Finite and above 0, or not known.
    pub total: Option<f64>,
    /// A line for a person, cut to its limit.
    pub message: Option<String>,
}

impl Progress {
    /// Puts right what makes no sense: a guest's slip should not end its work.
    pub(super) fn new(done: f64, total: Option<f64>, message: Option<String>) -> Self {
        let total = total.filter(|total| total.is_finite() && *total > 0.0);
        // `max` takes NaN for the smaller one.
        let done = done.max(0.0).min(total.unwrap_or(f64::MAX));
        Self { done, total, message }
    }
}

/// How much a line of a guest's log matters.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    ComponentType,
    Lift,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[component(enum)]
#[repr(u8)]
pub enum Level {
    /// Steps in every detail.
    #[component(name = "trace")]
    Trace,
    /// What helps to find a fault.
    #[component(name = "debug")]
    Debug,
    /// What the procedure's user may want to know.
    #[component(name = "info")]
    Info,
    /// Something is odd, but the work goes on.
    #[component(name = "warn")]
    Warn,
    /// Something failed.
    #[component(name = "error")]
    Error,
}

impl Level {
    /// The name on the wire, as in WIT.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_always_a_number_within_its_total() {
        let clamped = |done, total| {
            let progress = Progress::new(done, total, None);
            (progress.done, progress.total)
        };
        assert_eq!(clamped(3.0, Some(10.0)), (3.0, Some(10.0)));
        assert_eq!(clamped(11.0, Some(10.0)), (10.0, Some(10.0)));
        assert_eq!(clamped(f64::NAN, Some(10.0)), (0.0, Some(10.0)));
        assert_eq!(clamped(-1.0, None), (0.0, None));
        assert_eq!(clamped(f64::NEG_INFINITY, None), (0.0, None));
        assert_eq!(clamped(f64::INFINITY, None), (f64::MAX, None));
        for senseless in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0] {
            assert_eq!(clamped(3.0, Some(senseless)), (3.0, None));
        }
    }
}
