//! The forms in which a result is written.

use axum::body::Bytes;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, VARY};
use http::{HeaderValue, StatusCode};

use super::envelope::{ENVELOPE, Printed, content, envelope, json, json_within, mimetype};
use super::sink::{self, Sink};
use super::web;
use crate::budget::{Charge, NoRoom};
use crate::codec::base64::{BASE64, Engine as _};
use crate::codec::json::{Json, least_size};
use crate::codec::pickle::{self, Arrays, Protocol};
use crate::codec::table::Columns;
use crate::error::{CallError, Output};
use crate::front::compress::{self, Incompressible};
use crate::front::media::{PICKLE, VALUE};
use crate::front::preferences::Preference;
use crate::value::Value;

/// How a caller wants the value that a procedure returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::front) enum Form {
    /// Pickled in an envelope, as RPC.
    Rpc(Arrays),
    /// A pickle and nothing else.
    Pickle(Arrays),
    /// In an envelope as itself.
    Envelope,
    /// As the web procedure that made it wants it.
    Web,
    /// As itself, in JSON.
    Value,
    /// Bytes or text and nothing else.
    Raw,
    /// A table with these columns, in CSV.
    Table(Columns),
}

/// The reply of success. `printed` is what the procedure printed, where the caller wants that, and is there
/// where the form has an envelope. `charge` is what holds room for the value, and then for the reply.
///
/// # Errors
///
/// Where there is no room for the reply, or a web procedure made none.
pub(in crate::front) fn success(
    value: &Value,
    form: &Form,
    printed: Option<&Output>,
    charge: Charge,
) -> Result<Response, CallError> {
    let mut response = result(value, form, printed, charge)?;
    if printed.is_some() && matches!(form, Form::Rpc(_) | Form::Envelope) {
        Preference::Output.applied(response.headers_mut());
    }
    // A web procedure knows for itself what its replies depend on.
    if *form != Form::Web {
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    }
    Ok(response)
}

fn result(
    value: &Value,
    form: &Form,
    printed: Option<&Output>,
    mut charge: Charge,
) -> Result<Response, CallError> {
    Ok(match form {
        Form::Rpc(arrays) => {
            // Text of base64 needs no escapes, so it is written where it belongs at once.
            let pickle = pickled(value, *arrays, Protocol::Four, &mut charge)?;
            let printed = printed.map(|output| json(&Printed::from(output))).unwrap_or_default();
            let length = 96 + pickle.len().div_ceil(3) * 4 + printed.len();
            charge_for(length, &mut charge)?;
            let mut body = String::with_capacity(length);
            body.push_str(
                r#"{"status":"success","mimetype":"application/json","result":{"payload":""#,
            );
            BASE64.encode_string(pickle, &mut body);
            body.push_str(r#""}"#);
            if let [b'{', members @ .., b'}'] = &*printed
                && !members.is_empty()
            {
                body.push(',');
                body.push_str(&String::from_utf8_lossy(members));
            }
            body.push('}');
            let is_large = body.len() > compress::LARGE;
            let mut response = envelope(StatusCode::OK, held(body.into_bytes(), charge).into());
            if is_large {
                response.extensions_mut().insert(Incompressible);
            }
            response
        }
        Form::Pickle(arrays) => {
            let pickle = pickled(value, *arrays, Protocol::Five, &mut charge)?;
            ([(CONTENT_TYPE, PICKLE)], held(pickle, charge)).into_response()
        }
        Form::Envelope => content(StatusCode::OK, value, mimetype(value), printed, charge)?,
        Form::Web => web::response(value, charge)?,
        Form::Value => bare_json(value, charge)?,
        Form::Raw => match value {
            Value::Bytes(bytes) => {
                let bytes = charge.hold(bytes.clone());
                ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
            }
            Value::Text(text) => {
                charge_for(text.len(), &mut charge)?;
                let text = held(text.as_bytes().to_vec(), charge);
                ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
            }
            // Nobody is offered it for anything else.
            other => bare_json(other, charge)?,
        },
        Form::Table(columns) => {
            let header = if columns.have_names() { "present" } else { "absent" };
            let content_type = format!("text/csv; charset=utf-8; header={header}");
            let table = Sink::new(charge).fill(|sink| columns.write(value, sink))?;
            ([(CONTENT_TYPE, content_type)], table).into_response()
        }
    })
}

fn bare_json(value: &Value, charge: Charge) -> Result<Response, NoRoom> {
    let body = json_within(&Json(value), least_size(value), charge)?;
    Ok(([(CONTENT_TYPE, VALUE)], body).into_response())
}

/// Takes room for a part of a reply, unless it is small.
fn charge_for(bytes: usize, charge: &mut Charge) -> Result<(), NoRoom> {
    if bytes > sink::FREE { charge.take(bytes) } else { Ok(()) }
}

fn pickled(
    value: &Value,
    arrays: Arrays,
    protocol: Protocol,
    charge: &mut Charge,
) -> Result<Vec<u8>, NoRoom> {
    charge_for(value.written_size(), charge)?;
    Ok(pickle::encode_as(value, arrays, protocol))
}

/// A reply that is whole, with the room that it takes.
fn held(bytes: Vec<u8>, mut charge: Charge) -> Bytes {
    if bytes.capacity() <= sink::FREE {
        return bytes.into();
    }
    charge.shrink_to(bytes.capacity());
    charge.hold(bytes)
}

/// About how many bytes a reply takes while it is written, beside its value.
pub(in crate::front) fn size(value: &Value, form: &Form) -> usize {
    match form {
        Form::Rpc(_) => value.written_size() / 3 * 7 + ENVELOPE,
        Form::Pickle(_) | Form::Table(_) => value.written_size(),
        Form::Envelope | Form::Web | Form::Value => least_size(value) + ENVELOPE,
        Form::Raw => match value {
            // It is there.
            Value::Bytes(_) => 0,
            other => other.written_size(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> serde_json::Value {
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn the_mimetype_says_what_the_result_is() {
        for (value, mimetype, result) in [
            (Value::text("hi"), "text/plain", serde_json::json!("hi")),
            (Value::Bytes("hi".into()), "application/octet-stream", "aGk=".into()),
            (Value::Int(0), "application/json", 0.into()),
            (Value::Bool(false), "application/json", false.into()),
            (Value::None, "application/json", serde_json::Value::Null),
        ] {
            let body =
                body(success(&value, &Form::Envelope, None, Charge::unlimited()).unwrap()).await;
            assert_eq!(
                body,
                serde_json::json!({"status": "success", "mimetype": mimetype, "result": result})
            );
        }
    }

    #[tokio::test]
    async fn an_envelope_has_what_was_printed_where_that_is_wanted() {
        let printed = |stdout: &str| Output { stdout: stdout.into(), stderr: String::new() };
        for (output, expected) in [
            (Some(printed("a \"line\"\n")), Some("a \"line\"\n")),
            (Some(printed("")), None),
            (None, None),
        ] {
            for form in [Form::Envelope, Form::Rpc(Arrays::Lists)] {
                let charge = Charge::unlimited();
                let response = success(&Value::Int(1), &form, output.as_ref(), charge).unwrap();
                let applied = response.headers().get("preference-applied").cloned();
                assert_eq!(applied.is_some(), output.is_some());
                let body = body(response).await;
                assert_eq!(body["status"], "success");
                assert_eq!(body.get("stdout").and_then(|it| it.as_str()), expected, "{body}");
                assert_eq!(body.get("stderr"), None);
            }
            let response =
                success(&Value::Int(1), &Form::Value, output.as_ref(), Charge::unlimited());
            assert!(!response.unwrap().headers().contains_key("preference-applied"));
        }
    }

    #[tokio::test]
    async fn the_other_forms_are_the_value_alone() {
        let columns = |value| Form::Table(Columns::of_value(value).unwrap());
        let list = Value::List(vec![Value::Int(1), Value::Int(2)]);
        for (value, form, content_type, content) in [
            (&Value::text("hi"), Form::Value, "application/vnd.tarp.value+json", "\"hi\""),
            (&Value::text("hü"), Form::Raw, "text/plain; charset=utf-8", "hü"),
            (&Value::Bytes("hi".into()), Form::Raw, "application/octet-stream", "hi"),
            (&list, columns(&list), "text/csv; charset=utf-8; header=absent", "1\r\n2\r\n"),
        ] {
            let response = success(value, &form, None, Charge::unlimited()).unwrap();
            assert_eq!(response.headers()[CONTENT_TYPE], content_type);
            assert_eq!(response.headers()[VARY], "accept");
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            assert_eq!(body, content, "{form:?}");
        }
    }
}
