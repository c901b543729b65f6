//! What a call or a job gave: a value out of the host's envelope, or a web procedure's own reply.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{Answer, Receipt};
use crate::client::Client;
use crate::error::Result;
use crate::error_reply::ErrorReply;

/// What came, as what it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Json(Value),
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    /// As JSON has it: bytes in base64.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => BASE64_STANDARD.encode(bytes).into(),
        }
    }
}

/// A success, or a web procedure's reply of any status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) content: Content,
    pub(crate) receipt: Option<Receipt>,
    /// Of a web procedure that said itself that it has failed.
    pub(crate) failed: Option<u16>,
    /// What the procedure printed, as far as the host tells.
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The host's envelope of success.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "status")]
    _status: Success,
    mimetype: String,
    result: Value,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

#[derive(Deserialize)]
enum Success {
    #[serde(rename = "success")]
    Success,
}

impl Reply {
    /// Reads an answer; fails where it tells of a failure.
    pub(crate) fn of(answer: Answer, client: &Client) -> Result<Self> {
        if let Some(failure) = ErrorReply::of(&answer) {
            return Err(failure.into());
        }
        let receipt = Receipt::of(&answer.headers);
        let failed = (answer.status >= 400).then_some(answer.status);
        let envelope = serde_json::from_slice::<Envelope>(&answer.body);
        let (content, stdout, stderr) = match envelope {
            Ok(Envelope { mimetype, result, stdout, stderr, .. }) => {
                (opened(&mimetype, result), stdout, stderr)
            }
            // A web procedure's, or that of something which is no TARP host.
            Err(_) if receipt.is_some() => (raw(answer), String::new(), String::new()),
            Err(_) => return Err(client.nonsense(&format!("the status {}", answer.status))),
        };
        Ok(Self { content, receipt, failed, stdout, stderr })
    }
}

fn opened(mimetype: &str, result: Value) -> Content {
    match (mimetype, result) {
        ("application/octet-stream", Value::String(text)) => {
            BASE64_STANDARD.decode(&text).map_or(Content::Text(text), Content::Bytes)
        }
        (_, Value::String(text)) => Content::Text(text),
        (_, value) => Content::Json(value),
    }
}

/// What a web procedure answered, by its media type.
fn raw(answer: Answer) -> Content {
    let media = answer.headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let media = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_json = media == "application/json" || media.ends_with("+json");
    if is_json && let Ok(value) = serde_json::from_slice(&answer.body) {
        return Content::Json(value);
    }
    let is_text = media.starts_with("text/") || media.ends_with("+xml") || is_json;
    match String::from_utf8(answer.body) {
        Ok(text) if is_text => Content::Text(text),
        Ok(text) => Content::Bytes(text.into()),
        Err(no_text) => Content::Bytes(no_text.into_bytes()),
    }
}
