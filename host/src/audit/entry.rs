//! One line of the audit log: [`Entry`].

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use memchr::memmem;
use serde::{Serialize, Serializer};

use crate::error::ErrorKind;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The host began to serve.
    Started,
    /// The host serves no longer.
    Stopped,
    /// A procedure or a mounted component was called.
    Call,
    /// A request was refused, and nothing was called.
    Refused,
    /// A job was submitted.
    JobSubmitted,
    /// A job has ended.
    JobEnded,
    /// A job was asked to stop.
    JobCancelled,
    /// A job that had ended was removed.
    JobRemoved,
    /// A component was to be put into the folder.
    ComponentDeployed,
    /// A component was to return to another version.
    ComponentRolledBack,
    /// A component was to be removed.
    ComponentRemoved,
    /// A browser was given a token to keep.
    LoggedIn,
    /// A browser was told to forget its token.
    LoggedOut,
    /// There is a new token.
    TokenCreated,
    /// A token has another secret, or other rights, limits or times.
    TokenChanged,
    /// A token is no longer valid.
    TokenRevoked,
    /// Lines were dropped.
    Dropped,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It failed.
    Failure(ErrorKind),
    /// It was answered with a failure that a component put into words itself.
    OwnFailure,
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match self {
            Self::Success => "success",
            Self::Failure(kind) => kind.name(),
            Self::OwnFailure => "failure",
        })
    }
}

/// A line of the log. What is not known is left out.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'a> {
    /// What happened.
    pub event: Event,
    /// The id of the token that it was done with, or that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'a str>,
    /// The name of that token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The method of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'a str>,
    /// The path of the request, without its query, where it is not known to be a procedure's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<&'a str>,
    /// The full name of the procedure or the mounted component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<&'a str>,
    /// The handle of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The state of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'a str>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The status of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Units of fuel that were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Bytes of the request's body that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    /// Bytes of the reply's body that were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// From the request to the end of its reply, or from a job's submission to its end.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "microseconds")]
    pub seconds: Option<Duration>,
    /// Attempts of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The rights of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// Who changed the tokens, by the word of the command that they used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a str>,
    /// How many lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// The arguments, as JSON, where they are wanted and short.
    #[serde(skip)]
    pub arguments: Option<&'a str>,
}

impl Entry<'_> {
    /// One that says nothing but what happened.
    #[must_use]
    pub fn new(event: Event) -> Self {
        Self {
            event,
            token: None,
            name: None,
            address: None,
            method: None,
            path: None,
            procedure: None,
            job: None,
            state: None,
            outcome: None,
            status: None,
            fuel: None,
            received: None,
            sent: None,
            seconds: None,
            attempts: None,
            allow: None,
            by: None,
            lines: None,
            arguments: None,
        }
    }

    /// Its line, with the end of it.
    pub(super) fn line(&self, now: SystemTime) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'a> {
            time: String,
            #[serde(flatten)]
            entry: &'a Entry<'a>,
        }
        let time = humantime::format_rfc3339_millis(now.max(SystemTime::UNIX_EPOCH)).to_string();
        // Only a map with keys that are no strings could fail, and there is none.
        let mut line = serde_json::to_vec(&Line { time, entry: self }).unwrap_or_default();
        if let Some(arguments) = self.arguments {
            line.pop();
            line.extend_from_slice(b",\"arguments\":");
            line.extend_from_slice(arguments.as_bytes());
            line.push(b'}');
        }
        hide_secrets(&mut line);
        line.push(b'\n');
        line
    }
}

/// Writes seconds to six places, so that a line is no longer than what was measured.
#[expect(clippy::ref_option, reason = "serde gives it")]
fn microseconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = time.map(|time| (time.as_secs_f64() * 1e6).round() / 1e6);
    seconds.serialize(serializer)
}

/// Overwrites the secrets of tokens, which somebody may have put into a path or an argument.
fn hide_secrets(line: &mut [u8]) {
    const PREFIX: &[u8] = b"tarp_";
    const ID: usize = 16;
    let starts: Vec<_> = memmem::find_iter(line, PREFIX).collect();
    for start in starts {
        let id = start + PREFIX.len();
        let secret = id + ID + 1;
        let is_id = line
            .get(id..secret)
            .is_some_and(|id| id[..ID].iter().all(u8::is_ascii_hexdigit) && id[ID] == b'_');
        let is_secret = |byte: &&mut u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
        if is_id {
            line[secret..].iter_mut().take_while(is_secret).for_each(|byte| *byte = b'*');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Rights, Token};

    #[test]
    fn a_line_is_json_with_what_is_known() {
        let entry = Entry {
            name: Some("alice"),
            outcome: Some(Outcome::Failure(ErrorKind::Trap)),
            seconds: Some(Duration::from_nanos(500_000_400)),
            ..Entry::new(Event::Call)
        };
        let line = String::from_utf8(entry.line(SystemTime::UNIX_EPOCH)).unwrap();
        assert_eq!(
            line,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"call\",\"name\":\"alice\",\"outcome\":\"Trap\",\"seconds\":0.5}\n"
        );
    }

    #[test]
    fn arguments_stand_in_it_as_they_are() {
        let entry = Entry { arguments: Some("{\"args\":[1e400]}"), ..Entry::new(Event::Call) };
        let line = String::from_utf8(entry.line(SystemTime::UNIX_EPOCH)).unwrap();
        assert!(line.contains("\"arguments\":{\"args\":[1e400]}}\n"), "{line}");
    }

    #[test]
    fn a_line_has_no_secret_and_is_one_line() {
        let issued = Token::issue("alice".parse().unwrap(), Rights::default(), None);
        let (id, secret) = (issued.token.id.as_str(), &issued.text[22..]);
        let path = format!("/a\nb/{}/{}/tarp_1/tarp_", issued.text, issued.text);
        let line = Entry { path: Some(&path), ..Entry::new(Event::Refused) };
        let line = String::from_utf8(line.line(SystemTime::now())).unwrap();
        assert!(!line.contains(secret), "{line}");
        assert_eq!(line.matches(id).count(), 2);
        assert!(line.contains("/tarp_1/tarp_\""), "{line}");
        assert_eq!(line.matches('\n').count(), 1);
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
    }
}
