//! `tarp jobs show`.

use clap::Args;

use crate::client::Client;
use crate::error::Result;
use crate::job::{self, Job};
use crate::jobs::list::short;
use crate::output::{line, print_json};
use crate::progress::shown;
use crate::style::{BAD, BOLD, of_state, one_line, painted, printable};

/// Show what is known of a job.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The job
    id: String,
}

impl Show {
    pub(super) async fn run(&self, client: &Client, json: bool) -> Result<()> {
        let id = job::whole_id(client, &self.id).await?;
        let told = client.json(client.get(&job::page(&id))).await?;
        if json {
            return print_json(&told);
        }
        let job = Job::read(&told, client)?;
        for (name, text) in lines(&job) {
            line(&format!("{} {text}", painted(BOLD, &format!("{name:12}"))))?;
        }
        Ok(())
    }
}

/// What there is to say, line by line.
fn lines(job: &Job) -> Vec<(&'static str, String)> {
    let mut state = painted(of_state(&job.state), &job.state);
    if let Some(turn) = job.turn() {
        state += &format!(", {turn}");
    }
    if job.cancel_requested && !job.is_over() {
        state += ", asked to stop";
    }
    let mut lines = vec![
        ("id", job.id.clone()),
        ("procedure", one_line(&job.procedure)),
        ("state", state),
        ("priority", job.priority.to_string()),
        ("attempts", format!("{} of {}", job.attempts, job.max_attempts)),
        ("submitted", job.submitted.clone()),
    ];
    let mut add = |name, text: Option<String>| lines.extend(text.map(|text| (name, text)));
    add("progress", job.progress.as_ref().map(shown).filter(|text| !text.is_empty()));
    add("started", job.started.clone());
    add("ended", job.ended.clone());
    add("ran", job.ran().map(short));
    add("kept until", job.expires.clone());
    if job.is_over() {
        add("fuel", Some(job.fuel.to_string()));
        add("memory", Some(format!("{} bytes", job.peak_memory)));
        add("in the guest", Some(format!("{} µs", job.run_us)));
    }
    add(
        "error",
        job.error.as_ref().map(|error| {
            let message = printable(&error.message).replace('\n', "\n             ");
            format!("{}: {message}", painted(BAD, &one_line(&error.kind)))
        }),
    );
    lines
}
