//! The audit log: who did what, when, and what came of it, as lines of JSON in a file.
//!
//! Whoever has something to tell writes an [`Entry`] to the [`Audit`], which neither waits nor fails: a
//! [`writer`] with a thread of its own puts the lines into a [`file`](mod@file). What it cannot keep is counted, and the
//! count is a line of the log. [`tokens`] tells of tokens that come and go. It knows no HTTP.

mod entry;
mod file;
mod tokens;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::warn;

use crate::config::AuditConfig;
pub use entry::{Entry, Event, Outcome};
use file::LogFile;
use writer::Writer;

/// How long the last lines may take when the host stops.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The audit log of a host.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    writer: Writer,
    wants_arguments: bool,
}

/// An audit log that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the audit log {}: {source}; name another `file` in [audit], or mend that", file.display())]
pub struct AuditError {
    file: PathBuf,
    source: std::io::Error,
}

impl Audit {
    /// The log that is configured, if one is.
    ///
    /// # Errors
    ///
    /// Where its file cannot be written.
    pub fn open(config: &AuditConfig) -> Result<Option<Self>, AuditError> {
        let Some(file) = &config.file else { return Ok(None) };
        let opened = LogFile::open(file, config.max_size, config.keep).and_then(Writer::start);
        let writer = opened.map_err(|source| AuditError { file: file.clone(), source })?;
        Ok(Some(Self(Arc::new(Inner { writer, wants_arguments: config.arguments }))))
    }

    /// Whether the arguments of calls are to be in it.
    #[must_use]
    pub fn wants_arguments(&self) -> bool {
        self.0.wants_arguments
    }

    /// Writes a line. Where there are too many, it is dropped and counted.
    pub fn write(&self, entry: &Entry<'_>) {
        self.0.writer.push(entry.line(SystemTime::now()));
    }

    /// How many lines were dropped since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.writer.dropped()
    }

    /// Writes what waits, if that is possible, and nothing after it.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.0);
        let closed = tokio::task::spawn_blocking(move || inner.writer.close(CLOSE_TIMEOUT)).await;
        if !closed.unwrap_or(false) {
            warn!("the last lines of the audit log were not written in time");
        }
    }
}
