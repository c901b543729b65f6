//! What only reads: each function is one question, and sees one state of the whole store.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension, Result, params, params_from_iter};
use tracing::warn;

use super::row::{JOB, decoded, id, job, number, stamp, time};
use crate::jobs::model::{IdempotencyKey, Job, JobId, JobState, LogLine, Logs};
use crate::jobs::store::{Filter, Lookup, MAX_COUNTED, Page, Submission};
use crate::sandbox::Level;

pub(super) fn get(connection: &Connection, id: JobId) -> Result<Lookup> {
    let found = connection
        .prepare_cached(&format!("{JOB} WHERE id = ?1"))?
        .query_row([id.as_bytes()], job)
        .optional()?;
    if let Some(job) = found {
        return Ok(Lookup::Found(Box::new(job)));
    }
    let gone = connection
        .prepare_cached("SELECT owner FROM gone WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(gone.map_or(Lookup::Unknown, |owner| Lookup::Gone { owner }))
}

pub(super) fn result(connection: &Connection, id: JobId) -> Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT result FROM jobs JOIN results USING (sequence) WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()
}

pub(super) fn arguments(connection: &Connection, id: JobId) -> Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT arguments FROM jobs JOIN arguments USING (sequence) WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()
}

/// Each count is a walk along an index that ends at [`MAX_COUNTED`].
pub(super) fn counts(
    connection: &Connection,
    procedure: Option<&str>,
    owner: Option<&str>,
) -> Result<[u64; JobState::ALL.len()]> {
    let mut condition = "state = ?".to_owned();
    let only = [("procedure", procedure), ("owner", owner)];
    let only = only.iter().filter_map(|(column, text)| text.map(|text| (column, text)));
    for (column, _) in only.clone() {
        condition.push_str(&format!(" AND {column} = ?"));
    }
    let mut query = connection.prepare_cached(&format!(
        "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE {condition} LIMIT ?)"
    ))?;
    let mut counts = [0; JobState::ALL.len()];
    for (count, state) in counts.iter_mut().zip(JobState::ALL) {
        let mut params = vec![Value::from(number(state))];
        params.extend(only.clone().map(|(_, text)| Value::from(text.to_owned())));
        params.push(MAX_COUNTED.cast_signed().into());
        *count =
            query.query_row(params_from_iter(params), |row| row.get::<_, i64>(0))?.cast_unsigned();
    }
    Ok(counts)
}

/// What came of the key, if it is remembered.
pub(super) fn known(connection: &Connection, key: &IdempotencyKey) -> Result<Option<Submission>> {
    let clock = connection.query_row("SELECT clock FROM store", [], |row| row.get(0))?;
    known_at(connection, key, clock)
}

/// The same, for one who knows what the store's clock says.
pub(super) fn known_at(
    connection: &Connection,
    key: &IdempotencyKey,
    clock: i64,
) -> Result<Option<Submission>> {
    connection
        .prepare_cached("SELECT request, id FROM keys WHERE key = ?1 AND expires > ?2")?
        .query_row(params![key.key, clock], |row| {
            let request: [u8; 32] = row.get(0)?;
            Ok(match request == key.request {
                true => Submission::Known(id(row, 1)?),
                false => Submission::Conflict,
            })
        })
        .optional()
}

/// Of a job that waits for another attempt or is in it, what the last attempt left.
pub(super) fn logs(connection: &Connection, id: JobId) -> Result<Option<Logs>> {
    let logs = connection
        .prepare_cached(
            "SELECT state <= 1, stdout, stderr, lines
             FROM jobs LEFT JOIN logs ON logs.sequence = jobs.sequence WHERE id = ?1",
        )?
        .query_row([id.as_bytes()], |row| {
            if row.get_ref(3)? == ValueRef::Null {
                // No row: it wrote nothing, if it has ended.
                return Ok((!row.get::<_, bool>(0)?).then(Logs::default));
            }
            // Lines that cannot be read are no reason to keep back the rest.
            let lines = decoded::<Vec<(u64, i64, Level, String)>>(row, 3)?.transpose();
            let unreadable =
                |e| Some(vec![(0, 0, Level::Warn, format!("[the log cannot be read: {e}]"))]);
            let lines = lines.unwrap_or_else(unreadable).unwrap_or_default().into_iter();
            let line =
                |(number, at, level, message)| LogLine { number, time: time(at), level, message };
            Ok(Some(Logs {
                stdout: row.get(1)?,
                stderr: row.get(2)?,
                lines: lines.map(line).collect(),
            }))
        })
        .optional()?;
    Ok(logs.flatten())
}

pub(super) fn unfinished(connection: &Connection) -> Result<Vec<Job>> {
    connection
        .prepare_cached(&format!("{JOB} WHERE state IN (0, 1) ORDER BY jobs.sequence"))?
        .query_map([], job)
        .map(readable)?
        // What is wrong with one is told in place of its state.
        .map(|jobs| jobs.into_iter().filter(|job| !job.state.is_terminal()).collect())
}

/// One query for each state, merged: each is a walk along an index that ends at the limit, where one
/// query for all of them would sort.
pub(super) fn list(connection: &Connection, filter: &Filter) -> Result<Page> {
    let mut states = filter.states.clone();
    if states.is_empty() && (filter.procedure.is_some() || filter.owner.is_some()) {
        states.extend(JobState::ALL);
    }
    states.sort_unstable_by_key(|state| number(*state));
    states.dedup();
    let mut jobs = Vec::new();
    if states.is_empty() {
        jobs = newest(connection, filter, None)?;
    }
    for state in states {
        jobs.extend(newest(connection, filter, Some(state))?);
    }
    jobs.sort_unstable_by_key(|job| std::cmp::Reverse(job.sequence));
    let is_more = jobs.len() > filter.limit;
    jobs.truncate(filter.limit);
    let next = jobs.last().filter(|_| is_more).map(|job| job.sequence);
    Ok(Page { jobs, next })
}

/// One more than the limit, if there is one more.
fn newest(connection: &Connection, filter: &Filter, state: Option<JobState>) -> Result<Vec<Job>> {
    let mut conditions = vec!["1"];
    let mut params = Vec::new();
    let mut only = |condition, param: Option<Value>| {
        if let Some(param) = param {
            conditions.push(condition);
            params.push(param);
        }
    };
    let place = |sequence| i64::try_from(sequence).unwrap_or(i64::MAX);
    only("procedure = ?", filter.procedure.clone().map(Value::from));
    only("owner = ?", filter.owner.as_deref().map(|owner| Value::from(owner.to_owned())));
    only("state = ?", state.map(|state| number(state).into()));
    only("jobs.sequence < ?", filter.before.map(|before| place(before).into()));
    only("submitted >= ?", filter.since.map(|since| stamp(since).into()));
    only("submitted < ?", filter.until.map(|until| stamp(until).into()));
    params
        .push(i64::try_from(filter.limit).map_or(i64::MAX, |limit| limit.saturating_add(1)).into());
    let conditions = conditions.join(" AND ");
    connection
        .prepare_cached(&format!("{JOB} WHERE {conditions} ORDER BY jobs.sequence DESC LIMIT ?"))?
        .query_map(params_from_iter(params), job)
        .map(readable)?
}

/// The jobs whose rows can be read at all. A row that is damaged beyond that has not even a handle.
fn readable(rows: impl Iterator<Item = Result<Job>>) -> Result<Vec<Job>> {
    let is_of_row = |e: &Error| {
        use Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
        matches!(
            e,
            FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..)
        )
    };
    let mut jobs = Vec::new();
    for row in rows {
        match row {
            Ok(job) => jobs.push(job),
            Err(e) if is_of_row(&e) => warn!(error = %e, "the record of a job is unreadable"),
            Err(e) => return Err(e),
        }
    }
    Ok(jobs)
}
