//! A job as JSON, and what a query about jobs may say.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use crate::error::{CallError, Kind};
use crate::front::reply::Fault;
use crate::jobs::View;
use crate::jobs::model::{LogLine, Logs, State};
use crate::jobs::store::{Filter, MOST_COUNTED};
use crate::sandbox::Progress;

/// How many jobs a page has where the query does not say.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 1000;

/// A job.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    id: String,
    procedure: &'a str,
    file: &'a str,
    digest: &'a str,
    state: &'static str,
    position: Option<usize>,
    reason: Option<&'a str>,
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
    error: Option<Fault<'a>>,
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
            reason: reason.as_deref(),
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
            error: job.error.as_ref().map(Fault::from),
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
    pub(super) fn new(counts: [u64; State::ALL.len()]) -> Self {
        let counts = State::ALL.map(State::name).into_iter().zip(counts).collect();
        Self { counts, most: MOST_COUNTED }
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
    let mut filter = Filter {
        states: Vec::new(),
        procedure: None,
        since: None,
        until: None,
        before: None,
        limit: PAGE,
    };
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "state" => filter.states.push(State::from_name(&text).ok_or_else(|| {
                let states = State::ALL.map(State::name).join(", ");
                bad(format!("there is no state {text:?}; there are {states}"))
            })?),
            "procedure" => filter.procedure = Some(text.into_owned()),
            "since" => filter.since = Some(moment(&name, &text)?),
            "until" => filter.until = Some(moment(&name, &text)?),
            "after" => {
                let cursor = text.parse();
                filter.before =
                    Some(cursor.map_err(|_| {
                        bad(format!("`after` is the `next` of a page, not {text:?}"))
                    })?);
            }
            "limit" => {
                filter.limit = match text.parse() {
                    Ok(limit @ 1..=LARGEST_PAGE) => limit,
                    _ => {
                        return Err(bad(format!(
                            "`limit` is from 1 to {LARGEST_PAGE}, not {text:?}"
                        )));
                    }
                };
            }
            _ => {
                return Err(bad(format!(
                    "there is no parameter {name:?}; there are state, procedure, since, until, after and limit"
                )));
            }
        }
    }
    Ok(filter)
}

/// The procedure whose jobs are to be counted; `None` for all.
pub(super) fn counted(query: &str) -> Result<Option<String>, CallError> {
    let mut procedure = None;
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        if name != "procedure" {
            return Err(bad(format!("there is no parameter {name:?}; there is procedure")));
        }
        procedure = Some(text.into_owned());
    }
    Ok(procedure)
}

fn moment(name: &str, text: &str) -> Result<SystemTime, CallError> {
    humantime::parse_rfc3339_weak(text).map_err(|e| {
        bad(format!("`{name}` is a time such as 2030-01-31T12:00:00Z, not {text:?}: {e}"))
    })
}

/// Whether a query says that a job which has ended is to be kept: `keep=true`.
pub(super) fn keep(query: &str) -> Result<bool, CallError> {
    match form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "keep") {
        None => Ok(false),
        Some((_, text)) => {
            text.parse().map_err(|_| bad(format!("`keep` is true or false, not {text:?}")))
        }
    }
}

/// The seconds of `wait`; 0 where it is not there.
pub(super) fn wait(query: &str) -> Result<f64, CallError> {
    let Some((_, text)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "wait")
    else {
        return Ok(0.0);
    };
    match text.parse() {
        Ok(seconds) if f64::is_finite(seconds) && seconds >= 0.0 => Ok(seconds),
        _ => Err(bad(format!("`wait` is a number of seconds, not {text:?}"))),
    }
}

fn bad(message: String) -> CallError {
    CallError::new(Kind::BadRequest, message)
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
        assert_eq!(all.states, [State::Queued, State::Running]);
        assert_eq!((all.procedure.as_deref(), all.before, all.limit), (Some("a/b"), Some(7), 2));
        for (query, word) in [
            ("state=done", "succeeded"),
            ("limit=0", "1000"),
            ("since=yesterday", "since"),
            ("after=x", "next"),
            ("color=red", "procedure"),
        ] {
            assert!(filter(query).unwrap_err().message.contains(word), "{query}");
        }
        assert_eq!(wait("wait=2.5"), Ok(2.5));
        assert_eq!(wait(""), Ok(0.0));
        assert!(wait("wait=-1").is_err() && wait("wait=inf").is_err());
    }
}
