//! Gathers what was measured, and says it as one Markdown table with a column for each candidate.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::jobs::Jobs;
use crate::load::{Load, Measured};
use crate::server::{Kind, Server};

/// What is promised, see the README.
const OF_BARE: f64 = 0.3;
const TIMES_WASMTIME: f64 = 4.0;
const BULK_MS: f64 = 80.0;
const SUBMISSIONS: u32 = 10_000;
const ENDED: u32 = 10_000;
const ROUND_TRIP_MS: f64 = 3.0;

/// All measurements of one candidate, in the order of the rounds.
struct Candidate {
    name: String,
    kind: Kind,
    busy: Vec<Measured>,
    idle: Vec<Measured>,
    bulk: Vec<(&'static str, Vec<f64>)>,
}

/// Everything that was measured.
pub(crate) struct Report {
    facts: Vec<String>,
    candidates: Vec<Candidate>,
    jobs: Vec<Jobs>,
}

impl Report {
    pub(crate) fn new(load: &Load, wasmtime: Option<&Path>) -> Self {
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let wasmtime = wasmtime.map_or_else(
            || {
                "no wasmtime: `cargo install wasmtime-cli --version 48.0.8 --locked --root \
                 target/tools` installs it where it is looked for"
                    .into()
            },
            |wasmtime| said(Command::new(wasmtime).arg("--version")),
        );
        let facts = vec![
            format!("{cores} cores, {}", processor()),
            format!("load {} at the start", load_average()),
            said(Command::new("rustc").arg("--version")),
            wasmtime,
            load.version.clone(),
        ];
        Self { facts, candidates: Vec::new(), jobs: Vec::new() }
    }

    pub(crate) fn busy(&mut self, server: &Server, measured: Measured) {
        self.candidate(server).busy.push(measured);
    }

    pub(crate) fn idle(&mut self, server: &Server, measured: Measured) {
        self.candidate(server).idle.push(measured);
    }

    pub(crate) fn bulk(&mut self, server: &Server, what: &'static str, time: Duration) {
        let bulk = &mut self.candidate(server).bulk;
        let ms = time.as_secs_f64() * 1e3;
        match bulk.iter_mut().find(|(known, _)| *known == what) {
            Some((_, times)) => times.push(ms),
            None => bulk.push((what, vec![ms])),
        }
    }

    pub(crate) fn jobs(&mut self, jobs: Vec<Jobs>) {
        self.jobs = jobs;
    }

    fn candidate(&mut self, server: &Server) -> &mut Candidate {
        let known = self.candidates.iter().position(|candidate| candidate.name == server.name);
        let i = known.unwrap_or_else(|| {
            let (name, kind) = (server.name.clone(), server.kind);
            let (busy, idle, bulk) = (Vec::new(), Vec::new(), Vec::new());
            self.candidates.push(Candidate { name, kind, busy, idle, bulk });
            self.candidates.len() - 1
        });
        &mut self.candidates[i]
    }

    /// Prints the table to the standard output.
    pub(crate) fn print(&self) {
        println!("{}; load {} at the end\n", self.facts.join("; "), load_average());
        let names = self.candidates.iter().map(|candidate| candidate.name.clone());
        row("", names, "target");
        row("---", self.candidates.iter().map(|_| "---:".into()), "---");
        self.busy_rows();
        self.idle_rows();
        self.bulk_rows();
        self.job_rows();
    }

    fn busy_rows(&self) {
        self.row("`GET /add`, 16 connections: requests/s", "", |c| {
            median(c.busy.iter().map(|m| m.rate)).map(|rate| format!("{rate:.0}"))
        });
        let target = format!("tarp >= {OF_BARE}");
        self.row("... of bare hyper's rate", &target, |c| {
            self.ratio(c, Kind::Bare).map(|ratio| format!("{ratio:.2}"))
        });
        self.row("... of tarp's rate", "with a token >= 0.95", |c| {
            self.ratio(c, Kind::Host).map(|ratio| format!("{ratio:.2}"))
        });
        let target = format!("tarp >= {TIMES_WASMTIME}");
        self.row("... of wasmtime serve's rate", &target, |c| {
            self.ratio(c, Kind::Wasmtime).map(|ratio| format!("{ratio:.2}"))
        });
        self.row("... server's CPU time a request, us", "", |c| {
            median(c.busy.iter().map(|m| m.cpu)).map(|cpu| format!("{cpu:.1}"))
        });
        self.row("... wrk's own part of a core", "", |c| {
            median(c.busy.iter().map(|m| m.wrk)).map(|part| format!("{part:.2}"))
        });
        self.row("... p50 / p99, us", "", |c| percentiles(&c.busy));
    }

    fn idle_rows(&self) {
        self.row("`GET /add`, one connection: p50 / p99, us", "", |c| percentiles(&c.idle));
    }

    fn bulk_rows(&self) {
        let host = self.candidates.iter().find(|candidate| candidate.kind == Kind::Host);
        for (i, (what, _)) in host.iter().flat_map(|host| &host.bulk).enumerate() {
            let target = if i == 0 { format!("< {BULK_MS}") } else { String::new() };
            self.row(&format!("`scale` of a million f64, {what}: median ms"), &target, |c| {
                let (_, times) = c.bulk.iter().find(|(known, _)| known == what)?;
                median(times.iter().copied()).map(|ms| format!("{ms:.1}"))
            });
        }
    }

    fn job_rows(&self) {
        if self.jobs.is_empty() {
            return;
        }
        println!();
        row(
            "durable jobs, by what is in the store",
            self.jobs.iter().map(|j| j.store.into()),
            "target",
        );
        row("---", self.jobs.iter().map(|_| "---:".into()), "---");
        let rates = self.jobs.iter().map(|j| format!("{:.0}", j.submissions.rate));
        row("submissions/s over HTTP, 16 connections", rates, &format!(">= {SUBMISSIONS}"));
        let rates = self.jobs.iter().map(|j| format!("{:.0}", j.ended));
        row("jobs/s to their ends, meanwhile", rates, &format!(">= {ENDED}"));
        let times = self.jobs.iter().map(|j| format!("{:.2}", j.round_trip));
        let target = format!("<= {ROUND_TRIP_MS}");
        row("submission to result, one at a time: median ms", times, &target);
    }

    /// The median of the rounds' ratios to the candidate of that kind: what disturbs one round
    /// disturbs both.
    fn ratio(&self, of: &Candidate, to: Kind) -> Option<f64> {
        let to = self.candidates.iter().find(|candidate| candidate.kind == to)?;
        median(of.busy.iter().zip(&to.busy).map(|(of, to)| of.rate / to.rate))
    }

    fn row(&self, what: &str, target: &str, cell: impl Fn(&Candidate) -> Option<String>) {
        row(what, self.candidates.iter().map(|c| cell(c).unwrap_or_default()), target);
    }
}

fn row(what: &str, cells: impl Iterator<Item = String>, target: &str) {
    println!("| {what} | {} | {target} |", cells.collect::<Vec<_>>().join(" | "));
}

fn percentiles(measured: &[Measured]) -> Option<String> {
    let p50 = median(measured.iter().map(|m| m.p50))?;
    let p99 = median(measured.iter().map(|m| m.p99))?;
    Some(format!("{p50:.0} / {p99:.0}"))
}

/// `None` of nothing.
pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    let (low, high) = (numbers.len().checked_sub(1)? / 2, numbers.len() / 2);
    Some(f64::midpoint(numbers[low], numbers[high]))
}

/// The first line of what a program says.
fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("?").into()
}

fn processor() -> String {
    let file = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = file.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "an unknown processor".into(), |(_, model)| model.into())
}

fn load_average() -> String {
    let file = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    file.split(' ').next().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median([].into_iter()), None);
    }
}
