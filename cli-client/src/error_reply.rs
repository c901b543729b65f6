//! A failure that the host answered with: of the procedure, of a job, or of the request.

use serde_json::{Value, json};
use tarp_schema::error_kind::ErrorKind;

use crate::answer::{Answer, Receipt};
use crate::style::{BAD, BOLD, painted, printable};

/// What the host says of a failure.
#[derive(Debug)]
pub(crate) struct ErrorReply {
    pub(crate) kind: String,
    pub(crate) message: String,
    /// All of it, for programs.
    pub(crate) document: Value,
}

impl ErrorReply {
    /// The failure that an answer is; `None` for one that is none.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        if answer.status < 400 {
            return None;
        }
        let mut document: Value = serde_json::from_slice(&answer.body).ok()?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        if text("status")? != "error" {
            return None;
        }
        let (kind, message) = (text("type")?, text("message")?);
        if let (Some(receipt), Some(document)) =
            (Receipt::of(&answer.headers), document.as_object_mut())
        {
            document.insert("receipt".into(), json!(receipt));
        }
        Some(Self { kind, message, document })
    }

    /// Whether the host is starting, stopping or full, or the caller has used up what it may do, which passes.
    pub(crate) fn is_of_the_moment(&self) -> bool {
        let of_the_moment =
            [ErrorKind::Overloaded, ErrorKind::TooManyRequests, ErrorKind::Unavailable];
        self.kind.parse().is_ok_and(|kind| of_the_moment.contains(&kind))
    }

    /// Whether it says that something is busy: a job that still runs, or what a procedure needs.
    pub(crate) fn is_busy(&self) -> bool {
        self.kind.parse() == Ok(ErrorKind::OperationInProgress)
    }

    /// What the exit code says: whose fault it is.
    pub(crate) fn exit_code(&self) -> u8 {
        use ErrorKind::{
            BadArguments, BadRequest, Cancelled, Conflict, DeadlineExceeded, Forbidden, Gone,
            Internal, Interrupted, InvalidServerState, MethodNotAllowed, NotAcceptable, NotFound,
            OperationInProgress, OutOfFuel, OutOfMemory, Overloaded, PreconditionFailed,
            ProcedureError, RequestTimeout, StorageFull, TooLarge, TooManyRequests, Trap,
            Unauthorized, Unavailable, UnsupportedMediaType,
        };
        // One that only a newer host has.
        let Ok(kind) = self.kind.parse() else { return 1 };
        match kind {
            // The request is wrong.
            BadRequest | BadArguments | Unauthorized | Forbidden | NotFound | MethodNotAllowed
            | NotAcceptable | UnsupportedMediaType | TooLarge | Gone | Conflict
            | PreconditionFailed => 2,
            // The host cannot serve it.
            Overloaded | StorageFull | TooManyRequests | Unavailable | Internal => 3,
            // The call failed.
            RequestTimeout | ProcedureError | Trap | OutOfFuel | OutOfMemory | DeadlineExceeded
            | OperationInProgress | InvalidServerState | Cancelled | Interrupted => 1,
        }
    }

    /// Shows it on standard error.
    pub(crate) fn print(&self) {
        anstream::eprint!("{self}");
    }

    fn part(&self, name: &str) -> Option<&str> {
        self.document.get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }
}

impl std::fmt::Display for ErrorReply {
    /// For people: type and message, and below them whatever else is known.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: {}", painted(BAD, &printable(&self.kind)), printable(&self.message))?;
        // A web procedure's own is called `result`. A text is in the message already.
        let value = self.document.get("value").or_else(|| self.document.get("result"));
        let value = value.filter(|value| !value.is_null() && !value.is_string());
        let value = value.map(|value| format!("{value:#}"));
        let parts = [
            ("value", value.as_deref()),
            ("backtrace", self.part("backtrace")),
            ("stdout", self.part("stdout")),
            ("stderr", self.part("stderr")),
        ];
        for (title, text) in parts {
            let Some(text) = text else { continue };
            writeln!(f, "{}", painted(BOLD, &format!("{title}:")))?;
            for line in printable(text).trim_end().lines() {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn answer(body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("x-tarp-fuel", HeaderValue::from_static("7"));
        Answer { status: 500, headers, body: body.into() }
    }

    #[test]
    fn a_failure_shows_all_that_is_known_of_it() {
        let answer = answer(
            r#"{"status":"error","type":"ProcedureError","message":"no\u001b[2J","value":{"code":7},
                "backtrace":"at f\nat g\n","stderr":"hm\n"}"#,
        );
        let failure = ErrorReply::of(&answer).unwrap();
        let plain = anstream::adapter::strip_str(&failure.to_string()).to_string();
        assert_eq!(
            plain,
            "ProcedureError: no\\u{1b}[2J\nvalue:\n  {\n    \"code\": 7\n  }\nbacktrace:\n  at f\n  at g\nstderr:\n  hm\n"
        );
        assert_eq!(failure.document["receipt"]["fuel"], 7);
        assert_eq!(failure.exit_code(), 1);
    }

    #[test]
    fn what_is_no_failure_of_a_host_is_none() {
        assert!(ErrorReply::of(&answer("<html>")).is_none());
        assert!(ErrorReply::of(&answer(r#"{"status":"success"}"#)).is_none());
    }
}
