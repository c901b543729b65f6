//! What a catalog holds: a [`Procedure`], a [`Mount`], and a [`Problem`] of a file.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;

use crate::codec::types::Signature;
use crate::config::{ArrayReplies, Labels, Limits, Mode, WebMethod};
use crate::metrics::Meter;
use crate::sandbox::{Access, Function, Handler, Program};

/// A function of a component, ready to be called.
pub struct Procedure {
    /// Its name, such as `add` or `statistics/mean`.
    pub name: Arc<str>,
    /// Further names that its author or owner gave it. Who answers to one is the catalog's affair:
    /// see [`Catalog::aliases_of`](super::Catalog::aliases_of).
    pub aliases: Vec<Arc<str>>,
    /// The snake_case form of its name, where that is another: an alias that gives way to any other name.
    pub snake_name: Option<Arc<str>>,
    /// Its documentation, without its signature; empty where there is none.
    pub documentation: String,
    /// What it takes and returns.
    pub signature: Signature,
    /// The methods that it answers, where it is a web procedure: one that takes a request as it is,
    /// and not arguments.
    pub web: Option<Vec<WebMethod>>,
    /// What a call may use.
    pub limits: Limits,
    /// Permits for its calls, where their number is limited.
    pub(crate) permits: Option<Arc<Semaphore>>,
    /// How it runs as a job.
    pub jobs: JobPolicy,
    /// How the original protocol's RPC writes rows of numbers in its result.
    pub arrays: ArrayReplies,
    /// What its component might want to touch, and may.
    pub access: Arc<Access>,
    /// The component it comes from.
    pub source: Arc<Source>,
    /// Counts its calls.
    pub(crate) meter: Arc<Meter>,
    pub(crate) program: Arc<Program>,
    pub(crate) function: Function,
}

/// A component that answers requests itself, through `wasi:http`.
pub struct Mount {
    /// The path that it is mounted at, without a `/` before it: its file's name without `.wasm`.
    pub name: Arc<str>,
    /// What a request may use.
    pub limits: Limits,
    /// Permits for its answers, where their number is limited.
    pub(crate) permits: Option<Arc<Semaphore>>,
    /// What it might want to touch, and may.
    pub access: Arc<Access>,
    /// The component.
    pub source: Arc<Source>,
    /// Counts its answers.
    pub(crate) meter: Arc<Meter>,
    pub(crate) handler: Handler,
}

impl Mount {
    /// The version of `wasi:http` that it exports.
    pub fn version(&self) -> &'static str {
        self.handler.version()
    }
}

/// How a procedure runs as a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPolicy {
    /// Whether the original protocol's RPC makes a job of it.
    pub mode: Mode,
    /// What a job may use.
    pub limits: Limits,
    /// Seconds between looks at a job's state that make sense.
    pub suggested_wait: u32,
    /// How urgent a job is where its submitter does not say, 0 to 7.
    pub priority: u8,
    /// How often a job that fails is run at the most.
    pub max_attempts: u32,
    /// How many of its jobs run at once at the most.
    pub max_running: Option<u32>,
    /// What a host must have to run its jobs.
    pub requires: Labels,
    /// How long to wait before the second attempt.
    pub backoff: Duration,
    /// Safe to retry: running it again repeats no side effect.
    pub is_repeatable: bool,
}

/// The version of a file that a procedure comes from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, relative to the watched folder.
    pub file: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub digest: String,
    /// When the file was last modified.
    pub modified: SystemTime,
}

/// Something about a file that its owner should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the watched folder.
    pub file: String,
    /// What is wrong, and what would cure it.
    pub message: String,
    /// Since when.
    pub since: SystemTime,
    /// Whether the file's procedures (for a bad new version, those of the last good one) are served
    /// all the same.
    pub serving: bool,
}

impl Procedure {
    /// All further names that it would answer to, were they its own alone.
    pub fn further_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.aliases.iter().chain(&self.snake_name)
    }

    /// The methods that it answers, in requests, in `Allow` and in the OpenAPI document: those that a web
    /// procedure names, and both where arguments come in a query or in a body.
    pub fn methods(&self) -> &[WebMethod] {
        self.web.as_deref().unwrap_or(&WebMethod::ALL)
    }

    /// Its documentation as a caller sees it: the signature, unless it is that of every web procedure,
    /// then the text.
    pub fn description(&self) -> String {
        let head = match self.web {
            Some(_) => self.name.to_string(),
            None => format!("{}{}", self.name, self.signature),
        };
        if self.documentation.is_empty() {
            head
        } else {
            format!("{head}\n\n{}", self.documentation)
        }
    }
}
