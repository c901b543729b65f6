//! Durable jobs: how many are submitted and how many end a second, how long one takes from its submission to its
//! result, and whether a hundred thousand that have ended slow either.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::load::{CONNECTIONS, Load, Measured};
use crate::server::Server;
use crate::{QUESTION, median};

/// What makes a call a job.
pub(crate) const ASYNC: &str = "Prefer: respond-async";

/// How many jobs have ended in a store that is called full.
const FULL: u64 = 100_000;

/// Jobs that are timed one by one.
const TIMED: usize = 200;

/// What was found of one store.
pub(crate) struct Jobs {
    /// In words: how many jobs had ended in the store.
    pub(crate) store: &'static str,
    pub(crate) submissions: Measured,
    /// Jobs that ended a second, from the first submission to the last end, while they were submitted as
    /// fast as they were taken.
    pub(crate) ended: f64,
    /// From the first byte of the submission to the last of the result, milliseconds, the median.
    pub(crate) round_trip: f64,
}

/// Measures an empty store and a full one.
///
/// # Errors
///
/// When a request fails.
pub(crate) fn measure(load: &Load, server: &Server, seconds: u32) -> Result<Vec<Jobs>> {
    let mut found = Vec::new();
    found.push(one(load, server, seconds, "empty")?);
    while ended(server)? < FULL {
        eprintln!("filling the store with jobs");
        load.run_with(server, CONNECTIONS, seconds, Some(ASYNC))?;
    }
    found.push(one(load, server, seconds, "100,000 ended")?);
    Ok(found)
}

fn one(load: &Load, server: &Server, seconds: u32, store: &'static str) -> Result<Jobs> {
    ended(server)?;
    let round_trip = round_trip(server)?;
    let before = ended(server)?;
    let start = Instant::now();
    let submissions = load.run_with(server, CONNECTIONS, seconds, Some(ASYNC))?;
    let ended = (ended(server)? - before) as f64 / start.elapsed().as_secs_f64();
    Ok(Jobs { store, submissions, ended, round_trip })
}

fn round_trip(server: &Server) -> Result<f64> {
    let agent = ureq::agent();
    let mut times = Vec::with_capacity(TIMED);
    for _ in 0..TIMED {
        let start = Instant::now();
        let submit = agent.get(format!("{}{QUESTION}", server.address));
        let mut reply = submit.header("Prefer", "respond-async").call()?;
        let job: Value = serde_json::from_str(&reply.body_mut().read_to_string()?)?;
        let id = job["id"].as_str().context("a job without an id")?;
        let result = agent.get(format!("{}/-/jobs/{id}/result?wait=10", server.address));
        let answer = result.call()?.body_mut().read_to_string()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        ensure!(answer.contains(r#""result":3"#), "a job answers {answer}");
    }
    median(times.into_iter()).context("no job was timed")
}

/// Waits until no job is left to do, and gives how many there are: the newest one's place is not
/// told, so they are counted by pages.
fn ended(server: &Server) -> Result<u64> {
    let get = |query: &str| -> Result<Value> {
        let mut reply = ureq::get(format!("{}/-/jobs?{query}", server.address)).call()?;
        Ok(serde_json::from_str(&reply.body_mut().read_to_string()?)?)
    };
    let is_idle = || -> Result<bool> {
        let jobs = get("state=queued&state=running&limit=1")?;
        Ok(jobs["jobs"].as_array().is_some_and(Vec::is_empty))
    };
    while !is_idle()? {
        thread::sleep(Duration::from_millis(50));
    }
    // A page's `next` is a place in the order of submission, which counts from 1.
    let newest = get("limit=1")?;
    Ok(newest["next"].as_str().and_then(|place| place.parse().ok()).unwrap_or(0))
}
