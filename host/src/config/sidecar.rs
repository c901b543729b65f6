//! What a component's owner can set beside it: [`Sidecar`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::{GrantsTable, Labels, LimitsTable, valid};
use crate::value::Value;

/// A component's sidecar: `math.toml` beside `math.wasm`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sidecar {
    /// Stands before the names of its procedures, in place of the folder's name.
    #[serde(deserialize_with = "valid::prefix")]
    pub prefix: Option<String>,
    /// Limits of all its procedures.
    pub limits: LimitsTable,
    /// Limits of all its procedures when they run as jobs.
    pub job_limits: LimitsTable,
    /// Calls running at once of each of its procedures, and of what it answers as a mount; jobs have
    /// places of their own.
    #[serde(deserialize_with = "valid::count")]
    pub max_calls: Option<u32>,
    /// What it may touch.
    pub grants: GrantsTable,
    /// By the procedure's name without its prefix, such as `statistics/mean`.
    pub procedures: BTreeMap<String, ProcedureTable>,
}

/// A table `[procedures.NAME]` of a sidecar.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcedureTable {
    /// Documentation, in place of the component's own.
    pub description: Option<String>,
    /// Limits of this procedure.
    pub limits: LimitsTable,
    /// Calls of this procedure running at once.
    #[serde(deserialize_with = "valid::count")]
    pub max_calls: Option<u32>,
    /// Limits of this procedure when it runs as a job.
    pub job_limits: LimitsTable,
    /// Whether RPC calls it and waits, or gets the handle of a job; in place of what the component
    /// says.
    pub mode: Option<Mode>,
    /// Seconds between looks at the state of its jobs that make sense.
    #[serde(deserialize_with = "valid::count")]
    pub suggested_wait: Option<u32>,
    /// How urgent its jobs are, 0 (most) to 7, unless their submitter says otherwise.
    #[serde(deserialize_with = "valid::urgency")]
    pub priority: Option<u8>,
    /// How often a job that fails is run at the most, counting the first time.
    #[serde(deserialize_with = "valid::count")]
    pub max_attempts: Option<u32>,
    /// How many of its jobs run at once at the most, so that the other places are for others.
    #[serde(deserialize_with = "valid::count")]
    pub max_running: Option<u32>,
    /// What a host must have to run its jobs.
    pub requires: Labels,
    /// How long to wait before the second attempt; doubles with each further one.
    #[serde(deserialize_with = "valid::duration")]
    pub backoff: Option<Duration>,
    /// What parameters are where the caller leaves them out, by their names; in place of what the
    /// component says.
    #[serde(deserialize_with = "valid::values")]
    pub defaults: BTreeMap<String, Value>,
    /// Of a web procedure: the methods that it answers, where it is not both.
    #[serde(deserialize_with = "valid::methods")]
    pub methods: Option<Vec<WebMethod>>,
    /// Whether to run it twice is as good as once, so that a job that the host's end interrupted is
    /// run again.
    pub idempotent: bool,
    /// Further names, with the file's prefix in front as its name has; in place of those that the
    /// component gives it.
    #[serde(deserialize_with = "valid::aliases")]
    pub aliases: Option<Vec<String>>,
    /// How the original protocol's RPC writes rows of numbers in its result; in place of what the
    /// component says.
    pub arrays: Option<ArrayReplies>,
}

pub use tarp_schema::procedure::{ArrayReplies, Mode, WebMethod};
