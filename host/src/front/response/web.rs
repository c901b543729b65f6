//! What a web procedure returned, as the reply. The types are those of `wit/web.wit`.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::{envelope, sink};
use crate::budget::Charge;
use crate::codec::json;
use crate::error::{CallError, ErrorKind};
use crate::front::media::JSON;
use crate::value::Value;

/// A page that a guest makes gets an origin of its own in the browser: it must not be able to call
/// other procedures in its reader's name.
pub(in crate::front) const SANDBOX: &str =
    "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";

/// What a web procedure returned, as the reply: JSON, text and bytes in an envelope, anything else as
/// it is. Where its status is that of a failure, the envelope is one of failure too.
///
/// # Errors
///
/// [`ErrorKind::ProcedureError`] for what makes no reply; where there is no room for it.
pub(super) fn response(value: &Value, mut charge: Charge) -> Result<Response, CallError> {
    let status = match field(value, "status") {
        Some(Value::Int(status)) => {
            let known = u16::try_from(*status).ok().filter(|status| (200..=599).contains(status));
            let status = known.and_then(|status| StatusCode::from_u16(status).ok());
            status.ok_or_else(|| wrong(format!("the status {status:?}; one is 200 to 599")))?
        }
        _ => StatusCode::OK,
    };
    let Some(Value::Map(content)) = field(value, "content") else {
        return Err(wrong("no content"));
    };
    let [(Value::Text(kind), content)] = content.as_slice() else {
        return Err(wrong("several contents"));
    };
    let parsed;
    let content = match (&**kind, content) {
        ("json", Value::Text(text)) => {
            let memory = json::memory(text.as_bytes());
            if memory > sink::FREE {
                charge.take(memory)?;
            }
            let json = json::parse(text.as_bytes());
            parsed = json.map_err(|e| wrong(format!("JSON that is none: {e}")))?;
            return Ok(envelope::content(status, &parsed, JSON, None, charge)?);
        }
        ("raw", content) => content,
        (_, content) => {
            let mimetype = envelope::mimetype(content);
            return Ok(envelope::content(status, content, mimetype, None, charge)?);
        }
    };
    let (Some(Value::Text(media_type)), Some(Value::Bytes(data))) =
        (field(content, "media_type"), field(content, "data"))
    else {
        return Err(wrong("raw content without its parts"));
    };
    raw(status, media_type, charge.hold(data.clone()))
}

fn raw(status: StatusCode, media_type: &str, data: Bytes) -> Result<Response, CallError> {
    // Of exactly this content type, the original client takes a reply for an envelope.
    let media_type = match media_type {
        JSON => "application/json; charset=utf-8",
        other => other,
    };
    let media_type = HeaderValue::from_str(media_type)
        .map_err(|_| wrong(format!("the media type {media_type:?}, which is none")))?;
    let mut response = (status, Body::from(data)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    Ok(response)
}

fn wrong(what: impl std::fmt::Display) -> CallError {
    CallError::new(ErrorKind::ProcedureError, format!("the procedure answered with {what}"))
}

fn field<'a>(record: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Map(entries) = record else { return None };
    let found = entries.iter().find(|(key, _)| matches!(key, Value::Text(key) if &**key == name));
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{MemoryBudget, Purpose};
    use crate::front::response::ErrorResponse;

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.map(|(name, value)| (Value::text(name), value)).into())
    }

    fn answer(status: Value, content: Value) -> Response {
        let answer = map([("status", status), ("content", content)]);
        response(&answer, Charge::unlimited())
            .unwrap_or_else(|error| ErrorResponse::from(error).into_response())
    }

    async fn body(response: Response) -> serde_json::Value {
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn json_text_and_bytes_come_in_an_envelope() {
        let reply =
            answer(Value::None, map([("json", Value::text(r#"{"b": [1, 2.5], "a": null}"#))]));
        assert_eq!(reply.status(), StatusCode::OK);
        assert_eq!(
            body(reply).await,
            serde_json::json!({"status": "success", "mimetype": "application/json",
                "result": {"b": [1, 2.5], "a": null}})
        );
        let reply = answer(Value::Int(201), map([("text", Value::text("made"))]));
        assert_eq!(reply.status(), StatusCode::CREATED);
        assert_eq!(body(reply).await["mimetype"], "text/plain");
    }

    #[tokio::test]
    async fn a_status_of_failure_makes_an_envelope_of_failure() {
        let reply = answer(Value::Int(422), map([("text", Value::text("no such lamp"))]));
        assert_eq!(reply.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            body(reply).await,
            serde_json::json!({"status": "error", "type": "ProcedureError",
                "message": "no such lamp", "mimetype": "text/plain", "result": "no such lamp"})
        );
    }

    #[test]
    fn json_that_a_procedure_answers_with_is_charged_before_it_is_read() {
        let json = format!("[{}]", vec!["[]"; 100_000].join(","));
        let answer =
            map([("status", Value::None), ("content", map([("json", Value::text(json))]))]);
        let answered =
            |memory: usize| response(&answer, MemoryBudget::new(memory).charge(Purpose::Work));
        assert_eq!(answered(16 << 20).unwrap_err().kind, ErrorKind::TooLarge);
        assert!(answered(256 << 20).is_ok());
    }

    #[tokio::test]
    async fn what_makes_no_reply_is_the_procedure_s_error() {
        for (status, content) in [
            (Value::Int(99), map([("text", Value::text(""))])),
            (Value::None, map([("json", Value::text("{"))])),
            (
                Value::None,
                map([(
                    "raw",
                    map([
                        ("media_type", Value::text("a\nb")),
                        ("data", Value::Bytes(Bytes::new())),
                    ]),
                )]),
            ),
        ] {
            let reply = answer(status, content);
            assert_eq!(reply.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(body(reply).await["type"], "ProcedureError");
        }
    }

    #[test]
    fn raw_content_is_never_taken_for_an_envelope_and_has_no_rights() {
        let raw = map([
            ("media_type", Value::text("application/json")),
            ("data", Value::Bytes("{}".into())),
        ]);
        let reply = answer(Value::None, map([("raw", raw)]));
        assert_eq!(reply.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
        assert!(reply.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("sandbox"));
    }
}
