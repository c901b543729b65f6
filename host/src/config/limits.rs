//! What one call may use: [`Limits`], and the table that changes them.

use std::time::Duration;

use serde::Deserialize;

use super::valid;

/// What one call may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Work, in wasmtime's units: about one per wasm instruction, 9 to 21 thousand million a second.
    pub fuel: u64,
    /// Bytes of all the instance's memories together.
    pub memory: usize,
    /// Wall clock time, from the call's start to its result.
    pub deadline: Duration,
    /// Bytes kept of each of the guest's output streams.
    pub output: usize,
    /// Bytes that the result may take in the host.
    pub result: usize,
}

impl Default for Limits {
    /// Suits an ordinary machine: some ten seconds of work, memory for a few of them at once.
    fn default() -> Self {
        Self {
            fuel: 100_000_000_000,
            memory: 512 << 20,
            deadline: Duration::from_secs(60),
            output: 64 << 10,
            result: 128 << 20,
        }
    }
}

impl Limits {
    /// Those of a job, which nobody waits for with a connection open: at least a hundred times the work
    /// of an ordinary call, and an hour. All else is as of calls: what succeeds as a call never fails as
    /// a job for a limit.
    #[must_use]
    pub fn of_jobs(calls: &Self) -> Self {
        let fuel = 100 * Self::default().fuel;
        let hour = Duration::from_secs(60 * 60);
        Self { fuel: calls.fuel.max(fuel), deadline: calls.deadline.max(hour), ..calls.clone() }
    }
}

/// A table `[limits]`: what it leaves out stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsTable {
    #[serde(deserialize_with = "valid::count")]
    fuel: Option<u64>,
    #[serde(deserialize_with = "valid::memory")]
    memory: Option<u64>,
    #[serde(deserialize_with = "valid::duration")]
    deadline: Option<Duration>,
    #[serde(deserialize_with = "valid::bytes")]
    output: Option<u64>,
    #[serde(deserialize_with = "valid::bytes")]
    result: Option<u64>,
}

impl Limits {
    /// These limits, changed by what the table sets.
    #[must_use]
    pub fn with(&self, table: &LimitsTable) -> Self {
        let bytes = |set: Option<u64>, kept: usize| {
            set.map_or(kept, |n| usize::try_from(n).unwrap_or(usize::MAX))
        };
        Self {
            fuel: table.fuel.unwrap_or(self.fuel),
            memory: bytes(table.memory, self.memory),
            deadline: table.deadline.unwrap_or(self.deadline),
            output: bytes(table.output, self.output),
            result: bytes(table.result, self.result),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_have_the_limits_of_calls_and_more_time() {
        let calls = Limits { memory: 2 << 30, result: 1 << 30, output: 7, ..Limits::default() };
        let jobs = Limits::of_jobs(&calls);
        assert_eq!((jobs.memory, jobs.result, jobs.output), (2 << 30, 1 << 30, 7));
        assert_eq!((jobs.fuel, jobs.deadline.as_secs()), (10_000_000_000_000, 3600));
        let calls = Limits { fuel: u64::MAX, deadline: Duration::from_secs(7200), ..calls };
        let jobs = Limits::of_jobs(&calls);
        assert_eq!((jobs.fuel, jobs.deadline), (calls.fuel, calls.deadline));
    }
}
