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
use crate::jobs::model::{Ending, IdempotencyKey, JobId, Logs, NewJob, State};
use crate::jobs::store::{KEPT_ARGUMENTS, Submission};
use crate::sandbox::Level;

/// How long a key of a submitter's is remembered, in nanoseconds of the store's clock: 24 hours.
const KEY_KEPT: i64 = 24 * 3600 * 1_000_000_000;

/// Stores a job as queued, unless its key came before.
pub(super) fn submit(session: &mut Session<'_>, job: &NewJob) -> Result<Submission> {
    if let Some(key) = &job.key
        && let Some(known) = read::known_at(session.connection, key, session.state.clock)?
    {
        return Ok(known);
    }
    let sequence = session.state.next_sequence;
    session.execute(
        "INSERT INTO jobs (sequence, id, procedure, file, digest, state, priority, attempts,
            max_attempts, backoff, is_repeatable, suggested_wait, submitted, started)
         VALUES (?1, ?2, ?3, ?4, ?5, ?12, ?6, ?12, ?7, ?8, ?9, ?10, ?11, ?13)",
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
    Ok(Submission::New(sequence.cast_unsigned()))
}

/// Begins an attempt, and gives the arguments.
pub(super) fn claim(
    session: &mut Session<'_>,
    id: JobId,
    digest: &str,
    is_repeatable: bool,
    at: SystemTime,
) -> Result<Option<Vec<u8>>> {
    let Some(sequence) = unfinished(session, id, State::Queued)? else { return Ok(None) };
    session.execute(
        "UPDATE jobs SET state = 1, attempts = attempts + 1, digest = ?2, started = ?3, is_repeatable = ?4,
            not_before = NULL, progress = NULL, fuel = 0, peak_memory = 0, instantiate = 0, run = 0
         WHERE sequence = ?1",
        params![sequence, digest, stamp(at), is_repeatable],
    )?;
    // The last attempt's failure is not this one's.
    session.execute("DELETE FROM errors WHERE sequence = ?1", [sequence])?;
    let mut arguments =
        session.connection.prepare_cached("SELECT arguments FROM arguments WHERE sequence = ?1")?;
    arguments.query_row([sequence], |row| row.get(0)).map(Some)
}

/// Ends an attempt; `false` where the job has ended before.
pub(super) fn finish(session: &mut Session<'_>, id: JobId, ending: &Ending) -> Result<bool> {
    let Some(sequence) = unfinished(session, id, State::Running)? else { return Ok(false) };
    let is_over = ending.state.is_terminal();
    let receipt = &ending.receipt;
    session.execute(
        "UPDATE jobs SET state = ?2, ended = ?3, expires = ?4, not_before = ?5, progress = ?6,
            fuel = ?7, peak_memory = ?8, instantiate = ?9, run = ?10
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
    Ok(true)
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

/// The place of a job that is queued or, up to `last`, running.
fn unfinished(session: &Session<'_>, id: JobId, last: State) -> Result<Option<i64>> {
    session
        .connection
        .prepare_cached("SELECT sequence FROM jobs WHERE id = ?1 AND state <= ?2")?
        .query_row(params![id.as_bytes(), number(last)], |row| row.get(0))
        .optional()
}
