//! `tarp jobs`: the jobs of a running host, listed, shown, followed, cancelled.

mod list;
mod logs;
mod result;
mod show;

use std::process::ExitCode;

use clap::{Arg, Args, Subcommand};
use serde_json::json;

use crate::address::Connection;
use crate::client::Client;
use crate::completion;
use crate::error::{Error, Result};
use crate::job::{self, Job};
use crate::output::{line, print_json};
use crate::run;
use crate::style::{of_state, painted};

/// Look after the jobs of a running host.
///
/// Without a command it lists them, and takes the options of `list`. The beginning of an ID is enough
/// wherever it is the only one that begins so.
#[derive(Debug, Args)]
#[command(after_help = "\
TARP_TOKEN, or the content of --token-file, is sent as a Bearer token; user and password in the URL win,
and are sent as Basic.
Exit codes are those of `tarp call`: 1 the job failed, 2 there is no such job, 3 the host cannot be
reached, 4 the job has no result yet.")]
pub struct Jobs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: list::List,
    #[command(flatten)]
    connection: Connection,
    /// Print one JSON document
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::List),
    #[command(mut_arg("id", completing))]
    Show(show::Show),
    #[command(mut_arg("id", completing))]
    Logs(logs::Logs),
    #[command(mut_arg("id", completing))]
    Cancel(Cancel),
    #[command(mut_arg("id", completing))]
    Result(result::JobResult),
}

/// Has the shell complete the IDs of jobs.
fn completing(id: Arg) -> Arg {
    id.add(completion::jobs::<Jobs>())
}

/// Ask jobs to stop.
///
/// A guest that does not stop by itself is ended. A job that has ended stays as it is.
#[derive(Debug, Args)]
struct Cancel {
    /// The jobs
    #[arg(required = true)]
    id: Vec<String>,
}

impl Jobs {
    /// Runs the command.
    #[must_use]
    pub fn run(self) -> ExitCode {
        run::to_end(&self.connection, self.json, async |client| self.act(client).await)
    }

    async fn act(&self, client: &Client) -> Result<()> {
        if self.action.is_some() && self.list.is_asked_for() {
            let cure = "write them behind `list`";
            return Err(Error::Usage(format!(
                "the options of `list` are for no other command; {cure}"
            )));
        }
        match &self.action {
            None => self.list.run(client, self.json).await,
            Some(Action::List(list)) => list.run(client, self.json).await,
            Some(Action::Show(show)) => show.run(client, self.json).await,
            Some(Action::Logs(logs)) => logs.run(client, self.json).await,
            Some(Action::Cancel(cancel)) => cancel.run(client, self.json).await,
            Some(Action::Result(result)) => result.run(client, self.json).await,
        }
    }
}

impl Cancel {
    async fn run(&self, client: &Client, json: bool) -> Result<()> {
        let mut jobs = Vec::new();
        for given in &self.id {
            let id = job::whole_id(client, given).await?;
            jobs.push(job::cancel(client, &id).await?);
        }
        if json {
            return print_json(&json!({"jobs": jobs}));
        }
        for told in &jobs {
            let job = Job::read(told, client)?;
            if job.is_over() {
                let state = painted(of_state(&job.state), &job.state);
                line(&format!("{}  {state}", job.id))?;
            } else {
                line(&format!("{}  asked to stop", job.id))?;
            }
        }
        Ok(())
    }
}
