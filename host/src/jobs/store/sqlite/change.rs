//! What changes jobs: each function is one change, and runs within a transaction of the writer's.
//!
//! A function either does all of its change or fails; it never commits. The only error after which
//! the transaction goes on is a handle that is there already, in the first statement that writes.

use rusqlite::{OptionalExtension, Result, params};

use super::read;
use super::row::{labels_text, nanoseconds, number as state_number, stamp};
use super::session::Session;
use crate::codec::neutral;
use crate::jobs::model::{
    Attempt, Completion, FailureCause, IdempotencyKey, JobId, JobState, Logs, NewJob,
};
use crate::jobs::store::{Fence, KEPT_ARGUMENTS, StoreError, Submission};
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
            max_attempts, backoff, is_repeatable, suggested_wait, submitted, started, is_pinned,
            owner, peer, requires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?12, ?6, ?12, ?7, ?8, ?9, ?10, ?11, ?13, ?14, ?15, ?16, ?17)",
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
            job.owner,
            job.peer,
            labels_text(&job.requires),
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

/// Removes a job that nobody knows of, as if it had never been there.
pub(super) fn withdraw(session: &mut Session<'_>, id: JobId) -> Result<()> {
    // Queued, or begun with its submission.
    let Some(job) = unfinished(session, id, Fence::Attempt(1))? else { return Ok(()) };
    session.execute("DELETE FROM arguments WHERE sequence = ?1", [job.sequence])?;
    session.execute("DELETE FROM jobs WHERE sequence = ?1", [job.sequence])?;
    // It may have been the newest; its place is not given away again.
    session.execute("UPDATE store SET next_sequence = ?1", [session.state.next_sequence])?;
    session.execute("DELETE FROM keys WHERE id = ?1", [id.as_bytes()])?;
    Ok(())
}

/// The refusal of so many bytes in place of others, where there would be more than the quota.
fn over(
    session: &mut Session<'_>,
    quota: Option<u64>,
    more: usize,
    freed: u64,
) -> Result<Option<StoreError>> {
    let Some(quota) = quota else { return Ok(None) };
    let taken = session.take(quota, more as u64, freed)?;
    Ok(taken.err().map(|used| {
        let [used, quota] = [used, quota].map(|n| bytesize::ByteSize(n).display().iec());
        StoreError::Full(format!(
            "it holds {used} of the {quota} that `max_disk` of `[jobs]` allows"
        ))
    }))
}

/// Records that an attempt has begun.
pub(super) fn claim(session: &mut Session<'_>, id: JobId, attempt: &Attempt) -> Result<bool> {
    let Some(job) = unfinished(session, id, Fence::Attempt(attempt.number))? else {
        return Ok(false);
    };
    if job.is_running {
        return Ok(true);
    }
    let Attempt { number, version, started } = attempt;
    session.execute(
        "UPDATE jobs SET state = 1, attempts = ?2, file = ?3, digest = ?4, started = ?5, is_repeatable = ?6,
            not_before = NULL, progress = NULL, fuel = 0, peak_memory = 0, instantiate = 0, run = 0
         WHERE sequence = ?1",
        params![
            job.sequence,
            number,
            version.file,
            version.digest,
            stamp(*started),
            version.is_repeatable
        ],
    )?;
    // The last attempt's failure is not this one's.
    session.execute("DELETE FROM errors WHERE sequence = ?1", [job.sequence])?;
    Ok(true)
}

/// Keeps what an attempt has told so far; `false` where it is not the one that runs.
pub(super) fn note(
    session: &mut Session<'_>,
    id: JobId,
    attempt: u32,
    progress: Option<&Progress>,
    logs: &Logs,
) -> Result<bool> {
    let job = unfinished(session, id, Fence::Attempt(attempt))?;
    let Some(Unfinished { sequence, .. }) = job.filter(|job| job.is_running) else {
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
    completion: &Completion,
    quota: Option<u64>,
) -> Result<Result<bool, StoreError>> {
    let Some(job) = unfinished(session, id, fence)? else { return Ok(Ok(false)) };
    let sequence = job.sequence;
    let freed = if job.arguments > KEPT_ARGUMENTS as u64 { job.arguments } else { 0 };
    if let Some(result) = &completion.result
        && let Some(full) = over(session, quota, result.len(), freed)?
    {
        return Ok(Err(full));
    }
    let is_over = completion.state.is_terminal();
    let receipt = &completion.receipt;
    let number = match fence {
        Fence::Queued => job.attempts,
        Fence::Attempt(number) => number,
    };
    let attempt = completion.attempt.as_ref().filter(|attempt| attempt.number == number);
    let version = attempt.map(|attempt| &attempt.version);
    session.execute(
        "UPDATE jobs SET state = ?2, ended = ?3, expires = ?4, not_before = ?5, progress = ?6,
            fuel = ?7, peak_memory = ?8, instantiate = ?9, run = ?10,
            failures = failures + ?11, crashes = crashes + ?12, attempts = ?13,
            file = coalesce(?14, file), digest = coalesce(?15, digest),
            is_repeatable = coalesce(?16, is_repeatable), started = coalesce(?17, started)
         WHERE sequence = ?1",
        params![
            sequence,
            state_number(completion.state),
            is_over.then_some(stamp(completion.ended)),
            is_over.then_some(session.state.clock.saturating_add(nanoseconds(completion.keep_for))),
            completion.not_before.filter(|_| !is_over).map(stamp),
            completion.progress.as_ref().map(neutral::encode),
            receipt.fuel.cast_signed(),
            (receipt.peak_memory as u64).cast_signed(),
            nanoseconds(receipt.instantiate),
            nanoseconds(receipt.run),
            completion.fault == FailureCause::Attempt,
            completion.fault == FailureCause::Crash,
            number,
            version.map(|version| &version.file),
            version.map(|version| &version.digest),
            version.map(|version| version.is_repeatable),
            attempt.map(|attempt| stamp(attempt.started)),
        ],
    )?;
    // Only earlier attempts, and notes of one that was claimed, leave anything behind.
    let is_first = job.attempts == 0 && !job.is_running;
    match &completion.error {
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
        None if is_first => 0,
        None => session.execute("DELETE FROM errors WHERE sequence = ?1", [sequence])?,
    };
    if !(is_first && completion.logs == Logs::default()) {
        keep_logs(session, sequence, &completion.logs)?;
    }
    if is_over && freed > 0 {
        session.execute("DELETE FROM arguments WHERE sequence = ?1", [sequence])?;
    }
    if let (JobState::Succeeded, Some(result)) = (completion.state, &completion.result) {
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

/// A job that has not ended.
struct Unfinished {
    sequence: i64,
    /// The number of its newest attempt.
    attempts: u32,
    is_running: bool,
    /// Bytes of its arguments.
    arguments: u64,
}

/// The job that is queued, or in that attempt, or queued before it.
fn unfinished(session: &Session<'_>, id: JobId, fence: Fence) -> Result<Option<Unfinished>> {
    let mut query = session.connection.prepare_cached(
        "SELECT sequence, attempts, state,
            (SELECT length(arguments) FROM arguments WHERE sequence = jobs.sequence)
         FROM jobs WHERE id = ?1 AND state <= 1",
    )?;
    let job = query
        .query_row([id.as_bytes()], |row| {
            Ok(Unfinished {
                sequence: row.get(0)?,
                attempts: row.get(1)?,
                is_running: row.get::<_, i64>(2)? == state_number(JobState::Running),
                arguments: row.get::<_, Option<i64>>(3)?.unwrap_or(0).unsigned_abs(),
            })
        })
        .optional()?;
    Ok(job.filter(|job| match (fence, job.is_running) {
        (Fence::Queued, is_running) => !is_running,
        (Fence::Attempt(number), true) => job.attempts == number,
        (Fence::Attempt(number), false) => job.attempts.saturating_add(1) == number,
    }))
}
