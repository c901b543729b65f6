//! What changes jobs: each function is one change, and runs within a transaction of the writer's.
//!
//! A function either does all of its change or fails; it never commits. The only error after which
//! the transaction goes on is a handle that is there already, in the first statement that writes.

use std::time::SystemTime;

use rusqlite::{OptionalExtension, Result, params};

use super::read;
use super::row::{nanoseconds, number, stamp};
use super::session::Session;
use crate::codec::neutral;
use crate::jobs::model::{Ending, Fault, IdempotencyKey, JobId, Logs, NewJob, State};
use crate::jobs::store::{Claim, Fence, KEPT_ARGUMENTS, StoreError, Submission, Version};
use crate::sandbox::{Level, Progress};

/// How long a key of a submitter's is remembered, in nanoseconds of the store's clock: 24 hours.
const KEY_KEPT: i64 = 24 * 3600 * 1_000_000_000;

/// Stores a job as queued, unless its key came before.
pub(super) fn submit(
    session: &mut Session<'_>,
    job: &NewJob,
    quota: Option<u64>,
) -> Result<Result<Submission, StoreError>> {
    if let Some(key) = &job.key
        && let Some(known) = read::known_at(session.connection, key, session.state.clock)?
    {
        return Ok(Ok(known));
    }
    if let Some(full) = over(session, quota, job.arguments.len(), 0)? {
        return Ok(Err(full));
    }
    let sequence = session.state.next_sequence;
    session.execute(
        "INSERT INTO jobs (sequence, id, procedure, file, digest, state, priority, attempts,
            max_attempts, backoff, is_repeatable, suggested_wait, submitted, started, is_pinned)
         VALUES (?1, ?2, ?3, ?4, ?5, ?12, ?6, ?12, ?7, ?8, ?9, ?10, ?11, ?13, ?14)",
        params![
            sequence,
            job.id.as_bytes(),
            job.procedure,
            job.file,
            job.digest,
            job.priority.urgency(),
            job.max_attempts,
            nanoseconds(job.backoff),
            job.is_repeatable,
            job.suggested_wait,
            stamp(job.submitted),
            // One attempt has begun where it runs: both are 1.
            job.begun.is_some(),
            job.begun.map(stamp),
            job.is_pinned,
        ],
    )?;
    session.execute(
        "INSERT OR REPLACE INTO arguments VALUES (?1, ?2)",
        params![sequence, job.arguments],
    )?;
    if let Some(IdempotencyKey { key, request }) = &job.key {
        let expires = session.state.clock.saturating_add(KEY_KEPT);
        session.execute(
            "INSERT OR REPLACE INTO keys VALUES (?1, ?2, ?3, ?4)",
            params![key, request, job.id.as_bytes(), expires],
        )?;
    }
    session.state.next_sequence += 1;
    Ok(Ok(Submission::New(sequence.cast_unsigned())))
}

/// How many bytes of a job's arguments go when it ends.
fn freed(session: &Session<'_>, sequence: i64) -> Result<u64> {
    let mut length = session
        .connection
        .prepare_cached("SELECT length(arguments) FROM arguments WHERE sequence = ?1")?;
    let length: Option<i64> = length.query_row([sequence], |row| row.get(0)).optional()?;
    let length = length.unwrap_or(0).unsigned_abs();
    Ok(if length > KEPT_ARGUMENTS as u64 { length } else { 0 })
}

/// The refusal of so many bytes in place of others, where there would be more than the quota.
fn over(
    session: &Session<'_>,
    quota: Option<u64>,
    more: usize,
    freed: u64,
) -> Result<Option<StoreError>> {
    let Some(quota) = quota else { return Ok(None) };
    let ask = |sql| -> Result<u64> {
        let mut pragma = session.connection.prepare_cached(sql)?;
        pragma.query_row([], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    let pages = ask("PRAGMA page_count")?.saturating_sub(ask("PRAGMA freelist_count")?);
    let used = pages * ask("PRAGMA page_size")?;
    let would_be = used.saturating_sub(freed).saturating_add(more as u64);
    Ok((would_be > quota).then(|| {
        let [used, quota] = [used, quota].map(|n| bytesize::ByteSize(n).display().iec());
        StoreError::Full(format!(
            "it holds {used} of the {quota} that `max_disk` of `[jobs]` allows"
        ))
    }))
}

/// Begins an attempt, and gives the arguments.
pub(super) fn claim(
    session: &mut Session<'_>,
    id: JobId,
    version: &Version,
    at: SystemTime,
) -> Result<Option<Claim>> {
    let Some((sequence, attempt)) = unfinished(session, id, Fence::Queued)? else {
        return Ok(None);
    };
    let attempt = attempt.saturating_add(1);
    session.execute(
        "UPDATE jobs SET state = 1, attempts = ?2, file = ?3, digest = ?4, started = ?5, is_repeatable = ?6,
            not_before = NULL, progress = NULL, fuel = 0, peak_memory = 0, instantiate = 0, run = 0
         WHERE sequence = ?1",
        params![
            sequence,
            attempt,
            version.file,
            version.digest,
            stamp(at),
            version.is_repeatable
        ],
    )?;
    // The last attempt's failure is not this one's.
    session.execute("DELETE FROM errors WHERE sequence = ?1", [sequence])?;
    let mut arguments =
        session.connection.prepare_cached("SELECT arguments FROM arguments WHERE sequence = ?1")?;
    // Where they are not there, they are unreadable: the fault of this job alone.
    let arguments = arguments.query_row([sequence], |row| row.get(0)).optional()?;
    Ok(Some(Claim { attempt, arguments: arguments.unwrap_or_default() }))
}

/// Keeps what an attempt has told so far; `false` where it is not the one that runs.
pub(super) fn note(
    session: &mut Session<'_>,
    id: JobId,
    attempt: u32,
    progress: Option<&Progress>,
    logs: &Logs,
) -> Result<bool> {
    let Some((sequence, _)) = unfinished(session, id, Fence::Attempt(attempt))? else {
        return Ok(false);
    };
    session.execute(
        "UPDATE jobs SET progress = ?2 WHERE sequence = ?1",
        params![sequence, progress.map(neutral::encode)],
    )?;
    keep_logs(session, sequence, logs)?;
    Ok(true)
}

/// Ends an attempt; `false` where it has ended before, or is not the one that runs.
pub(super) fn finish(
    session: &mut Session<'_>,
    id: JobId,
    fence: Fence,
    ending: &Ending,
    quota: Option<u64>,
) -> Result<Result<bool, StoreError>> {
    let Some((sequence, _)) = unfinished(session, id, fence)? else { return Ok(Ok(false)) };
    if let Some(result) = &ending.result
        && let Some(full) = over(session, quota, result.len(), freed(session, sequence)?)?
    {
        return Ok(Err(full));
    }
    let is_over = ending.state.is_terminal();
    let receipt = &ending.receipt;
    session.execute(
        "UPDATE jobs SET state = ?2, ended = ?3, expires = ?4, not_before = ?5, progress = ?6,
            fuel = ?7, peak_memory = ?8, instantiate = ?9, run = ?10,
            failures = failures + ?11, crashes = crashes + ?12
         WHERE sequence = ?1",
        params![
            sequence,
            number(ending.state),
            is_over.then_some(stamp(ending.ended)),
            is_over.then_some(session.state.clock.saturating_add(nanoseconds(ending.keep_for))),
            ending.not_before.filter(|_| !is_over).map(stamp),
            ending.progress.as_ref().map(neutral::encode),
            receipt.fuel.cast_signed(),
            (receipt.peak_memory as u64).cast_signed(),
            nanoseconds(receipt.instantiate),
            nanoseconds(receipt.run),
            ending.fault == Fault::Attempt,
            ending.fault == Fault::Crash,
        ],
    )?;
    match &ending.error {
        Some(error) => session.execute(
            "INSERT OR REPLACE INTO errors VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                sequence,
                error.kind.name(),
                error.message,
                error.value.as_ref().map(neutral::encode),
                error.backtrace,
                error.retry_after,
            ],
        )?,
        None => session.execute("DELETE FROM errors WHERE sequence = ?1", [sequence])?,
    };
    keep_logs(session, sequence, &ending.logs)?;
    if is_over {
        session.execute(
            "DELETE FROM arguments WHERE sequence = ?1 AND length(arguments) > ?2",
            params![sequence, KEPT_ARGUMENTS as i64],
        )?;
    }
    if let (State::Succeeded, Some(result)) = (ending.state, &ending.result) {
        session.execute(
            "INSERT OR REPLACE INTO results VALUES (?1, ?2)",
            params![sequence, &**result],
        )?;
    }
    Ok(Ok(true))
}

fn keep_logs(session: &Session<'_>, sequence: i64, logs: &Logs) -> Result<usize> {
    if *logs == Logs::default() {
        return session.execute("DELETE FROM logs WHERE sequence = ?1", [sequence]);
    }
    let lines = logs.lines.iter();
    let lines = lines.map(|line| (line.number, stamp(line.time), &line.level, &line.message));
    let lines: Vec<(u64, i64, &Level, &String)> = lines.collect();
    session.execute(
        "INSERT OR REPLACE INTO logs VALUES (?1, ?2, ?3, ?4)",
        params![sequence, logs.stdout, logs.stderr, neutral::encode(&lines)],
    )
}

/// Notes that somebody asked the job to stop; `false` where it has ended.
pub(super) fn ask_to_stop(session: &mut Session<'_>, id: JobId) -> Result<bool> {
    let noted = session.execute(
        "UPDATE jobs SET cancel_requested = 1 WHERE id = ?1 AND state <= 1",
        [id.as_bytes()],
    )?;
    Ok(noted == 1)
}

/// The place of a job that is queued, or in that attempt, and the number of its newest attempt.
fn unfinished(session: &Session<'_>, id: JobId, fence: Fence) -> Result<Option<(i64, u32)>> {
    let (state, attempt) = match fence {
        Fence::Queued => (State::Queued, None),
        Fence::Attempt(attempt) => (State::Running, Some(attempt)),
    };
    session
        .connection
        .prepare_cached(
            "SELECT sequence, attempts FROM jobs
             WHERE id = ?1 AND state = ?2 AND attempts = coalesce(?3, attempts)",
        )?
        .query_row(params![id.as_bytes(), number(state), attempt], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
}
