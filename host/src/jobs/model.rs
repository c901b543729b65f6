//! What a job is: [`Job`] and its parts. Knows neither how jobs are stored nor how they run.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::config::Labels;
use crate::error::{CallError, ErrorKind};
use crate::sandbox::{Progress, Receipt};

/// A job's handle: a UUID of version 7. 74 of its bits are random, so that it can be neither guessed nor
/// used twice; before them is the time, so that the handles of jobs that are submitted together are
/// neighbours in a store's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(Uuid);

impl JobId {
    /// A handle that no other job has.
    #[must_use]
    pub fn random() -> Self {
        // The random bits of a version 4 that have a place in a version 7.
        let mut random = [0; 10];
        random.copy_from_slice(&Uuid::new_v4().as_bytes()[6..]);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The handle of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

pub use tarp_schema::job_state::JobState;

/// How urgent a job is: 0 to 7, less is sooner, 3 where nothing is said (as RFC 9218's `u`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// `None` above 7.
    #[must_use]
    pub fn new(urgency: u8) -> Option<Self> {
        (urgency <= 7).then_some(Self(urgency))
    }

    /// As a number.
    #[must_use]
    pub fn urgency(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(3)
    }
}

/// A job to be stored.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its handle.
    pub id: JobId,
    /// The procedure to call.
    pub procedure: Arc<str>,
    /// The file that the procedure comes from, relative to the watched folder.
    pub file: Arc<str>,
    /// BLAKE3 of that file at submission, in hexadecimal.
    pub digest: Arc<str>,
    /// The arguments, in the host's neutral encoding.
    pub arguments: Vec<u8>,
    /// How urgent it is.
    pub priority: Priority,
    /// How often it may be run at the most, counting the first time; at least 1.
    pub max_attempts: u32,
    /// How long to wait before the second attempt; doubles with each further one.
    pub backoff: Duration,
    /// Safe to retry: running it again repeats no side effect.
    pub is_repeatable: bool,
    /// Seconds between looks at its state that make sense.
    pub suggested_wait: u32,
    /// When it was submitted.
    pub submitted: SystemTime,
    /// When its first attempt began, where it begins without waiting for its turn.
    pub begun: Option<SystemTime>,
    /// Whether only the version with this digest is to run.
    pub is_pinned: bool,
    /// A key of the submitter's, with a hash of what was asked for.
    pub key: Option<IdempotencyKey>,
    /// The id of the token that submits it; `None` for anybody.
    pub owner: Option<Arc<str>>,
    /// The address that it is submitted from, where that is to be known and there is no token.
    pub peer: Option<Arc<str>>,
    /// What a host must have to run it.
    pub requires: Labels,
}

#[cfg(test)]
impl NewJob {
    /// A job of `add`, whose arguments nobody reads.
    pub(in crate::jobs) fn for_tests(id: JobId) -> Self {
        Self {
            id,
            procedure: "add".into(),
            file: "math.wasm".into(),
            digest: "d".into(),
            arguments: Vec::new(),
            priority: Priority::default(),
            max_attempts: 1,
            backoff: Duration::ZERO,
            is_repeatable: true,
            suggested_wait: 1,
            submitted: SystemTime::now(),
            begun: None,
            is_pinned: false,
            key: None,
            owner: None,
            peer: None,
            requires: Labels::default(),
        }
    }
}

impl NewJob {
    /// The record of it, at this place in the order of submission.
    #[must_use]
    pub fn record(&self, sequence: u64) -> Job {
        Job {
            id: self.id,
            sequence,
            procedure: Arc::clone(&self.procedure),
            file: Arc::clone(&self.file),
            digest: Arc::clone(&self.digest),
            state: if self.begun.is_some() { JobState::Running } else { JobState::Queued },
            priority: self.priority,
            attempts: u32::from(self.begun.is_some()),
            failures: 0,
            crashes: 0,
            is_pinned: self.is_pinned,
            max_attempts: self.max_attempts,
            backoff: self.backoff,
            is_repeatable: self.is_repeatable,
            suggested_wait: self.suggested_wait,
            submitted: self.submitted,
            started: self.begun,
            ended: None,
            kept_for: None,
            not_before: None,
            cancel_requested: false,
            progress: None,
            receipt: Receipt::default(),
            error: None,
            owner: self.owner.clone(),
            peer: self.peer.clone(),
            requires: self.requires.clone(),
        }
    }
}

/// Makes a submission repeatable: the same key and request give the same job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What the submitter chose.
    pub key: Box<str>,
    /// BLAKE3 of procedure and request.
    pub request: [u8; 32],
}

/// A job as it is stored, without its arguments, result and logs.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its handle.
    pub id: JobId,
    /// Its place in the order of submission.
    pub sequence: u64,
    /// The procedure.
    pub procedure: Arc<str>,
    /// The file that it comes from.
    pub file: Arc<str>,
    /// BLAKE3 of the file that is, was or will be run; of the newest attempt.
    pub digest: Arc<str>,
    /// Where it is.
    pub state: JobState,
    /// How urgent it is.
    pub priority: Priority,
    /// How often it was begun. It numbers the attempts.
    pub attempts: u32,
    /// How many of its attempts failed by themselves.
    pub failures: u32,
    /// How often a host crashed while it ran.
    pub crashes: u32,
    /// How often it may fail, counting the last time.
    pub max_attempts: u32,
    /// Whether only the version with this digest is to run.
    pub is_pinned: bool,
    /// How long to wait before the second attempt.
    pub backoff: Duration,
    /// Safe to retry: running it again repeats no side effect.
    pub is_repeatable: bool,
    /// Seconds between looks at its state that make sense.
    pub suggested_wait: u32,
    /// When it was submitted.
    pub submitted: SystemTime,
    /// When its newest attempt was begun.
    pub started: Option<SystemTime>,
    /// When it ended.
    pub ended: Option<SystemTime>,
    /// How much longer its result is kept; `None` while it has not ended.
    pub kept_for: Option<Duration>,
    /// Before this it is not begun again.
    pub not_before: Option<SystemTime>,
    /// Whether somebody asked it to stop.
    pub cancel_requested: bool,
    /// The last that it said of its progress.
    pub progress: Option<Progress>,
    /// What its newest attempt used.
    pub receipt: Receipt,
    /// Why it failed.
    pub error: Option<CallError>,
    /// The id of the token that submitted it; `None` where no token was needed.
    pub owner: Option<Arc<str>>,
    /// The address that it was submitted from, where that is known.
    pub peer: Option<Arc<str>>,
    /// What a host must have to run it.
    pub requires: Labels,
}

/// The version of a procedure that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The file.
    pub file: Arc<str>,
    /// BLAKE3 of the file, in hexadecimal.
    pub digest: Arc<str>,
    /// Safe to retry: running it again repeats no side effect.
    pub is_repeatable: bool,
}

/// An attempt at a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counts a job's attempts, from 1 on. Whoever records something of an attempt names it, so that
    /// nobody changes another's.
    pub number: u32,
    /// What it runs.
    pub version: Version,
    /// When it began.
    pub started: SystemTime,
}

/// How an attempt ended, and what is to be kept of it.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The attempt, where the store may not have been told that it began.
    pub attempt: Option<Attempt>,
    /// A terminal state, or [`JobState::Queued`] for another attempt.
    pub state: JobState,
    /// Whose fault it is that the attempt did not succeed.
    pub fault: FailureCause,
    /// When.
    pub ended: SystemTime,
    /// For another attempt: not before then.
    pub not_before: Option<SystemTime>,
    /// The result in the host's neutral encoding, where it succeeded.
    pub result: Option<Bytes>,
    /// Why it failed, where it did.
    pub error: Option<CallError>,
    /// What it used.
    pub receipt: Receipt,
    /// The last that it said of its progress.
    pub progress: Option<Progress>,
    /// What it wrote and logged.
    pub logs: Logs,
    /// For how long this is kept.
    pub keep_for: Duration,
}

/// Whose fault a completion is. Only faults of its own, and crashes, use up a job's attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCause {
    /// Nobody's: it succeeded, was cancelled, or a host ended in good order.
    Nobody,
    /// Its own.
    Attempt,
    /// The host crashed while it ran.
    Crash,
}

impl Job {
    /// Takes over that an attempt has begun.
    pub(super) fn begin(&mut self, attempt: Attempt) {
        let Attempt { number, version: Version { file, digest, is_repeatable }, started } = attempt;
        (self.state, self.attempts, self.started) = (JobState::Running, number, Some(started));
        (self.file, self.digest, self.is_repeatable) = (file, digest, is_repeatable);
        // The last attempt's are not this one's.
        (self.not_before, self.progress, self.error) = (None, None, None);
        self.receipt = Receipt::default();
    }

    /// Takes over what an attempt that is followed by another one left.
    pub(super) fn follow(&mut self, completion: &Completion) {
        self.state = completion.state;
        self.failures += u32::from(completion.fault == FailureCause::Attempt);
        self.crashes += u32::from(completion.fault == FailureCause::Crash);
        self.receipt = completion.receipt;
        self.progress.clone_from(&completion.progress);
        self.not_before = completion.not_before;
    }

    /// Bytes that it takes in memory.
    pub(super) fn size(&self) -> usize {
        let submitter = [&self.owner, &self.peer].into_iter().flatten();
        let submitter: usize = submitter.map(|text| text.len()).sum();
        let texts = self.procedure.len() + self.file.len() + self.digest.len() + submitter;
        // One copy of the labels for each, at the worst.
        let labels: usize =
            self.requires.iter().map(|label| size_of::<String>() + label.len()).sum();
        size_of::<Self>() + texts + labels
    }
}

impl Completion {
    /// Bytes that it takes in memory until it is stored, apart from what every completion takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let error = self.error.as_ref().and_then(|error| error.value.as_ref());
        self.result.as_ref().map_or(0, Bytes::len)
            + self.logs.stdout.len()
            + self.logs.stderr.len()
            + self.logs.lines.iter().map(|line| line.message.len()).sum::<usize>()
            + error.map_or(0, crate::value::Value::written_size)
    }

    /// What can still be recorded where the store has no room for more: that it ended, and why nothing
    /// is kept of it.
    #[must_use]
    pub fn bare(self, kind: ErrorKind, why: &str) -> Self {
        let error = match (self.state, self.error) {
            (JobState::Succeeded, _) => {
                let message =
                    format!("the procedure returned, but its result cannot be kept: {why}");
                Some(CallError::new(kind, message))
            }
            (_, error) => error.map(|error| CallError::new(error.kind, error.message)),
        };
        let state = if self.state == JobState::Succeeded { JobState::Failed } else { self.state };
        Self { state, error, result: None, logs: Logs::default(), progress: None, ..self }
    }
}

/// What a job wrote and logged, within bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
    /// What it logged through `tarp:procedure/job`.
    pub lines: Vec<LogLine>,
}

/// How whoever submitted a job can take its result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presentation {
    /// As plain values.
    #[default]
    Plain,
    /// Rows of numbers as numpy's arrays.
    Numpy,
    /// As the web procedure that made it wants it.
    Web,
}

/// A line that a guest logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The number of the event that told of it, see [`Event`](super::Event).
    pub number: u64,
    /// When.
    pub time: SystemTime,
    /// How grave it is: `trace`, `debug`, `info`, `warn` or `error`.
    pub level: crate::sandbox::Level,
    /// What.
    pub message: String,
}
