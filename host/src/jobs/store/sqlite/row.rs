//! Between the columns of the tables and the types of [`model`](crate::jobs::model).

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Result, Row};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NotAName;

use crate::codec::neutral::{self, NeutralError};
use crate::config::{InvalidLabel, Labels};
use crate::error::{CallError, ErrorKind};
use crate::jobs::model::{Job, JobId, JobState, Priority};
use crate::sandbox::Receipt;

/// What [`job`] reads, of jobs with their errors.
pub(super) const JOB: &str = "
    SELECT jobs.sequence, id, procedure, file, digest, state, priority, attempts, max_attempts,
        backoff, is_repeatable, suggested_wait, submitted, started, ended,
        expires - (SELECT clock FROM store), not_before, cancel_requested, progress, fuel,
        peak_memory, instantiate, run, kind, message, value, backtrace, retry_after, failures, crashes,
        is_pinned, owner, peer, requires
    FROM jobs LEFT JOIN errors ON errors.sequence = jobs.sequence";

/// The states in which a job has not ended are 0 and 1; queries rely on it.
pub(super) fn number(state: JobState) -> i64 {
    match state {
        JobState::Queued => 0,
        JobState::Running => 1,
        JobState::Succeeded => 2,
        JobState::Failed => 3,
        JobState::Cancelled => 4,
        JobState::TimedOut => 5,
        JobState::Interrupted => 6,
    }
}

/// Nanoseconds since 1970, negative before; at the ends of what 64 bits hold, it stays there.
pub(super) fn stamp(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => nanoseconds(after),
        Err(before) => -nanoseconds(before.duration()),
    }
}

/// The time of a [`stamp`].
pub(super) fn time(stamp: i64) -> SystemTime {
    let distance = Duration::from_nanos(stamp.unsigned_abs());
    if stamp < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

/// Nanoseconds, 292 years at the most.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn duration(nanoseconds: i64) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
}

/// A job from a row of [`JOB`]. What cannot be read of it is the fault of that job alone: the rest of it
/// is shown, and so are all others.
pub(super) fn job(row: &Row<'_>) -> Result<Job> {
    let state: i64 = row.get(5)?;
    let known = JobState::ALL.into_iter().find(|known| number(*known) == state);
    let requires = labels(row, 33)?;
    let fault = match (known, &requires) {
        (None, _) => Some(format!("there is no state {state}")),
        (_, Err(e)) => Some(e.to_string()),
        _ => None,
    };
    let time_in = |column| -> Result<_> { Ok(row.get::<_, Option<i64>>(column)?.map(time)) };
    Ok(Job {
        sequence: row.get::<_, i64>(0)?.cast_unsigned(),
        id: id(row, 1)?,
        procedure: row.get(2)?,
        file: row.get(3)?,
        digest: row.get(4)?,
        state: known.filter(|_| fault.is_none()).unwrap_or(JobState::Failed),
        priority: row.get(6).ok().and_then(Priority::new).unwrap_or_default(),
        attempts: count(row, 7)?,
        max_attempts: count(row, 8)?,
        failures: count(row, 28)?,
        crashes: count(row, 29)?,
        is_pinned: row.get(30)?,
        owner: row.get(31)?,
        peer: row.get(32)?,
        requires: requires.unwrap_or_default(),
        backoff: duration(row.get(9)?),
        is_repeatable: row.get(10)?,
        suggested_wait: count(row, 11)?,
        submitted: time(row.get(12)?),
        started: time_in(13)?,
        ended: time_in(14)?,
        kept_for: row.get::<_, Option<i64>>(15)?.map(duration),
        not_before: time_in(16)?,
        cancel_requested: row.get(17)?,
        progress: decoded(row, 18)?.and_then(Result::ok),
        receipt: Receipt {
            fuel: row.get::<_, i64>(19)?.cast_unsigned(),
            peak_memory: row.get::<_, i64>(20)?.cast_unsigned() as usize,
            instantiate: duration(row.get(21)?),
            run: duration(row.get(22)?),
        },
        error: match fault {
            None => error(row, 23)?,
            Some(fault) => Some(unreadable(&fault)),
        },
    })
}

/// Labels as they are stored.
pub(super) fn labels_text(labels: &Labels) -> Option<String> {
    (!labels.is_empty()).then(|| labels.iter().collect::<Vec<_>>().join(","))
}

fn labels(row: &Row<'_>, column: usize) -> Result<Result<Labels, InvalidLabel>> {
    let Some(text) = row.get::<_, Option<String>>(column)? else {
        return Ok(Ok(Labels::default()));
    };
    let labels: BTreeSet<String> = text.split(',').map(str::to_owned).collect();
    Ok(labels.try_into())
}

/// A handle in a column.
pub(super) fn id(row: &Row<'_>, column: usize) -> Result<JobId> {
    row.get(column).map(JobId::from_bytes)
}

fn error(row: &Row<'_>, first: usize) -> Result<Option<CallError>> {
    let Some(kind) = row.get::<_, Option<String>>(first)? else { return Ok(None) };
    let deserializer: serde::de::value::StringDeserializer<NotAName> = kind.into_deserializer();
    let mut message: String = row.get(first + 1)?;
    let value = match decoded(row, first + 2)?.transpose() {
        Ok(value) => value,
        Err(e) => {
            message.push_str(&format!(" [its value cannot be read: {e}]"));
            None
        }
    };
    Ok(Some(CallError {
        // A later host may know more types.
        kind: <ErrorKind as Deserialize>::deserialize(deserializer).unwrap_or(ErrorKind::Internal),
        message,
        value,
        backtrace: row.get(first + 3)?,
        retry_after: row.get(first + 4).unwrap_or_default(),
    }))
}

fn unreadable(fault: &str) -> CallError {
    let message = format!("the record of this job is unreadable: {fault}");
    CallError::new(ErrorKind::Internal, message)
}

/// A number that is never negative; at the end of what it can be, it stays there.
fn count(row: &Row<'_>, column: usize) -> Result<u32> {
    Ok(u32::try_from(row.get::<_, i64>(column)?.max(0)).unwrap_or(u32::MAX))
}

/// What is encoded neutrally in a column that may be empty.
pub(super) fn decoded<T>(row: &Row<'_>, column: usize) -> Result<Option<Result<T, NeutralError>>>
where
    T: serde::de::DeserializeOwned,
{
    Ok(row.get_ref(column)?.as_blob_or_null()?.map(neutral::decode_first))
}
