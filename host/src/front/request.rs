//! A request as arguments: from its query string, and from its body by its content type.

use std::sync::Arc;

use axum::body::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::negotiate::{Offer, form};
use super::reply::{Form, PICKLE};
use super::rpc::{self, RpcBody};
use crate::codec::pickle::Arrays;
use crate::codec::types::{Arguments, Signature, Type};
use crate::codec::{json, text};
use crate::error::{CallError, Kind};
use crate::jobs::model::Presentation;
use crate::value::{Array, Value};

/// What a request asks for.
pub(super) struct Asked {
    pub(super) arguments: Arguments,
    /// How its sender wants the result.
    pub(super) form: Form,
    /// How its sender can take a result that is kept.
    pub(super) presentation: Presentation,
}

/// The arguments in the query string alone, as GET has them.
///
/// # Errors
///
/// [`Kind::NotAcceptable`] where the result cannot have the form that is wanted.
pub(super) fn from_query(parts: &Parts, signature: &Signature) -> Result<Asked, CallError> {
    let form = form(&parts.headers, Arrays::Lists, || Offer::of(signature))?;
    let arguments = query(parts, signature);
    Ok(Asked { arguments, form, presentation: Presentation::Plain })
}

/// The arguments of a POST.
///
/// | content type | arguments |
/// |---|---|
/// | `application/json` | RPC; or an object by name, an array by position, else the only argument |
/// | `application/x-www-form-urlencoded` | by name |
/// | `application/vnd.tarp.pickle` | a pickle of `(args, kwargs)` |
/// | `text/plain` | the only argument, read by its type |
/// | anything else | the only argument, as bytes; none where the body is empty |
///
/// Those in the query string count too, except for RPC.
///
/// # Errors
///
/// [`Kind::BadRequest`] for a body that cannot be read, [`Kind::BadArguments`] where a body is one
/// argument and the procedure does not take one, [`Kind::NotAcceptable`] where the result cannot have
/// the form that is wanted.
pub(super) fn from_post(
    parts: &Parts,
    body: &Bytes,
    signature: &Signature,
) -> Result<Asked, CallError> {
    let mut arrays = Arrays::Lists;
    let mut arguments = match content_type(parts)?.as_str() {
        "application/json" => {
            if let Some(rpc) = rpc(body, signature)? {
                if parts.uri.query().is_some_and(|query| !query.is_empty()) {
                    return Err(bad("RPC endpoints should not have query parameters"));
                }
                let (arguments, arrays) = rpc.arguments()?;
                let presentation = presentation(arrays);
                return Ok(Asked { arguments, form: Form::Rpc(arrays), presentation });
            }
            from_json(body, signature)?
        }
        "application/x-www-form-urlencoded" => {
            utf8(body)?;
            text::arguments(form_urlencoded::parse(body).into_owned(), signature)
        }
        PICKLE => {
            let (arguments, theirs) = rpc::from_pickle(body)?;
            arrays = theirs;
            arguments
        }
        "text/plain" => match only(signature) {
            Some(ty) => one(text::value(utf8(body)?, ty)),
            None => return Err(takes_several(signature)),
        },
        _ if body.is_empty() => Arguments::default(),
        _ => from_bytes(body, signature)?,
    };
    arguments.named.extend(query(parts, signature).named);
    let presentation = presentation(arrays);
    let form = form(&parts.headers, arrays, || Offer::of(signature))?;
    Ok(Asked { arguments, form, presentation })
}

fn presentation(arrays: Arrays) -> Presentation {
    match arrays {
        Arrays::Numpy => Presentation::Numpy,
        Arrays::Lists => Presentation::Plain,
    }
}

fn query(parts: &Parts, signature: &Signature) -> Arguments {
    let query = parts.uri.query().unwrap_or_default();
    text::arguments(form_urlencoded::parse(query.as_bytes()).into_owned(), signature)
}

/// The content type without its parameters, in lower case; empty where there is none.
pub(super) fn content_type(parts: &Parts) -> Result<String, CallError> {
    let Some(value) = parts.headers.get(CONTENT_TYPE) else { return Ok(String::new()) };
    let value = value.to_str().map_err(|_| bad("the Content-Type header is not text"))?;
    Ok(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// `None` where the body is not meant as RPC.
fn rpc<'a>(body: &'a Bytes, signature: &Signature) -> Result<Option<RpcBody<'a>>, CallError> {
    let is_parameter =
        |name: &str| signature.parameters.iter().any(|parameter| &*parameter.name == name);
    if is_parameter("args") || is_parameter("kwargs") {
        return Ok(RpcBody::parse(body));
    }
    if let Some(rpc) = RpcBody::parse(body) {
        return Ok(Some(rpc));
    }
    // Neither is a parameter, so a body that has one of them is RPC gone wrong.
    let mentions = |name: &str| {
        let quoted = format!("\"{name}\"");
        body.windows(quoted.len()).take(256).any(|window| window == quoted.as_bytes())
    };
    if (mentions("args") || mentions("kwargs"))
        && let Ok(Value::Map(entries)) = json::parse(body)
        && entries
            .iter()
            .any(|(key, _)| matches!(key, Value::Text(key) if matches!(&**key, "args" | "kwargs")))
    {
        return Err(rpc::malformed());
    }
    Ok(None)
}

fn from_json(body: &Bytes, signature: &Signature) -> Result<Arguments, CallError> {
    if body.is_empty() {
        return Err(bad("the request's body is empty; its Content-Type promises JSON"));
    }
    let value =
        json::parse(body).map_err(|e| bad(format!("the request's body is not JSON: {e}")))?;
    Ok(match value {
        Value::Map(entries) => {
            let named = entries.into_iter().filter_map(|(key, value)| match key {
                Value::Text(name) => Some((name, value)),
                _ => None,
            });
            Arguments { positional: Vec::new(), named: named.collect::<Vec<(Arc<str>, Value)>>() }
        }
        Value::List(positional) => Arguments { positional, named: Vec::new() },
        Value::Array(array) => {
            Arguments { positional: Array::elements(&array).collect(), named: Vec::new() }
        }
        _ if signature.parameters.is_empty() => Arguments::default(),
        value if only(signature).is_some() => one(value),
        _ => return Err(takes_several(signature)),
    })
}

fn from_bytes(body: &Bytes, signature: &Signature) -> Result<Arguments, CallError> {
    let Some(ty) = only(signature) else { return Err(takes_several(signature)) };
    let wants_bytes = matches!(ty, Type::List(item) if **item == Type::U8);
    // The original client sends text this way too.
    Ok(one(match std::str::from_utf8(body) {
        Ok(text) if !wants_bytes => text::value(text, ty),
        _ => Value::Bytes(body.clone()),
    }))
}

/// The type of the only parameter, inside its option; `None` where there are more or none.
fn only(signature: &Signature) -> Option<&Type> {
    match signature.parameters.as_slice() {
        [only] => Some(match &only.ty {
            Type::Option(inner) => inner,
            ty => ty,
        }),
        _ => None,
    }
}

fn one(value: Value) -> Arguments {
    Arguments { positional: vec![value], named: Vec::new() }
}

fn takes_several(signature: &Signature) -> CallError {
    CallError::new(
        Kind::BadArguments,
        format!(
            "the request's body is one argument, but the procedure takes {signature}; send a JSON object with the arguments by name, and Content-Type: application/json"
        ),
    )
}

pub(super) fn utf8(body: &Bytes) -> Result<&str, CallError> {
    std::str::from_utf8(body).map_err(|e| bad(format!("the request's body is not UTF-8: {e}")))
}

pub(super) fn bad(message: impl Into<String>) -> CallError {
    CallError::new(Kind::BadRequest, message)
}
