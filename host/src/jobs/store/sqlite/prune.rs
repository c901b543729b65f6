//! Removes what has been kept for its time by the store's own clock, a slice at a time, so that other
//! changes never wait for long.
//!
//! The clock stands still from one call to the next. What ends in between counts from the earlier
//! call, and so is kept shorter by up to the time between the two.

use rusqlite::{OptionalExtension, Result, params};

use super::session::Session;
use crate::jobs::model::JobId;

/// How many jobs, keys and handles a slice removes at the most.
const SLICE: usize = 64;

/// With how many bytes of arguments and results: SQLite visits each page that it frees.
const SLICE_BYTES: u64 = 4 << 20;

/// How many free pages are kept, and how many are given back at a time.
const FEW_PAGES: i64 = 256;
const SLICE_PAGES: u32 = 1024;

/// About how many bytes such a slice writes.
pub(super) const SHRUNK_BYTES: usize = 4 << 20;

/// How long it is remembered that there was a job, in nanoseconds of the store's clock: 30 days.
const GONE_KEPT: i64 = 30 * 24 * 3600 * 1_000_000_000;

/// What a slice did.
pub(super) struct Slice {
    /// How many jobs it removed.
    pub(super) removed: usize,
    /// Whether nothing is left to be removed, and the clock went on.
    pub(super) is_last: bool,
}

/// Removes a slice of what is over `elapsed` nanoseconds from now.
///
/// The clock itself goes on with the last slice: whoever is told of a failure on the way can ask
/// again for the same time.
pub(super) fn slice(session: &mut Session<'_>, elapsed: i64) -> Result<Slice> {
    let now = session.state.clock.saturating_add(elapsed);
    let (over, mut is_last) = over(session, now)?;
    for (sequence, id) in &over {
        forget(session, *sequence, *id, now)?;
    }
    for sql in [
        "DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE expires <= ?1 LIMIT ?2)",
        "DELETE FROM gone WHERE id IN (SELECT id FROM gone WHERE expires <= ?1 LIMIT ?2)",
    ] {
        is_last &= session.execute(sql, params![now, SLICE as i64])? < SLICE;
    }
    if is_last {
        session.state.clock = now;
    }
    session.execute(
        "UPDATE store SET clock = ?1, next_sequence = ?2",
        params![session.state.clock, session.state.next_sequence],
    )?;
    Ok(Slice { removed: over.len(), is_last })
}

/// Removes a job that has ended; `false` where it has not, or is not there.
pub(super) fn remove(session: &mut Session<'_>, id: JobId) -> Result<bool> {
    let sequence = session
        .connection
        .prepare_cached("SELECT sequence FROM jobs WHERE id = ?1 AND state > 1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(sequence) = sequence else { return Ok(false) };
    forget(session, sequence, id, session.state.clock)?;
    // It may have been the newest; its place is not given away again.
    session.execute("UPDATE store SET next_sequence = ?1", [session.state.next_sequence])?;
    Ok(true)
}

/// Removes all that is kept of a job but that there was one.
fn forget(session: &Session<'_>, sequence: i64, id: JobId, now: i64) -> Result<()> {
    session.execute(
        "INSERT OR REPLACE INTO gone (id, expires, owner)
         VALUES (?1, ?2, (SELECT owner FROM jobs WHERE id = ?1))",
        params![id.as_bytes(), now.saturating_add(GONE_KEPT)],
    )?;
    for sql in [
        "DELETE FROM jobs WHERE sequence = ?1",
        "DELETE FROM arguments WHERE sequence = ?1",
        "DELETE FROM results WHERE sequence = ?1",
        "DELETE FROM errors WHERE sequence = ?1",
        "DELETE FROM logs WHERE sequence = ?1",
    ] {
        session.execute(sql, [sequence])?;
    }
    Ok(())
}

/// Gives some pages that are free back to the disk; whether few enough are left. Those are used
/// again by the next jobs.
pub(super) fn shrink(session: &mut Session<'_>) -> Result<bool> {
    let free = || -> Result<i64> {
        session.connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))
    };
    let before = free()?;
    if before <= FEW_PAGES {
        return Ok(true);
    }
    // Each step frees one page.
    let sql = format!("PRAGMA incremental_vacuum({SLICE_PAGES})");
    let mut vacuum = session.connection.prepare_cached(&sql)?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    let after = free()?;
    // A file of an earlier host may not be able to shrink.
    Ok(after <= FEW_PAGES || after >= before)
}

/// A slice of the jobs whose time is over, and whether these are all.
fn over(session: &Session<'_>, now: i64) -> Result<(Vec<(i64, JobId)>, bool)> {
    let mut query = session.connection.prepare_cached(
        "SELECT jobs.sequence, id, coalesce(length(result), 0) + coalesce(length(arguments), 0)
         FROM jobs LEFT JOIN results ON results.sequence = jobs.sequence
            LEFT JOIN arguments ON arguments.sequence = jobs.sequence
         WHERE expires <= ?1 ORDER BY expires",
    )?;
    let mut rows = query.query([now])?;
    let (mut jobs, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if jobs.len() == SLICE || bytes >= SLICE_BYTES {
            return Ok((jobs, false));
        }
        jobs.push((row.get(0)?, super::row::id(row, 1)?));
        bytes += row.get::<_, i64>(2)?.unsigned_abs();
    }
    Ok((jobs, true))
}
