//! Follows a job's events to its end, through lost connections and restarts of the host.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::answer::Answer;
use crate::client::{Client, RETRY_TIMEOUT};
use crate::error::{Error, Result};
use crate::error_reply::ErrorReply;
use crate::events::{self, Parser};
use crate::job::{self, Job, LogLine, Progress};

/// A host says that it is there every 15 s.
const SILENCE: Duration = Duration::from_secs(45);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Something that happened to a job.
#[derive(Debug)]
pub(crate) enum Event {
    State(Box<Job>),
    Progress(Progress),
    Log(LogLine),
    /// The connection is lost, and is being made again.
    Lost,
}

/// The events of one job.
#[derive(Debug)]
pub(crate) struct Follower<'a> {
    client: &'a Client,
    id: &'a str,
    /// The last event that came, after which the next connection goes on.
    last: Option<String>,
    stream: Option<Response>,
    parser: Parser,
    waiting: std::collections::VecDeque<events::Event>,
    is_over: bool,
    pause: Duration,
    /// Whether to pause before the next connection.
    is_pausing: bool,
    /// Since when nothing has come.
    lost: Option<Instant>,
}

/// Whether an answer is a stream of events.
fn is_stream(response: &Response) -> bool {
    let media = response.headers().get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
    response.status() == 200 && media.is_some_and(|media| media.starts_with("text/event-stream"))
}

impl<'a> Follower<'a> {
    pub(crate) fn new(client: &'a Client, id: &'a str) -> Self {
        Self {
            client,
            id,
            last: None,
            stream: None,
            parser: Parser::default(),
            waiting: std::collections::VecDeque::new(),
            is_over: false,
            pause: FIRST_PAUSE,
            is_pausing: false,
            lost: None,
        }
    }

    /// What happens next; `None` after the state in which the job ended. Can be called again after it
    /// was dropped while it waited.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            while let Some(event) = self.waiting.pop_front() {
                if let Some(event) = self.understood(event)? {
                    return Ok(Some(event));
                }
            }
            if self.is_over {
                return Ok(None);
            }
            if let Some(event) = self.receive().await? {
                return Ok(Some(event));
            }
        }
    }

    /// Waits for more of the stream.
    async fn receive(&mut self) -> Result<Option<Event>> {
        let Some(stream) = &mut self.stream else { return self.connect().await };
        match timeout(SILENCE, stream.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.lost = None;
                self.pause = FIRST_PAUSE;
                self.waiting.extend(self.parser.feed(&bytes));
                Ok(None)
            }
            Ok(Ok(None) | Err(_)) | Err(_) => {
                self.stream = None;
                self.is_pausing = true;
                Ok(Some(Event::Lost))
            }
        }
    }

    /// Makes the connection, after a pause where the last one was lost.
    async fn connect(&mut self) -> Result<Option<Event>> {
        let since = *self.lost.get_or_insert_with(Instant::now);
        if self.is_pausing {
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(MAX_PAUSE);
            self.is_pausing = false;
        }
        let mut request = self.client.get(&format!("{}/events", job::page(self.id)));
        if let Some(last) = &self.last {
            request = request.header("last-event-id", last);
        }
        let why = match self.client.open(request).await {
            Ok(response) if response.status() == 204 => {
                self.is_over = true;
                return Ok(None);
            }
            Ok(response) if is_stream(&response) => {
                self.parser = Parser::default();
                self.stream = Some(response);
                return Ok(None);
            }
            Ok(response) => self.refused(response).await?,
            Err(error) => error,
        };
        if since.elapsed() > RETRY_TIMEOUT {
            let host = &self.client.address;
            return Err(Error::Unreachable(format!(
                "{why}; the job {} goes on there, `{} show {}` tells how it is",
                self.id,
                host.jobs_command(),
                self.id
            )));
        }
        self.is_pausing = true;
        Ok(Some(Event::Lost))
    }

    /// Why the host gives no events: for good, or (as while it starts or stops) for now.
    async fn refused(&self, response: Response) -> Result<Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map(Vec::from).unwrap_or_default();
        let answer = Answer { status, headers, body };
        match ErrorReply::of(&answer) {
            Some(failure) if status != 503 => Err(failure.into()),
            Some(failure) => Ok(failure.into()),
            // Something on the way to the host answers in its place.
            None => Ok(self.client.nonsense(&format!("the status {status}"))),
        }
    }

    /// What an event says; `None` for one of a kind that only a newer host knows.
    fn understood(&mut self, event: events::Event) -> Result<Option<Event>> {
        if event.id.is_some() {
            self.last = event.id;
        }
        let nonsense = |e| self.client.nonsense(&format!("an event without sense: {e}"));
        Ok(match event.kind.as_str() {
            "state" => {
                let told: Value = serde_json::from_str(&event.data).map_err(nonsense)?;
                let job = Job::read(&told, self.client)?;
                self.is_over = job.is_over();
                Some(Event::State(Box::new(job)))
            }
            "progress" => {
                Some(Event::Progress(serde_json::from_str(&event.data).map_err(nonsense)?))
            }
            "log" => Some(Event::Log(serde_json::from_str(&event.data).map_err(nonsense)?)),
            _ => None,
        })
    }
}
