//! What is going on, for a person who waits: steps, how far one has come, what a tool says.
//!
//! Knows no language and no tool. [`to_stderr`] takes what fits: bars and spinners on a terminal,
//! plain lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Something that a person may want to see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A step begins: "compiling stats.py".
    Begin(&'a str),
    /// How many bytes of the running step are done, of how many.
    Bytes {
        /// So far.
        done: u64,
        /// In all.
        total: u64,
    },
    /// A line that the tool of the running step wrote.
    Output(&'a str),
    /// The running step has ended, well or not.
    End,
    /// Something that the author should know, though the component is built.
    Warning(&'a str),
}

/// Somebody who wants to know. Steps are not nested and not at the same time.
pub trait Reporter: Sync {
    /// Takes an event.
    fn report(&self, event: Event<'_>);
}

/// A step; it ends when it is dropped.
pub struct Step<'a>(&'a dyn Reporter);

impl<'a> Step<'a> {
    /// Begins a step.
    pub fn begin(reporter: &'a dyn Reporter, text: &str) -> Self {
        reporter.report(Event::Begin(text));
        Self(reporter)
    }

    /// How far it has come.
    pub fn bytes(&self, done: u64, total: u64) {
        self.0.report(Event::Bytes { done, total });
    }

    /// What its tool says.
    pub fn output(&self, line: &str) {
        self.0.report(Event::Output(line));
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.0.report(Event::End);
    }
}

/// For programs: nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _event: Event<'_>) {}
}

/// The reporter that fits standard error.
#[must_use]
pub fn to_stderr() -> Box<dyn Reporter> {
    if std::io::stderr().is_terminal() { Box::new(Terminal::default()) } else { Box::new(Lines) }
}

/// A line for each step, on standard error: for logs and pipes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Reporter for Lines {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Begin(text) => eprintln!("{text}"),
            Event::Warning(text) => eprintln!("warning: {text}"),
            Event::Bytes { .. } | Event::Output(_) | Event::End => {}
        }
    }
}

/// A spinner for each step, or a bar where the step knows how far it has come. A step that is over
/// at once leaves no trace.
#[derive(Debug, Default)]
pub struct Terminal {
    bar: Mutex<Option<ProgressBar>>,
}

impl Reporter for Terminal {
    fn report(&self, event: Event<'_>) {
        let mut bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Begin(text) => {
                let spinner = ProgressBar::new_spinner().with_message(text.to_owned());
                spinner.set_style(style("{spinner} {msg} ({elapsed})"));
                spinner.enable_steady_tick(Duration::from_millis(100));
                *bar = Some(spinner);
            }
            Event::Bytes { done, total } => {
                if let Some(bar) = &*bar {
                    if bar.length() != Some(total) {
                        bar.set_length(total);
                        bar.set_style(style("{msg} {wide_bar} {bytes}/{total_bytes}"));
                    }
                    bar.set_position(done);
                }
            }
            Event::Output(_) => {}
            Event::End => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
            Event::Warning(text) => match &*bar {
                Some(bar) => bar.suspend(|| eprintln!("warning: {text}")),
                None => eprintln!("warning: {text}"),
            },
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
