//! Asks a server the same question for a while, as fast as it answers; wrk does it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::server::Server;
use crate::{Places, QUESTION};

/// Kept open, and each busy all the time.
pub(crate) const CONNECTIONS: u32 = 16;

/// wrk, as it is called here.
pub(crate) struct Load {
    script: PathBuf,
    /// Such as `wrk 4.1.0`.
    pub(crate) version: String,
}

/// What one run found.
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Latencies in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// The server's CPU time, microseconds a request.
    pub(crate) cpu: f64,
    /// The part of one core that wrk itself took.
    pub(crate) wrk: f64,
}

/// The line that `wrk.lua` writes.
#[derive(Deserialize)]
struct Found {
    requests: f64,
    seconds: f64,
    p50: f64,
    p99: f64,
    errors: u64,
    cpu: f64,
}

impl Load {
    /// # Errors
    ///
    /// When wrk is not installed.
    pub(crate) fn new(places: &Places) -> Result<Self> {
        let output = Command::new("wrk").arg("--version").output().context(
            "wrk makes the requests, and is not installed; `apt-get install wrk` or the like does it",
        )?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        Ok(Self { script: places.root.join("bench/wrk.lua"), version })
    }

    /// Keeps `connections` busy for some seconds.
    ///
    /// # Errors
    ///
    /// When a single request fails.
    pub(crate) fn run(&self, server: &Server, connections: u32, seconds: u32) -> Result<Measured> {
        self.run_with(server, connections, seconds, None)
    }

    /// The same with a header on each request.
    ///
    /// # Errors
    ///
    /// When a single request fails.
    pub(crate) fn run_with(
        &self,
        server: &Server,
        connections: u32,
        seconds: u32,
        header: Option<&str>,
    ) -> Result<Measured> {
        let authorization =
            server.authorization.as_ref().map(|value| format!("Authorization: {value}"));
        let headers: Vec<&str> = header.into_iter().chain(authorization.as_deref()).collect();
        let before = server.cpu()?;
        let output = Command::new("wrk")
            // One thread can ask several times as fast as two cores answer.
            .args(["--threads", "1", "--connections", &connections.to_string()])
            .args(["--duration", &format!("{seconds}s"), "--script"])
            .arg(&self.script)
            .args(headers.iter().flat_map(|header| ["--header", header]))
            .arg(format!("{}{QUESTION}", server.address))
            .output()?;
        let used = server.cpu()? - before;
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().rfind(|line| line.starts_with('{'));
        let found: Found = line
            .and_then(|line| serde_json::from_str(line).ok())
            .with_context(|| format!("wrk: {said}{}", String::from_utf8_lossy(&output.stderr)))?;
        ensure!(found.errors == 0, "{}: {} requests failed", server.name, found.errors);
        Ok(Measured {
            rate: found.requests / found.seconds,
            p50: found.p50,
            p99: found.p99,
            cpu: used / found.requests * 1e6,
            wrk: found.cpu / found.seconds,
        })
    }
}
