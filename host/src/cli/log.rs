//! The log on standard error.

use std::fmt;
use std::str::FromStr as _;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;
use tarp_host::sandbox::PRINTED;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt as log_format};

use super::screen::{DIM, EventPrinter, painted, printable};

/// What says which entries are logged.
const VARIABLE: &str = "TARP_LOG";

/// How entries are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

/// Logs what `TARP_LOG` says, or what matters at least as much as `least`. Has `printer` say what procedures
/// print, where there is one.
///
/// # Errors
///
/// Where `TARP_LOG` cannot be read.
pub(super) fn log_to_stderr(
    format: LogFormat,
    least: LevelFilter,
    printer: Option<EventPrinter>,
) -> Result<()> {
    let filter = match std::env::var_os(VARIABLE) {
        None => Targets::new().with_default(least),
        Some(text) => {
            let text = text.to_string_lossy();
            Targets::from_str(&text).with_context(|| {
                format!(
                    "{VARIABLE}={text:?} is no filter of log entries; `debug` is one, and so is `info,tarp_host::catalog=debug`"
                )
            })?
        }
    };
    // As for all that goes to a terminal: not into a file or a pipe, nor where NO_COLOR or TERM say so.
    let wants_colours = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    let entries = log_format::layer().with_ansi(wants_colours).with_writer(std::io::stderr);
    let entries: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => entries.with_filter(filter).boxed(),
        LogFormat::Json => entries.json().with_filter(filter).boxed(),
    };
    let printed = printer.map(|printer| {
        Prints(printer).with_filter(Targets::new().with_target(PRINTED, LevelFilter::DEBUG))
    });
    tracing_subscriber::registry().with(entries).with(printed).init();
    Ok(())
}

/// Says what procedures print.
struct Prints(EventPrinter);

impl<S: Subscriber> Layer<S> for Prints {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut printed = Printed::default();
        event.record(&mut printed);
        self.0.tell(&printed);
    }
}

/// What a procedure printed in one call.
#[derive(Debug, Default, Serialize)]
#[serde(tag = "event", rename = "printed")]
struct Printed {
    procedure: String,
    stdout: String,
    stderr: String,
}

impl Visit for Printed {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "procedure" => value.clone_into(&mut self.procedure),
            "stdout" => value.clone_into(&mut self.stdout),
            "stderr" => value.clone_into(&mut self.stderr),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [&self.stdout, &self.stderr].into_iter().flat_map(|text| text.lines());
        let name = painted(DIM, &format!("{} |", self.procedure));
        for (index, line) in lines.enumerate() {
            let end = if index > 0 { "\n" } else { "" };
            write!(f, "{end}{name} {}", printable(line))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_which_procedure_printed_it() {
        let printed = Printed {
            procedure: "mean".into(),
            stdout: "one\n\ntwo\n".into(),
            stderr: "\u{1b}[31mred".into(),
        };
        let shown = anstream::adapter::strip_str(&printed.to_string()).to_string();
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[..3], ["mean | one", "mean | ", "mean | two"]);
        assert!(lines[3].starts_with("mean | ") && !lines[3].contains('\u{1b}'));
    }
}
