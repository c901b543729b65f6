//! `tarp call`: a procedure called with what the command line says, at once or as a job.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::address::{Connection, is_address};
use crate::answer::Answer;
use crate::arguments;
use crate::catalog::{Catalog, Procedure};
use crate::client::Client;
use crate::completion;
use crate::error::{Error, Result};
use crate::help;
use crate::job::Job;
use crate::output::{Destination, line, print_json};
use crate::progress::Bar;
use crate::reply::Reply;
use crate::run::{self, Interrupts};
use crate::style::{DIM, one_line, painted};
use crate::words::unmarked;

/// What takes longer is seen to be going on.
const SHORT: Duration = Duration::from_secs(1);

/// Call a procedure of a running host.
#[derive(Debug, Args)]
#[command(
    override_usage = "tarp call [OPTIONS] [ADDRESS] <PROCEDURE> [ARGUMENT]...",
    disable_help_flag = true,
    after_help = "See --help for how to write arguments, for exit codes and for examples.",
    after_long_help = include_str!("call.txt")
)]
pub struct Call {
    /// The host's address (lab:8080, https://lab), if the first word is one; the procedure's name; its
    /// arguments
    #[arg(
        value_names = ["PROCEDURE", "ARGUMENT"],
        num_args = 1..,
        required_unless_present = "help",
        allow_negative_numbers = true,
        add = completion::words::<Call>()
    )]
    words: Vec<String>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    destination: Destination,
    /// Print one JSON document: {"result", "receipt"}, or the failure; "stdout" and "stderr" are what the
    /// procedure printed
    #[arg(long)]
    json: bool,
    /// Send this as the body of a web procedure's request: text, @FILE, or @- for standard input
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Run it as a job, also where its author does not ask for that
    #[arg(long)]
    job: bool,
    /// Print the job's ID and leave it to itself; a job it is in any case
    #[arg(long)]
    detach: bool,
    /// Cancel the job on Ctrl-C, instead of leaving it to itself
    #[arg(long, conflicts_with = "detach")]
    cancel_on_interrupt: bool,
    /// The job's turn in the queue: 0 is the most urgent [default: as the host has it, 3]
    #[arg(long, value_name = "0-7", value_parser = clap::value_parser!(u8).range(0..=7))]
    priority: Option<u8>,
    /// Text that makes submitting the job repeatable: the same key gives the same job for 24 hours
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print help; of a PROCEDURE that is named, its parameters
    #[arg(short, long)]
    help: bool,
}

impl Call {
    /// Whether the help of the command itself is asked for: that of a procedure is the host's to tell.
    #[must_use]
    pub fn wants_own_help(&self) -> bool {
        self.help && self.words.iter().all(|word| is_address(word))
    }

    /// Runs the command.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        for word in &mut self.words {
            *word = unmarked(word).to_owned();
        }
        if self.words.first().is_some_and(|word| is_address(word)) {
            self.connection.url = Some(self.words.remove(0));
        }
        run::to_end(&self.connection, self.json, async |client| self.call(client).await)
    }

    async fn call(&self, client: &Client) -> Result<()> {
        let (name, words) = self.words.split_first().ok_or_else(|| {
            let host = &client.address;
            Error::Usage(format!("which procedure of {host}? `tarp list` has those that there are"))
        })?;
        let catalog = Catalog::of(client).await?;
        let procedure = catalog.find(name, &client.address.to_string())?;
        if self.help {
            let address = client.address.unusual();
            return line(&help::page(procedure, address.as_deref()));
        }
        if procedure.web.is_none() && self.data.is_some() {
            let usage = procedure.usage();
            let why = format!("`{}` is no web procedure and takes no --data", procedure.name);
            return Err(Error::Usage(format!("{why}; the call is {usage}")));
        }
        if procedure.web.is_none() && !self.detach {
            self.destination.check(procedure.result())?;
        }
        let request = self.request(client, procedure, words)?;
        if self.is_job(procedure) {
            return self.submit(client, procedure, &request).await;
        }
        // Beside `respond-async` it would be a second field of that name, which proxies may lose.
        let request = request.header("prefer", "output");
        let answer = patiently(client, procedure, request).await?;
        self.finish(client, procedure, answer, None)
    }

    fn is_job(&self, procedure: &Procedure) -> bool {
        procedure.is_async()
            || self.job
            || self.detach
            || self.cancel_on_interrupt
            || self.priority.is_some()
            || self.idempotency_key.is_some()
    }

    fn request(
        &self,
        client: &Client,
        procedure: &Procedure,
        words: &[String],
    ) -> Result<RequestBuilder> {
        if let Some(web) = &procedure.web {
            return crate::web::request(client, procedure, web, words, self.data.as_deref());
        }
        let arguments = Value::from(arguments::bound(procedure, words, note)?);
        let request = client.request(Method::POST, &procedure.name);
        Ok(request.header(CONTENT_TYPE, "application/json").body(arguments.to_string()))
    }

    async fn submit(
        &self,
        client: &Client,
        procedure: &Procedure,
        request: &RequestBuilder,
    ) -> Result<()> {
        // With a key it makes one job, however often it is sent.
        let key = self.idempotency_key.clone();
        let key = key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let submission = || {
            let request = request.try_clone().expect("its body is in memory");
            let request = request.header("prefer", "respond-async").header("idempotency-key", &key);
            match self.priority {
                Some(priority) => request.header("priority", format!("u={priority}")),
                None => request,
            }
        };
        let told = match client.json_safely(submission).await {
            Err(Error::Failed(failure)) if failure.message.contains("--jobs none") => None,
            told => Some(told?),
        };
        let Some(told) = told.filter(|told| told.get("id").is_some()) else {
            let host = &client.address;
            return Err(Error::Usage(format!("{host} keeps no jobs; call without --job")));
        };
        let job = Job::read(&told, client)?;
        if self.detach {
            return if self.json { print_json(&told) } else { line(&job.id) };
        }
        let mut interrupts = Interrupts::listen()?;
        run::watch(client, &job, &mut interrupts, self.cancel_on_interrupt).await?;
        let answer = run::result(client, &job.id, &mut interrupts).await?;
        self.finish(client, procedure, answer, Some(&job.id))
    }

    fn finish(
        &self,
        client: &Client,
        procedure: &Procedure,
        answer: Answer,
        job: Option<&str>,
    ) -> Result<()> {
        let reply = Reply::of(answer, client)?;
        // A web procedure's result is what it answers, not the record that its type says.
        let ty = if procedure.web.is_some() { None } else { procedure.result() };
        self.destination.deliver(&reply, ty, job, self.json)?;
        match reply.failed {
            Some(status) => Err(Error::Answered(format!(
                "`{}` answered with the status {status}",
                procedure.name
            ))),
            None => Ok(()),
        }
    }
}

/// Says what was made of an argument, on standard error.
fn note(text: &str) {
    anstream::eprintln!("{}", painted(DIM, &format!("tarp: {}", one_line(text))));
}

/// Waits for the answer of a call, and shows that, should it take long.
async fn patiently(
    client: &Client,
    procedure: &Procedure,
    request: RequestBuilder,
) -> Result<Answer> {
    let mut answer = std::pin::pin!(client.send(request));
    if let Ok(answer) = tokio::time::timeout(SHORT, &mut answer).await {
        return answer;
    }
    let bar = Bar::new(&procedure.name);
    bar.say("running");
    answer.await
}
