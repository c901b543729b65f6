//! A job as JSON, and what a query about jobs may say.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::query::Query;
use crate::codec::types::Type;
use crate::codec::{json, number};
use crate::error::CallError;
use crate::front::response::ErrorFields;
use crate::jobs::View;
use crate::jobs::model::{JobState, LogLine, Logs};
use crate::jobs::store::{Filter, MAX_COUNTED};
use crate::sandbox::Progress;
use crate::value::Value;

/// How many jobs a page has where the query does not say.
pub(in crate::front) const PAGE: usize = 50;
/// How many jobs a page has at the most.
pub(in crate::front) const LARGEST_PAGE: usize = 1000;

/// The pattern of `after`, of which [`cursor`] takes every text.
pub(in crate::front) const CURSOR: &str = "^[0-9]{1,18}$";

/// A job.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    id: String,
    procedure: &'a str,
    file: &'a str,
    digest: &'a str,
    state: &'static str,
    position: Option<usize>,
    reason: Option<String>,
    priority: u8,
    progress: Option<&'a Progress>,
    attempts: u32,
    max_attempts: u32,
    is_pinned: bool,
    submitted: String,
    started: Option<String>,
    ended: Option<String>,
    expires: Option<String>,
    fuel: u64,
    peak_memory: usize,
    instantiate_us: u128,
    run_us: u128,
    suggested_wait: u32,
    cancel_requested: bool,
    error: Option<ErrorFields<'a>>,
    owner: Option<&'a str>,
}

impl<'a> From<&'a View> for Shown<'a> {
    fn from(View { job, position, reason }: &'a View) -> Self {
        Self {
            id: job.id.to_string(),
            procedure: &job.procedure,
            file: &job.file,
            digest: &job.digest,
            state: job.state.name(),
            position: *position,
            reason: reason.as_ref().map(ToString::to_string),
            priority: job.priority.urgency(),
            progress: job.progress.as_ref(),
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            is_pinned: job.is_pinned,
            submitted: time(job.submitted),
            started: job.started.map(time),
            ended: job.ended.map(time),
            expires: job.kept_for.map(|kept_for| time(SystemTime::now() + kept_for)),
            fuel: job.receipt.fuel,
            peak_memory: job.receipt.peak_memory,
            instantiate_us: job.receipt.instantiate.as_micros(),
            run_us: job.receipt.run.as_micros(),
            suggested_wait: job.suggested_wait,
            cancel_requested: job.cancel_requested,
            error: job.error.as_ref().map(ErrorFields::from),
            owner: job.owner.as_deref(),
        }
    }
}

/// A page of jobs.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    jobs: Vec<Shown<'a>>,
    next: Option<String>,
}

impl<'a> Listed<'a> {
    pub(super) fn new(jobs: &'a [View], next: Option<u64>) -> Self {
        Self {
            jobs: jobs.iter().map(Shown::from).collect(),
            next: next.map(|next| next.to_string()),
        }
    }
}

/// How many jobs there are in each state.
#[derive(Serialize)]
pub(super) struct Counts {
    counts: BTreeMap<&'static str, u64>,
    /// A count that is this one may be more.
    most: u64,
}

impl Counts {
    pub(super) fn new(counts: [u64; JobState::ALL.len()]) -> Self {
        let counts = JobState::ALL.map(JobState::name).into_iter().zip(counts).collect();
        Self { counts, most: MAX_COUNTED }
    }
}

/// What a job wrote and logged.
#[derive(Serialize)]
pub(super) struct Log<'a> {
    stdout: &'a str,
    stderr: &'a str,
    log: Vec<Line<'a>>,
}

/// A line of a job's log.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    time: String,
    level: &'static str,
    message: &'a str,
}

impl<'a> From<&'a Logs> for Log<'a> {
    fn from(logs: &'a Logs) -> Self {
        let log = logs.lines.iter().map(Line::from).collect();
        Self { stdout: &logs.stdout, stderr: &logs.stderr, log }
    }
}

impl<'a> From<&'a LogLine> for Line<'a> {
    fn from(line: &'a LogLine) -> Self {
        Self { time: time(line.time), level: line.level.name(), message: &line.message }
    }
}

fn time(moment: SystemTime) -> String {
    humantime::format_rfc3339_millis(moment.max(SystemTime::UNIX_EPOCH)).to_string()
}

/// The jobs that a query asks for: `state` (also several times), `procedure`, `since`, `until`,
/// `after` (the `next` of the page before), `limit`.
pub(super) fn filter(query: &str) -> Result<Filter, CallError> {
    let known = ["state", "procedure", "since", "until", "after", "limit"];
    let query = Query::read(query, &known)?;
    Ok(Filter {
        states: query.all("state").map(state).collect::<Result<_, _>>()?,
        procedure: query.one("procedure")?.map(str::to_owned),
        owner: None,
        since: query.one("since")?.map(|text| moment("since", text)).transpose()?,
        until: query.one("until")?.map(|text| moment("until", text)).transpose()?,
        before: query.one("after")?.map(after).transpose()?,
        limit: query.one("limit")?.map_or(Ok(PAGE), limit)?,
    })
}

/// The procedure whose jobs are to be counted; `None` for all.
pub(super) fn counted(query: &str) -> Result<Option<String>, CallError> {
    Ok(Query::read(query, &["procedure"])?.one("procedure")?.map(str::to_owned))
}

fn state(text: &str) -> Result<JobState, CallError> {
    JobState::from_name(text).ok_or_else(|| {
        let states = JobState::ALL.map(JobState::name).join(", ");
        CallError::bad_request(format!("there is no state {text:?}; there are {states}"))
    })
}

fn after(text: &str) -> Result<u64, CallError> {
    cursor(text).ok_or_else(|| {
        CallError::bad_request(format!("`after` is the `next` of a page, not {text:?}"))
    })
}

fn limit(text: &str) -> Result<usize, CallError> {
    count(text).filter(|limit| (1..=LARGEST_PAGE).contains(limit)).ok_or_else(|| {
        CallError::bad_request(format!("`limit` is from 1 to {LARGEST_PAGE}, not {text:?}"))
    })
}

fn moment(name: &str, text: &str) -> Result<SystemTime, CallError> {
    let wrong = |why: &dyn std::fmt::Display| {
        CallError::bad_request(format!(
            "`{name}` is a time such as 2030-01-31T12:00:00Z or 2030-01-31T12:00:00+01:00, not {text:?}: {why}"
        ))
    };
    // What reads it takes any character there.
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return Err(wrong(&"a `T` stands between the date and the time"));
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|e| wrong(&e))?;
    // There are no jobs before that.
    Ok(SystemTime::from(moment.max(OffsetDateTime::UNIX_EPOCH)))
}

fn cursor(text: &str) -> Option<u64> {
    let is_cursor = (1..=18).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    is_cursor.then(|| text.parse().ok()).flatten()
}

/// An integer that is not negative, in any notation that JSON has for it.
fn count(text: &str) -> Option<usize> {
    match json::typed(number::read(text)?, &Type::U32) {
        Value::Int(n) => n.try_into().ok(),
        _ => None,
    }
}

/// Whether a query says that a job which has ended is to be kept: `keep=true`.
pub(super) fn keep(query: &str) -> Result<bool, CallError> {
    match Query::read(query, &["keep"])?.one("keep")? {
        None => Ok(false),
        Some(text) => text
            .parse()
            .map_err(|_| CallError::bad_request(format!("`keep` is true or false, not {text:?}"))),
    }
}

/// The seconds of `wait`; 0 where it is not there.
pub(super) fn wait(query: &str) -> Result<f64, CallError> {
    let query = Query::read(query, &["wait"])?;
    let Some(text) = query.one("wait")? else { return Ok(0.0) };
    match text.parse() {
        Ok(seconds) if f64::is_finite(seconds) && seconds >= 0.0 => Ok(seconds),
        _ => Err(CallError::bad_request(format!("`wait` is a number of seconds, not {text:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_it_wants_or_is_told_what_it_may_say() {
        let all = filter(
            "state=queued&state=running&procedure=a%2Fb&since=2030-01-31T12:00:00Z&after=7&limit=2",
        );
        let all = all.unwrap();
        assert_eq!(all.states, [JobState::Queued, JobState::Running]);
        assert_eq!((all.procedure.as_deref(), all.before, all.limit), (Some("a/b"), Some(7), 2));
        for (text, moment) in [
            ("2030-01-31T12:00:00%2B01:00", 1_896_087_600),
            ("2030-01-31t11:00:00.000z", 1_896_087_600),
            ("1812-06-24T00:00:00Z", 0),
        ] {
            let since = filter(&format!("since={text}&limit=2.0")).unwrap().since.unwrap();
            assert_eq!(since.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), moment);
        }
        for (query, word) in [
            ("state=done", "succeeded"),
            ("since=2030-01-31", "such as"),
            ("since=2030-01-31%2012:00:00Z", "`T`"),
            ("since=2030-02-30T12:00:00Z", "such as"),
            ("after=%2B5", "next"),
            ("limit=2.5", "1000"),
            ("limit=0", "1000"),
            ("since=yesterday", "since"),
            ("after=x", "next"),
            ("color=red", "procedure"),
            ("limit=1&limit=2", "twice"),
        ] {
            assert!(filter(query).unwrap_err().message.contains(word), "{query}");
        }
        assert_eq!(wait("wait=2.5"), Ok(2.5));
        assert_eq!(wait(""), Ok(0.0));
        assert!(wait("wait=-1").is_err() && wait("wait=inf").is_err());
    }
}
