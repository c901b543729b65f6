//! Standard output of the commands: colours where they are wanted, one JSON document where a program
//! reads, and no fuss about a reader who has read enough.

use std::fmt::{self, Display};
use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result};
use serde::Serialize;
pub(super) use tarp_cli_client::style::{BAD, BOLD, DIM, GOOD, WARN, painted, printable};

/// Prints what is to be seen, and ends the line.
///
/// # Errors
///
/// When it cannot be written, but not when nobody reads it any longer: `tarp inspect … | head`.
pub(super) fn print(text: impl Display) -> Result<()> {
    match writeln!(anstream::stdout().lock(), "{text}") {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("standard output"),
        _ => Ok(()),
    }
}

/// Prints one JSON document on one line.
///
/// # Errors
///
/// As [`print`].
pub(super) fn print_json(document: &impl Serialize) -> Result<()> {
    print(serde_json::to_string(document)?)
}

/// How a command that goes on says what happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum EventPrinter {
    /// In words.
    People,
    /// As one JSON document a line.
    Programs,
}

impl EventPrinter {
    /// Says something, unless it cannot be written: what goes on is not to end because of that.
    pub(super) fn tell(self, event: &(impl Display + Serialize)) {
        let _ = match self {
            Self::People => print(event),
            Self::Programs => print_json(event),
        };
    }
}

/// `1 problem`, `2 problems`.
pub(super) fn counted(n: usize, what: &str) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{n} {what}{}", if n == 1 { "" } else { "s" }))
}
