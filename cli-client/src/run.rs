//! What the commands have in common: a client, a loop of events around them, and their exit code.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::address::Connection;
use crate::answer::Answer;
use crate::client::{Attempts, Client};
use crate::error::{Error, Result};
use crate::error_reply::ErrorReply;
use crate::follow::{Event, Follower};
use crate::job::{self, Job};
use crate::progress::Bar;

/// Runs a command to its end.
pub(crate) fn to_end(
    connection: &Connection,
    json: bool,
    command: impl AsyncFnOnce(&Client) -> Result<()>,
) -> ExitCode {
    let run = || {
        let client = Client::new(connection)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Error::Output("to the network".into(), e))?;
        runtime.block_on(command(&client))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(json),
    }
}

/// Ctrl-C, from now on: it no longer ends the process.
#[derive(Debug)]
pub(crate) struct Interrupts(Signal);

impl Interrupts {
    pub(crate) fn listen() -> Result<Self> {
        let interrupts = signal(SignalKind::interrupt());
        interrupts.map(Self).map_err(|e| Error::Output("to the terminal".into(), e))
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Shows a job as it goes on, until its end, or Ctrl-C.
pub(crate) async fn watch(
    client: &Client,
    job: &Job,
    interrupts: &mut Interrupts,
    cancel_on_interrupt: bool,
) -> Result<()> {
    let mut bar = Bar::new(&job.procedure);
    bar.state(job);
    let mut follower = Follower::new(client, &job.id);
    let mut is_cancelled = false;
    loop {
        let event = tokio::select! {
            event = follower.next() => event?,
            () = interrupts.next() => {
                if !cancel_on_interrupt || is_cancelled {
                    return Err(interrupted_at(client, &job.id, is_cancelled));
                }
                job::cancel(client, &job.id).await?;
                is_cancelled = true;
                bar.say("asked to stop");
                continue;
            }
        };
        match event {
            Some(Event::State(job)) => bar.state(&job),
            Some(Event::Progress(progress)) => bar.progress(&progress),
            Some(Event::Log(line)) => bar.log(&line),
            Some(Event::Lost) => bar.say("lost the connection; trying again"),
            None if is_cancelled => {
                return Err(Error::Interrupted(format!("cancelled the job {}", job.id)));
            }
            None => return Ok(()),
        }
    }
}

/// What a job that has ended gave.
pub(crate) async fn result(
    client: &Client,
    id: &str,
    interrupts: &mut Interrupts,
) -> Result<Answer> {
    tokio::select! {
        answer = ended(client, id) => answer,
        () = interrupts.next() => {
            let jobs = client.address.jobs_command();
            Err(Error::Interrupted(format!("interrupted; `{jobs} result {id}` has the result")))
        }
    }
}

/// The answer with the result or the failure of a job that has ended.
///
/// What was asked while it ended, or is told by a cache, can say that it still runs: that is asked
/// again, and counts only if the job itself has failed as busy.
async fn ended(client: &Client, id: &str) -> Result<Answer> {
    let mut attempts = Attempts::new();
    loop {
        let answer = client
            .send_safely(|| client.get(&job::result_page(id)).header("prefer", "output"))
            .await?;
        if !ErrorReply::of(&answer).is_some_and(|failure| failure.is_busy()) {
            return Ok(answer);
        }
        let told = client.json_safely(|| client.get(&job::page(id))).await?;
        if Job::read(&told, client)?.error.is_some_and(|fault| fault.is_busy()) {
            return Ok(answer);
        }
        if !attempts.next().await {
            let jobs = client.address.jobs_command();
            let cure = format!("`{jobs} result {id} --wait 60` waits for it");
            return Err(Error::Pending(format!("the job {id} has no result yet; {cure}")));
        }
    }
}

fn interrupted_at(client: &Client, id: &str, is_cancelled: bool) -> Error {
    let jobs = client.address.jobs_command();
    let state = if is_cancelled { "was asked to stop" } else { "goes on" };
    let ways = [
        ("show", "", "tells how it is"),
        ("result", " --wait 60", "waits for its result"),
        ("cancel", "", "stops it"),
    ];
    let ways = ways.map(|(action, more, what)| (format!("{jobs} {action} {id}{more}"), what));
    let widest = ways.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let ways = ways.map(|(command, what)| format!("\n  {command:widest$}  {what}"));
    Error::Interrupted(format!("the job {id} {state}{}", ways.concat()))
}
