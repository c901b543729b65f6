//! Idempotency keys: what a request says, and what a key stands for.

use std::borrow::Cow;

use http::{HeaderMap, Method};

use super::find::owner;
use crate::auth::Caller;
use crate::catalog::Procedure;
use crate::codec::neutral;
use crate::codec::types::{Arguments, Signature};
use crate::error::CallError;
use crate::front::request::ParsedRequest;
use crate::front::state::State;
use crate::jobs::model::{IdempotencyKey, Presentation};
use crate::value::Value;

const HEADER: &str = "idempotency-key";

/// A longer key is no key but somebody's data.
const MAX_LENGTH: usize = 255;

/// The keys that [`read`] takes, as a pattern: 1 to [`MAX_LENGTH`] characters of printable ASCII without
/// quotes, in quotes or not. Spaces at the ends need quotes, or HTTP drops them.
pub(in crate::front) const IDEMPOTENCY_KEY: &str =
    r#"^(?:"[ !#-~]{1,255}"|[!#-~](?:[ !#-~]{0,253}[!#-~])?)$"#;

/// The key that a request for a procedure has, with what it asks for.
///
/// # Errors
///
/// [`BadRequest`](crate::error::ErrorKind::BadRequest) for what is no key, and where its promise could not be
/// kept: this host has no store, or the request is one that nothing is kept of.
pub(in crate::front) fn key(
    state: &State,
    method: &Method,
    headers: &HeaderMap,
    procedure: &Procedure,
    asked: &ParsedRequest,
    caller: &Caller,
) -> Result<Option<IdempotencyKey>, CallError> {
    let Some(key) = read(headers)? else { return Ok(None) };
    let Some(jobs) = &state.jobs else {
        return Err(CallError::bad_request(
            "this host was started with --jobs none, and keeps nothing by which it could run a request with an Idempotency-Key only once; leave the header out, or start the host with a job store",
        ));
    };
    jobs.written_size(&asked.arguments)?;
    if *method == Method::HEAD {
        return Err(CallError::bad_request(
            "nothing is kept of what a HEAD request does, so it takes no Idempotency-Key; send it with GET or POST",
        ));
    }
    let request =
        request(&procedure.name, &procedure.signature, &asked.arguments, asked.presentation);
    Ok(Some(IdempotencyKey { key: of_owner(key, owner(caller).as_deref()).into(), request }))
}

/// Two callers may choose the same key. No key has a line break in it.
fn of_owner<'a>(key: &'a str, owner: Option<&str>) -> Cow<'a, str> {
    owner.map_or(key.into(), |owner| format!("{owner}\n{key}").into())
}

fn read(headers: &HeaderMap) -> Result<Option<&str>, CallError> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CallError::bad_request(
            "the request has several Idempotency-Key headers; send one",
        ));
    }
    let is_key = |key: &str| {
        (1..=MAX_LENGTH).contains(&key.len())
            && key.bytes().all(|c| matches!(c, b' '..=b'~') && c != b'"')
    };
    let text = value.to_str().unwrap_or_default();
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted.unwrap_or(text) {
        key if is_key(key) => Ok(Some(key)),
        _ => Err(CallError::bad_request(format!(
            "an Idempotency-Key is 1 to {MAX_LENGTH} printable characters of ASCII, in double quotes or without any"
        ))),
    }
}

/// A hash of the procedure's name and its arguments, whatever their order and whether by position or by
/// name. Of a request to a web procedure the headers do not count: what sends it again may set others.
fn request(
    procedure: &str,
    signature: &Signature,
    arguments: &Arguments,
    presentation: Presentation,
) -> [u8; 32] {
    let arguments = match (presentation, arguments.positional.as_slice()) {
        (Presentation::Web, [Value::Map(request)]) => {
            let is_header =
                |name: &Value| matches!(name, Value::Text(name) if &**name == "headers");
            let counts = request.iter().filter(|(name, _)| !is_header(name));
            neutral::encode(&counts.collect::<Vec<_>>())
        }
        _ => {
            let names = signature.parameters.iter().map(|parameter| &*parameter.name);
            let (bound, beyond) = arguments
                .positional
                .split_at(arguments.positional.len().min(signature.parameters.len()));
            let named = arguments.named.iter().map(|(name, value)| (&**name, value));
            let mut by_name: Vec<(&str, &Value)> = names.zip(bound).chain(named).collect();
            by_name.sort_by_key(|(name, _)| *name);
            neutral::encode(&(by_name, beyond))
        }
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update(procedure.as_bytes()).update(&[0]).update(&arguments);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::{Parameter, Type};
    use crate::error::ErrorKind;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let pairs = values.iter().map(|value| (HEADER.parse().unwrap(), value.parse().unwrap()));
        pairs.collect::<Vec<_>>().into_iter().fold(HeaderMap::new(), |mut all, (name, value)| {
            let _: bool = all.append::<http::HeaderName>(name, value);
            all
        })
    }

    #[test]
    fn a_key_is_one_short_text_in_quotes_or_not() {
        assert_eq!(read(&headers(&["\"a b\""])), Ok(Some("a b")));
        assert_eq!(read(&headers(&["a b"])), Ok(Some("a b")));
        assert_eq!(read(&headers(&[])), Ok(None));
        for wrong in
            [&[""][..], &["\"\""], &["\""], &["\"a"], &["\"\"a\"\""], &["a\"b"], &["a", "a"]]
        {
            assert_eq!(read(&headers(wrong)).unwrap_err().kind, ErrorKind::BadRequest, "{wrong:?}");
        }
        let long = "k".repeat(MAX_LENGTH + 1);
        let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), long.parse().unwrap())]);
        assert!(read(&headers).is_err());
    }

    #[test]
    fn a_key_stands_for_procedure_and_arguments_and_not_for_headers() {
        let arguments = |value| Arguments { positional: vec![value], named: Vec::new() };
        let parameter = |name: &str| Parameter { name: name.into(), ty: Type::S64, default: None };
        let signature = Signature {
            parameters: vec![parameter("x"), parameter("y")],
            result: None,
            is_async: false,
        };
        let of = |name, value| request(name, &signature, &arguments(value), Presentation::Plain);
        let given = |positional: &[i64], named: &[(&str, i64)]| {
            let positional = positional.iter().copied().map(Value::Int).collect();
            let named = named.iter().map(|(name, n)| ((*name).into(), Value::Int(*n))).collect();
            let arguments = Arguments { positional, named };
            request("a", &signature, &arguments, Presentation::Plain)
        };
        let first = given(&[1, 2], &[]);
        for same in [
            given(&[1], &[("y", 2)]),
            given(&[], &[("x", 1), ("y", 2)]),
            given(&[], &[("y", 2), ("x", 1)]),
        ] {
            assert_eq!(same, first);
        }
        for other in [given(&[2, 1], &[]), given(&[1], &[]), given(&[1, 2, 3], &[])] {
            assert_ne!(other, first);
        }
        assert_eq!(of("a", Value::Int(1)), of("a", Value::Int(1)));
        assert_ne!(of("a", Value::Int(1)), of("b", Value::Int(1)));
        assert_ne!(of("a", Value::Int(1)), of("a", Value::Int(2)));
        let web = |header, body| {
            let parts = [("headers", header), ("body", body)];
            let parts = parts.map(|(name, text)| (Value::text(name), Value::text(text)));
            request("a", &signature, &arguments(Value::Map(parts.into())), Presentation::Web)
        };
        assert_eq!(web("x", "body"), web("y", "body"));
        assert_ne!(web("x", "body"), web("x", "other"));
    }
}
