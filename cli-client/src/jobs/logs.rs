//! `tarp jobs logs`.

use clap::Args;

use crate::client::Client;
use crate::error::Result;
use crate::follow::{Event, Follower};
use crate::job::{self, Logs as Told};
use crate::output::{line, print_json};
use crate::progress::log_line;
use crate::style::{BOLD, painted, printable};

/// Print what a job logged, and what it wrote to its standard output and error.
#[derive(Debug, Args)]
pub(super) struct Logs {
    /// The job
    id: String,
    /// Go on until the job's end
    #[arg(short, long, conflicts_with = "json")]
    follow: bool,
}

impl Logs {
    pub(super) async fn run(&self, client: &Client, json: bool) -> Result<()> {
        let id = job::whole_id(client, &self.id).await?;
        if self.follow {
            print_events(client, &id).await?;
        }
        let request = || client.get(&job::logs_page(&id));
        let logs = if self.follow {
            client.json_safely(request).await?
        } else {
            client.json(request()).await?
        };
        if json {
            return print_json(&logs);
        }
        let told = Told::read(&logs, client)?;
        if !self.follow {
            told.log.iter().try_for_each(|told| line(&log_line(told)))?;
        }
        section("stdout", &told.stdout)?;
        section("stderr", &told.stderr)
    }
}

/// Prints log lines as they come, until the job's end.
async fn print_events(client: &Client, id: &str) -> Result<()> {
    let mut follower = Follower::new(client, id);
    while let Some(event) = follower.next().await? {
        if let Event::Log(told) = event {
            line(&log_line(&told))?;
        }
    }
    Ok(())
}

fn section(title: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    line(&painted(BOLD, &format!("{title}:")))?;
    line(printable(text).trim_end_matches('\n'))
}
