//! What is seen of work that takes long: a bar on standard error, where that is a terminal, and the
//! job's log lines above it. Knows no host.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::job::{Job, LogLine, Progress};
use crate::style::{DIM, of_level, one_line, painted};

/// How often the bar is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// Steps of the bar: the units of the work may be of any size.
const STEPS: f64 = 10_000.0;

const MEASURED: &str = "{spinner} {prefix} [{bar:30}] {percent:>3}% {elapsed} {wide_msg}";
const UNMEASURED: &str = "{spinner} {prefix} {elapsed} {wide_msg}";

/// A bar; where standard error is no terminal, only the log lines.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    is_measured: bool,
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Bar {
    /// A bar that says only that something is going on.
    pub(crate) fn new(what: &str) -> Self {
        let bar = ProgressBar::new(STEPS as u64).with_style(style(UNMEASURED));
        bar.set_prefix(one_line(what));
        bar.enable_steady_tick(TICK);
        Self { bar, is_measured: false }
    }

    /// Shows how far the work has come.
    pub(crate) fn progress(&mut self, progress: &Progress) {
        let fraction = match (progress.done, progress.total) {
            (Some(done), Some(total)) if total > 0.0 => Some((done / total).clamp(0.0, 1.0)),
            _ => None,
        };
        if fraction.is_some() != self.is_measured {
            self.is_measured = fraction.is_some();
            self.bar.set_style(style(if self.is_measured { MEASURED } else { UNMEASURED }));
        }
        if let Some(fraction) = fraction {
            self.bar.set_position((fraction * STEPS) as u64);
        }
        self.bar.set_message(shown(progress));
    }

    /// Shows what the job is doing.
    pub(crate) fn state(&mut self, job: &Job) {
        match (&job.progress, job.turn()) {
            (_, Some(turn)) => self.say(&turn),
            (Some(progress), None) => self.progress(progress),
            (None, None) => self.say(&job.state),
        }
    }

    /// Shows something in place of the progress's message.
    pub(crate) fn say(&self, message: &str) {
        self.bar.set_message(one_line(message));
    }

    /// Writes a log line above the bar.
    pub(crate) fn log(&self, line: &LogLine) {
        self.bar.suspend(|| anstream::eprintln!("{}", log_line(line)));
    }
}

fn style(template: &str) -> ProgressStyle {
    // A template that is wrong is found by the test below.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// How far the work has come, in its own words and units.
pub(crate) fn shown(progress: &Progress) -> String {
    let amount = match (progress.done, progress.total) {
        (Some(done), Some(total)) => Some(format!("{done} of {total}")),
        (Some(done), None) => Some(done.to_string()),
        _ => None,
    };
    let message = progress.message.as_deref().map(one_line).filter(|message| !message.is_empty());
    [amount, message].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// A line of a job's log, for people: the time of day, the level, the message.
pub(crate) fn log_line(line: &LogLine) -> String {
    let time = line.time.split_once('T').map_or(&*line.time, |(_, time)| time);
    let time = time.get(..8).unwrap_or(time);
    let level = painted(of_level(&line.level), &format!("{:5}", line.level));
    format!("{} {level} {}", painted(DIM, time), one_line(&line.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_templates() {
        for template in [MEASURED, UNMEASURED] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn progress_is_told_in_its_own_units() {
        let progress = |done, total, message: Option<&str>| {
            shown(&Progress { done, total, message: message.map(str::to_owned) })
        };
        assert_eq!(progress(Some(0.5), Some(1.0), Some("half\n")), "0.5 of 1 · half⏎");
        assert_eq!(progress(Some(7.0), None, None), "7");
        assert_eq!(progress(None, None, Some("fitting")), "fitting");
    }
}
