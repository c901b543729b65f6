//! A job as the host tells of it.

use std::time::SystemTime;

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use tarp_schema::error_kind::ErrorKind;
use tarp_schema::job_state::JobState;

use crate::client::Client;
use crate::error::{Error, Result};

/// What the commands read of a job.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) procedure: String,
    pub(crate) state: String,
    pub(crate) position: Option<u64>,
    pub(crate) progress: Option<Progress>,
    pub(crate) attempts: u32,
    pub(crate) max_attempts: u32,
    pub(crate) submitted: String,
    pub(crate) started: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) priority: u8,
    pub(crate) fuel: u64,
    pub(crate) peak_memory: u64,
    pub(crate) run_us: u64,
    pub(crate) cancel_requested: bool,
    pub(crate) error: Option<JobError>,
}

/// How far the work has come, in units of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Progress {
    pub(crate) done: Option<f64>,
    pub(crate) total: Option<f64>,
    pub(crate) message: Option<String>,
}

/// Why it failed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct JobError {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) message: String,
}

impl JobError {
    /// Whether it says that something that the procedure needs is busy.
    pub(crate) fn is_busy(&self) -> bool {
        self.kind.parse() == Ok(ErrorKind::OperationInProgress)
    }
}

/// What the guest logged.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) time: String,
    pub(crate) level: String,
    pub(crate) message: String,
}

/// What the guest logged and wrote.
#[derive(Debug, Deserialize)]
pub(crate) struct Logs {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) log: Vec<LogLine>,
}

impl Logs {
    /// Reads the logs out of the host's JSON.
    pub(crate) fn read(told: &Value, client: &Client) -> Result<Self> {
        Self::deserialize(told).map_err(|e| client.nonsense(&format!("logs without sense: {e}")))
    }
}

impl Job {
    /// Reads a job out of the host's JSON.
    pub(crate) fn read(told: &Value, client: &Client) -> Result<Self> {
        Self::deserialize(told).map_err(|e| client.nonsense(&format!("a job without sense: {e}")))
    }

    pub(crate) fn is_over(&self) -> bool {
        JobState::from_name(&self.state).is_none_or(JobState::is_terminal)
    }

    /// Its turn, while it waits for one.
    pub(crate) fn turn(&self) -> Option<String> {
        Some(match self.position? {
            1 => "next in the queue".into(),
            position => format!("number {position} in the queue"),
        })
    }

    /// How long it ran, or has been running.
    pub(crate) fn ran(&self) -> Option<std::time::Duration> {
        let end = match &self.ended {
            Some(ended) => time(ended)?,
            None => SystemTime::now(),
        };
        end.duration_since(time(self.started.as_ref()?)?).ok()
    }
}

/// A time as the host writes it.
pub(crate) fn time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339_weak(text).ok()
}

/// The page of a job.
pub(crate) fn page(id: &str) -> String {
    format!("/-/jobs/{id}")
}

/// The page of its logs.
pub(crate) fn logs_page(id: &str) -> String {
    format!("/-/jobs/{id}/logs")
}

/// The page of its result.
pub(crate) fn result_page(id: &str) -> String {
    format!("/-/jobs/{id}/result")
}

/// Asks a job to stop; one that has ended is kept.
pub(crate) async fn cancel(client: &Client, id: &str) -> Result<Value> {
    let keep = [("keep".to_owned(), "true".to_owned())];
    client.json(client.with_query(Method::DELETE, &page(id), &keep)).await
}

/// The ID that begins as given: people copy the first block of it.
pub(crate) async fn whole_id(client: &Client, given: &str) -> Result<String> {
    /// The length of a UUID in text.
    const WHOLE: usize = 36;
    /// The host's largest page.
    const PAGE: &str = "1000";
    let is_like_one = given.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if given.len() >= WHOLE || given.is_empty() || !is_like_one {
        return Ok(given.to_owned());
    }
    let query = [("limit".to_owned(), PAGE.to_owned())];
    let page = client.json(client.with_query(Method::GET, "/-/jobs", &query)).await?;
    let jobs = page["jobs"].as_array().into_iter().flatten();
    let mut ids = jobs
        .filter_map(|job| job["id"].as_str())
        .filter(|id| id.starts_with(&given.to_ascii_lowercase()));
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id.to_owned()),
        (None, _) => {
            let list = client.address.jobs_command();
            Err(Error::Usage(format!("no job's ID begins with {given}; `{list}` lists the jobs")))
        }
        (Some(one), Some(other)) => {
            Err(Error::Usage(format!("several jobs' IDs begin with {given}: {one}, {other}")))
        }
    }
}
