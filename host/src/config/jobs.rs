//! How the host runs jobs: [`JobsConfig`].

use std::time::Duration;

use serde::Deserialize;

use super::{Labels, LimitsTable, valid};

/// How the host runs jobs: the table `[jobs]` of `tarp.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobsConfig {
    /// Where jobs are kept.
    pub store: StoreKind,
    /// Jobs running at once; the number of cores where it is not said.
    #[serde(deserialize_with = "valid::count")]
    pub places: Option<u32>,
    /// What this host has that a procedure may require.
    pub labels: Labels,
    /// Jobs of one submitter running at once: of one token or, where there are none, of one address.
    #[serde(deserialize_with = "valid::count")]
    pub max_running_per_submitter: Option<u32>,
    /// Jobs of one submitter waiting at once.
    #[serde(deserialize_with = "valid::count")]
    pub max_queued_per_submitter: Option<u32>,
    /// Jobs waiting at once.
    pub max_queue: usize,
    /// Bytes of a job's arguments as they are stored.
    #[serde(deserialize_with = "valid::size")]
    pub max_arguments: usize,
    /// Bytes on the disk that jobs, their arguments and results may take.
    #[serde(deserialize_with = "valid::bytes")]
    pub max_disk: Option<u64>,
    /// How long the result of a job is kept.
    #[serde(with = "humantime_serde")]
    pub keep_results: Duration,
    /// How long a job that failed, was cancelled or interrupted is kept.
    #[serde(with = "humantime_serde")]
    pub keep_failures: Duration,
    /// How often what has been kept for its time is removed.
    #[serde(with = "humantime_serde")]
    pub prune_every: Duration,
    /// How long a guest that is asked to stop may take to do so by itself.
    #[serde(with = "humantime_serde")]
    pub cancel_grace: Duration,
    /// How long a job waits for a procedure that is not there, before it fails.
    #[serde(with = "humantime_serde")]
    pub wait_for_procedure: Duration,
    /// How long a result waits for room in the store, before its job fails.
    #[serde(with = "humantime_serde")]
    pub wait_for_room: Duration,
    /// Limits of all jobs.
    pub limits: LimitsTable,
}

/// Where jobs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// In an embedded database.
    Sqlite,
    /// Nowhere: there are no jobs, and every procedure is called and waited for.
    None,
}

impl Default for JobsConfig {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self {
            store: StoreKind::Sqlite,
            places: None,
            labels: Labels::default(),
            max_running_per_submitter: None,
            max_queued_per_submitter: None,
            max_queue: 10_000,
            max_arguments: 256 << 20,
            max_disk: Some(16 << 30),
            keep_results: 24 * HOUR,
            keep_failures: 7 * 24 * HOUR,
            prune_every: Duration::from_secs(60),
            cancel_grace: Duration::from_millis(50),
            wait_for_procedure: 24 * HOUR,
            wait_for_room: Duration::from_secs(60),
            limits: LimitsTable::default(),
        }
    }
}
