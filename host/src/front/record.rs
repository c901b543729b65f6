//! What the audit log is told of one request: [`Record`], which whoever answers the request adds to, and which is
//! written when the request is over.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::response::Response;
use http::Method;
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};

use super::response::fuel;
use crate::audit::{Audit, Entry, Event, Outcome};
use crate::auth::{Caller, TokenId, TokenName};
use crate::codec::json::Json;
use crate::codec::types::{Arguments, Signature};
use crate::error::ErrorKind;
use crate::jobs::model::JobId;

/// Bytes of a path that are kept.
const MAX_PATH: usize = 256;

/// Bytes of arguments that are kept; of longer ones none.
const MAX_ARGUMENTS: usize = 16 << 10;

/// In the place of arguments that are longer.
const TOO_LONG: &str = "\"more than 16 KiB\"";

/// One request, from its beginning until its reply has been sent.
pub(super) struct Record {
    audit: Audit,
    start: Instant,
    method: Method,
    path: Box<str>,
    /// Whether it is for a procedure or a mounted component, and not for a page of the host's own.
    is_call: bool,
    address: IpAddr,
    caller: OnceLock<Caller>,
    event: OnceLock<Event>,
    procedure: OnceLock<Arc<str>>,
    job: OnceLock<JobId>,
    arguments: OnceLock<String>,
    answer: OnceLock<Answer>,
    /// Bytes of bodies.
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
}

/// What is to be known of a reply.
struct Answer {
    status: u16,
    outcome: Outcome,
    fuel: Option<u64>,
}

impl Record {
    pub(super) fn new(
        audit: Audit,
        method: Method,
        path: &str,
        is_call: bool,
        address: IpAddr,
    ) -> Self {
        // What is hidden in it must be seen.
        let path = percent_decode_str(path).decode_utf8_lossy();
        let end = (0..=MAX_PATH.min(path.len())).rev().find(|end| path.is_char_boundary(*end));
        Self {
            audit,
            start: Instant::now(),
            method,
            path: path[..end.unwrap_or(0)].into(),
            is_call,
            address,
            caller: OnceLock::new(),
            event: OnceLock::new(),
            procedure: OnceLock::new(),
            job: OnceLock::new(),
            arguments: OnceLock::new(),
            answer: OnceLock::new(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// Who makes the request.
    pub(super) fn caller(&self, caller: &Caller) {
        let _ = self.caller.set(caller.clone());
    }

    /// What is called, by its full name.
    pub(super) fn call(&self, procedure: &Arc<str>) {
        let _ = self.procedure.set(Arc::clone(procedure));
    }

    /// Something that is told of beside calls.
    pub(super) fn event(&self, event: Event) {
        let _ = self.event.set(event);
    }

    /// The job that it is about.
    pub(super) fn job(&self, id: JobId) {
        let _ = self.job.set(id);
    }

    /// What is called with, where that is to be told.
    pub(super) fn arguments(&self, arguments: &Arguments, signature: &Signature) {
        if self.audit.wants_arguments() {
            let mut text = Short(Vec::new());
            let written = serde_json::to_writer(&mut text, &ByName(arguments, signature));
            let text = written.ok().and_then(|()| String::from_utf8(text.0).ok());
            let _ = self.arguments.set(text.unwrap_or_else(|| TOO_LONG.into()));
        }
    }

    /// How the request is answered.
    pub(super) fn answer(&self, reply: &Response) {
        let status = reply.status();
        let kind = reply.extensions().get::<ErrorKind>().copied();
        // A component may answer with a failure in its own words.
        let has_failed = status.is_client_error() || status.is_server_error();
        let kind = kind.or(has_failed.then_some(ErrorKind::ProcedureError));
        let outcome = kind.map_or(Outcome::Success, Outcome::Failure);
        let fuel = fuel(reply.headers());
        let _ = self.answer.set(Answer { status: status.as_u16(), outcome, fuel });
    }

    /// What happened, if it is anything that is told of.
    fn what(&self, outcome: Outcome) -> Option<Event> {
        let refusals = [ErrorKind::Unauthorized, ErrorKind::Forbidden, ErrorKind::TooManyRequests];
        match (self.event.get(), outcome) {
            (Some(event), _) => Some(*event),
            (None, Outcome::Failure(kind)) if refusals.contains(&kind) => Some(Event::Refused),
            (None, _) if self.procedure.get().is_some() => Some(Event::Call),
            (None, Outcome::Failure(_)) if self.is_call => Some(Event::Refused),
            _ => None,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let answer = self.answer.get();
        // Who went away has ended what was called.
        let outcome =
            answer.map_or(Outcome::Failure(ErrorKind::Cancelled), |answer| answer.outcome);
        let Some(event) = self.what(outcome) else { return };
        let caller = self.caller.get();
        let procedure = self.procedure.get().map(|name| &**name);
        self.audit.write(&Entry {
            token: caller.and_then(Caller::id).map(TokenId::as_str),
            name: caller.and_then(Caller::name).map(TokenName::as_str),
            address: Some(self.address),
            method: Some(self.method.as_str()),
            path: Some(&*self.path).filter(|_| procedure.is_none()),
            procedure,
            job: self.job.get().map(ToString::to_string),
            outcome: Some(outcome),
            status: answer.map(|answer| answer.status),
            fuel: answer.and_then(|answer| answer.fuel),
            received: Some(self.received.load(Ordering::Relaxed)),
            sent: Some(self.sent.load(Ordering::Relaxed)),
            seconds: Some(self.start.elapsed()),
            arguments: self.arguments.get().map(String::as_str),
            ..Entry::new(event)
        });
    }
}

/// Arguments by the names of their parameters; those beyond the last parameter by their position.
struct ByName<'a>(&'a Arguments, &'a Signature);

impl Serialize for ByName<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(arguments, signature) = self;
        let positional = arguments.positional.iter().enumerate().map(|(index, value)| {
            let parameter = signature.parameters.get(index);
            let name = parameter.map_or_else(|| index.to_string(), |its| its.name.to_string());
            (name, Json(value))
        });
        let named = arguments.named.iter().map(|(name, value)| (name.to_string(), Json(value)));
        to.collect_map(positional.chain(named))
    }
}

/// Takes no more than [`MAX_ARGUMENTS`].
struct Short(Vec<u8>);

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_ARGUMENTS {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
