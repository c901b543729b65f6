//! `tarp jobs result`.

use std::time::Duration;

use clap::Args;

use crate::catalog::{Catalog, Procedure};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::job::{self, Job, page};
use crate::output::Destination;
use crate::reply::Reply;
use crate::run::{self, Interrupts};

/// Print a job's result, as `tarp call` would have; or its failure.
#[derive(Debug, Args)]
pub(super) struct JobResult {
    /// The job
    id: String,
    /// Wait so many seconds for it, with a progress bar; `inf` waits as long as it takes
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    wait: Option<f64>,
    #[command(flatten)]
    destination: Destination,
}

/// A text is no number of seconds.
#[derive(Debug, thiserror::Error)]
#[error("it is a number of seconds, or inf")]
struct NoSeconds;

fn seconds(text: &str) -> Result<f64, NoSeconds> {
    match text.parse() {
        Ok(seconds) if seconds >= 0.0 => Ok(seconds),
        _ => Err(NoSeconds),
    }
}

impl JobResult {
    pub(super) async fn run(&self, client: &Client, json: bool) -> Result<()> {
        let id = job::whole_id(client, &self.id).await?;
        let mut job = look(client, &id).await?;
        let mut interrupts = Interrupts::listen()?;
        if let Some(seconds) = self.wait
            && !job.is_over()
        {
            let watch = run::watch(client, &job, &mut interrupts, false);
            match Duration::try_from_secs_f64(seconds) {
                Ok(time) => tokio::time::timeout(time, watch).await.unwrap_or(Ok(()))?,
                Err(_) => watch.await?,
            }
            let told = client.json_safely(|| client.get(&page(&id))).await?;
            job = Job::read(&told, client)?;
        }
        if !job.is_over() {
            let cure = "--wait SECONDS waits for its result";
            return Err(Error::Pending(format!("the job {id} is {}; {cure}", job.state)));
        }
        let answer = run::result(client, &id, &mut interrupts).await?;
        let reply = Reply::of(answer, client)?;
        // The type that its procedure has now: good enough to choose a form by, and the job's own may be
        // gone.
        let catalog = Catalog::of(client).await.ok();
        let procedure = catalog.as_ref().and_then(|catalog| catalog.find(&job.procedure, "").ok());
        let ty = procedure.and_then(Procedure::result);
        self.destination.deliver(&reply, ty, Some(&id), json)
    }
}

async fn look(client: &Client, id: &str) -> Result<Job> {
    Job::read(&client.json(client.get(&page(id))).await?, client)
}
