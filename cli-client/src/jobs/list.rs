//! `tarp jobs list`.

use std::time::{Duration, SystemTime};

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use tarp_schema::job_state::JobState;

use crate::client::Client;
use crate::error::Result;
use crate::job::{Job, time};
use crate::output::table::Table;
use crate::output::{line, print_json};
use crate::progress::shown;
use crate::style::{DIM, of_state, one_line, painted};

/// How many jobs are listed unless told otherwise.
const LIMIT: usize = 20;
/// The host's largest page.
const PAGE: usize = 1000;

/// List jobs, newest first.
#[derive(Debug, Clone, Args)]
pub(super) struct List {
    /// Only those in this state; may be repeated
    #[arg(long, value_parser = JobState::ALL.map(JobState::name))]
    state: Vec<String>,
    /// Only those of this procedure
    #[arg(long, value_name = "NAME")]
    procedure: Option<String>,
    /// Only those submitted since then: a time, or how long ago (30min, 2h, 1day)
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<String>,
    /// How many at the most [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// A time as the host reads it, from what people write.
fn moment(text: &str) -> Result<String, NoTime> {
    let time = match humantime::parse_duration(text) {
        Ok(ago) => SystemTime::now().checked_sub(ago),
        Err(_) => humantime::parse_rfc3339_weak(text).ok(),
    };
    time.map(|time| humantime::format_rfc3339_millis(time).to_string()).ok_or(NoTime)
}

/// A text is no time.
#[derive(Debug, thiserror::Error)]
#[error("it is a time (2030-01-31T12:00:00Z), or how long ago (2h)")]
struct NoTime;

impl List {
    /// Whether any of its options was given.
    pub(super) fn is_asked_for(&self) -> bool {
        let Self { state, procedure, since, limit } = self;
        !state.is_empty() || procedure.is_some() || since.is_some() || limit.is_some()
    }

    pub(super) async fn run(&self, client: &Client, json: bool) -> Result<()> {
        let (told, is_all) = self.jobs(client).await?;
        if json {
            return print_json(&json!({"jobs": told}));
        }
        if told.is_empty() {
            anstream::eprintln!("no jobs");
            return Ok(());
        }
        let mut table = Table::new(&["ID", "PROCEDURE", "STATE", "PROGRESS", "AGE", "RAN"]);
        for told in &told {
            let job = Job::read(told, client)?;
            table.push(row(&job));
        }
        line(table.to_string().trim_end())?;
        if !is_all {
            anstream::eprintln!("{}", painted(DIM, "there are more; --limit N shows more of them"));
        }
        Ok(())
    }

    /// The jobs that are asked for, and whether there are no more of them.
    async fn jobs(&self, client: &Client) -> Result<(Vec<Value>, bool)> {
        let wanted = self.limit.map_or(LIMIT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut jobs: Vec<Value> = Vec::new();
        let mut after: Option<String> = None;
        while jobs.len() < wanted {
            let mut query: Vec<(String, String)> = Vec::new();
            query.extend(self.state.iter().map(|state| ("state".into(), state.clone())));
            query.extend(self.procedure.iter().map(|name| ("procedure".into(), name.clone())));
            query.extend(self.since.iter().map(|since| ("since".into(), since.clone())));
            query.push(("limit".into(), (wanted - jobs.len()).min(PAGE).to_string()));
            query.extend(after.iter().map(|after| ("after".into(), after.clone())));
            let request = client.with_query(Method::GET, "/-/jobs", &query);
            let mut page = client.json(request).await?;
            after = page["next"].as_str().map(str::to_owned);
            match page["jobs"].take() {
                Value::Array(page) => jobs.extend(page),
                other => return Err(client.nonsense(&format!("{other} in place of jobs"))),
            }
            if after.is_none() {
                break;
            }
        }
        Ok((jobs, after.is_none()))
    }
}

fn row(job: &Job) -> Vec<String> {
    let age = time(&job.submitted).and_then(|time| time.elapsed().ok());
    vec![
        job.id.clone(),
        one_line(&job.procedure),
        painted(of_state(&job.state), &job.state),
        progress(job),
        age.map(short).unwrap_or_default(),
        job.ran().map(short).unwrap_or_default(),
    ]
}

fn progress(job: &Job) -> String {
    match (&job.progress, job.turn()) {
        (_, Some(turn)) => turn,
        (Some(progress), None) if !job.is_over() => {
            let text = shown(progress);
            match (progress.done, progress.total) {
                (Some(done), Some(total)) if total > 0.0 => {
                    format!("{:.0}% · {text}", 100.0 * (done / total).clamp(0.0, 1.0))
                }
                _ => text,
            }
        }
        _ => job.error.as_ref().map(|error| one_line(&error.kind)).unwrap_or_default(),
    }
}

/// A duration in its largest unit.
pub(super) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(moment("2030-01-31T12:00:00Z").unwrap(), "2030-01-31T12:00:00.000Z");
        let hour_ago = time(&moment("1h").unwrap()).unwrap().elapsed().unwrap();
        assert!((3600..3660).contains(&hour_ago.as_secs()));
        assert!(moment("yesterday").unwrap_err().to_string().contains("2h"));
    }

    #[test]
    fn durations_are_short() {
        for (seconds, text) in [(0.25, "250 ms"), (59.9, "59 s"), (61.0, "1 min"), (7200.0, "2 h")]
        {
            assert_eq!(short(Duration::from_secs_f64(seconds)), text);
        }
        assert_eq!(short(Duration::from_secs(200_000)), "2 d");
    }
}
