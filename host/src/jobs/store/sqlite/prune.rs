//! Removes what has been kept for its time by the store's own clock, a slice at a time, so that other
//! changes never wait for long.
//!
//! The clock stands still from one call to the next. What ends in between counts from the earlier
//! call, and so is kept shorter by up to the time between the two.

use rusqlite::{Result, params};

use super::session::Session;
use crate::jobs::model::JobId;

/// How many jobs, keys and handles a slice removes at the most.
const SLICE: usize = 64;

/// With how many bytes of arguments and results: SQLite visits each page that it frees.
const SLICE_BYTES: u64 = 4 << 20;

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
        session.execute(
            "INSERT OR REPLACE INTO gone VALUES (?1, ?2)",
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
