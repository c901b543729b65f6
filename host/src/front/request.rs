//! A request as arguments: from its query string, and from its body by its content type.

use std::sync::Arc;

use axum::body::Bytes;
use http::request::Parts;

use super::form::{self, Pair};
use super::media::{ContentType, Media, Reading, reading, unsupported};
use super::multipart;
use super::negotiate::{Offer, form as wanted_form};
use super::response::Form;
use super::rpc::{self, RpcBody};
use crate::budget::Charge;
use crate::codec::json;
use crate::codec::pickle::Arrays;
use crate::codec::text::{self, Item};
use crate::codec::types::{Arguments, Parameter, Signature, Type};
use crate::config::ArrayReplies;
use crate::error::{CallError, ErrorKind, excerpt};
use crate::jobs::model::Presentation;
use crate::value::{Array, Value};

/// What a request asks for.
pub(super) struct ParsedRequest {
    pub(super) arguments: Arguments,
    /// How its sender wants the result.
    pub(super) form: Form,
    /// How its sender can take a result that is kept.
    pub(super) presentation: Presentation,
}

impl ParsedRequest {
    /// Has rows of numbers in the result of the original protocol's RPC written as the procedure wants
    /// it.
    pub(super) fn write_arrays(&mut self, replies: ArrayReplies) {
        let (arrays, presentation) = match replies {
            ArrayReplies::Auto => return,
            ArrayReplies::Numpy => (Arrays::Numpy, Presentation::Numpy),
            ArrayReplies::List => (Arrays::Lists, Presentation::Plain),
        };
        if matches!(self.form, Form::Rpc(_)) {
            self.form = Form::Rpc(arrays);
            self.presentation = presentation;
        }
    }
}

/// The arguments in the query string alone, as GET has them.
///
/// # Errors
///
/// [`ErrorKind::BadRequest`] for a query that cannot be read, [`ErrorKind::NotAcceptable`] where the result cannot
/// have the form that is wanted.
pub(super) fn from_query(
    parts: &Parts,
    signature: &Signature,
    charge: &mut Charge,
) -> Result<ParsedRequest, CallError> {
    let form = wanted_form(&parts.headers, Arrays::Lists, || Offer::of(signature))?;
    let arguments = query(parts, signature, charge)?;
    Ok(ParsedRequest { arguments, form, presentation: Presentation::Plain })
}

/// The arguments of a POST.
///
/// | content type | arguments |
/// |---|---|
/// | JSON | RPC; or an object by name, an array by position, else the only argument |
/// | a form, or one of several parts | by name |
/// | `application/vnd.tarp.pickle` | a pickle of `(args, kwargs)` |
/// | anything else | the only argument, where its type takes that: see [`reading`] |
/// | nothing, with nothing in it | none |
///
/// Those in the query string count too, except for RPC.
///
/// # Errors
///
/// [`ErrorKind::BadRequest`] for a body that cannot be read, [`ErrorKind::UnsupportedMediaType`] for one of a type
/// that the parameter does not take, [`ErrorKind::BadArguments`] where a body is one argument and the
/// procedure does not take one, [`ErrorKind::NotAcceptable`] where the result cannot have the form that is
/// wanted.
pub(super) fn from_post(
    parts: &Parts,
    body: &Bytes,
    signature: &Signature,
    charge: &mut Charge,
) -> Result<ParsedRequest, CallError> {
    let mut arrays = Arrays::Lists;
    let content = ContentType::of(&parts.headers)?;
    let in_query = query(parts, signature, charge)?;
    let mut arguments = match content.media {
        Media::Json => {
            if let Some(rpc) = rpc(content.text(body)?, signature)? {
                if parts.uri.query().is_some_and(|query| !query.is_empty()) {
                    return Err(CallError::bad_request(
                        "RPC endpoints should not have query parameters",
                    ));
                }
                let (arguments, arrays) = rpc.arguments(charge)?;
                let presentation = presentation(arrays);
                return Ok(ParsedRequest { arguments, form: Form::Rpc(arrays), presentation });
            }
            from_json(content.json(body)?, signature)?
        }
        Media::Form => from_form(content.text(body)?, signature, charge)?,
        Media::Multipart => multipart::arguments(&content, body, signature, charge)?,
        Media::Pickle => {
            let (arguments, theirs) = rpc::from_pickle(body, charge)?;
            arrays = theirs;
            arguments
        }
        _ if body.is_empty() && (content.is_absent() || !is_wanted(signature, &in_query)) => {
            Arguments::default()
        }
        _ => one(whole(&content, body, signature)?),
    };
    arguments.named.extend(in_query.named);
    let presentation = presentation(arrays);
    let form = wanted_form(&parts.headers, arrays, || Offer::of(signature))?;
    Ok(ParsedRequest { arguments, form, presentation })
}

/// Whether an empty body can be the only argument: there is one, and the query does not have it.
fn is_wanted(signature: &Signature, in_query: &Arguments) -> bool {
    signature.parameters.len() == 1 && in_query.named.is_empty()
}

fn presentation(arrays: Arrays) -> Presentation {
    match arrays {
        Arrays::Numpy => Presentation::Numpy,
        Arrays::Lists => Presentation::Plain,
    }
}

/// A query of fewer bytes is not worth a charge.
const SHORT: usize = 4 << 10;

fn query(
    parts: &Parts,
    signature: &Signature,
    charge: &mut Charge,
) -> Result<Arguments, CallError> {
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > SHORT {
        charge.take(text::form_memory(query.as_bytes()))?;
    }
    from_pairs(form::pairs(query.as_bytes(), "the query")?, signature, charge)
}

fn from_pairs(
    pairs: Vec<Pair>,
    signature: &Signature,
    charge: &mut Charge,
) -> Result<Arguments, CallError> {
    let memory: usize = pairs.iter().map(|(_, text)| text::memory(text.as_bytes())).sum();
    if memory > SHORT {
        charge.take(memory)?;
    }
    text::arguments(pairs.into_iter().map(|(name, text)| (name, Item::Text(text))), signature)
}

fn from_form(
    body: &str,
    signature: &Signature,
    charge: &mut Charge,
) -> Result<Arguments, CallError> {
    let pairs = form::pairs(body.as_bytes(), "the form")?;
    // curl and urllib call whatever they send a form, unless they are told.
    let is_known = |name: &str| signature.position(name).is_some();
    if let [(name, text), ..] = pairs.as_slice()
        && !is_known(name)
        && (text.is_empty() || name.starts_with(['{', '[']))
    {
        return Err(CallError::new(
            ErrorKind::BadArguments,
            format!(
                "the body is read as a form, by its Content-Type, and `{}` is no argument of {signature}; JSON needs Content-Type: application/json, plain text text/plain, bytes application/octet-stream (curl and urllib say `form` where nothing else is said)",
                excerpt(name)
            ),
        ));
    }
    from_pairs(pairs, signature, charge)
}

/// `None` where the body is not meant as RPC.
fn rpc<'a>(body: &'a str, signature: &Signature) -> Result<Option<RpcBody<'a>>, CallError> {
    let is_parameter = |name: &str| signature.position(name).is_some();
    if is_parameter("args") || is_parameter("kwargs") {
        return Ok(RpcBody::parse(body));
    }
    if let Some(rpc) = RpcBody::parse(body) {
        return Ok(Some(rpc));
    }
    // Neither is a parameter, so an object that has one of them is RPC gone wrong.
    let beginning = &body.as_bytes()[..body.len().min(256)];
    let mentions = |name: &[u8]| beginning.windows(name.len()).any(|window| window == name);
    if (mentions(b"\"args\"") || mentions(b"\"kwargs\""))
        && let Ok(Value::Map(entries)) = json::parse(body.as_bytes())
        && entries
            .iter()
            .any(|(key, _)| matches!(key, Value::Text(key) if matches!(&**key, "args" | "kwargs")))
    {
        return Err(rpc::malformed());
    }
    Ok(None)
}

fn from_json(value: Value, signature: &Signature) -> Result<Arguments, CallError> {
    let parameters = &signature.parameters;
    let by_position = |values: Vec<Value>| {
        let typed = values
            .into_iter()
            .enumerate()
            .map(|(index, value)| typed(value, parameters.get(index)));
        Arguments { positional: typed.collect(), named: Vec::new() }
    };
    Ok(match value {
        Value::Map(entries) => {
            let named = entries.into_iter().filter_map(|(key, value)| match key {
                Value::Text(name) => {
                    let parameter = signature.parameter(&name);
                    Some((name, typed(value, parameter)))
                }
                _ => None,
            });
            Arguments { positional: Vec::new(), named: named.collect::<Vec<(Arc<str>, Value)>>() }
        }
        Value::List(positional) => by_position(positional),
        Value::Array(array) => by_position(Array::elements(&array).collect()),
        Value::None if parameters.is_empty() => Arguments::default(),
        value if only(signature).is_some() => by_position(vec![value]),
        _ => return Err(takes_several(signature)),
    })
}

fn typed(value: Value, parameter: Option<&Parameter>) -> Value {
    match parameter {
        Some(parameter) => json::typed(value, &parameter.ty),
        None => value,
    }
}

/// The body as the only argument.
fn whole(content: &ContentType, body: &Bytes, signature: &Signature) -> Result<Value, CallError> {
    let several = || match content.media {
        Media::Plain | Media::Bytes => takes_several(signature),
        _ => not_taken(content, &signature.to_string(), &structured()),
    };
    let Some(parameter) = only(signature) else { return Err(several()) };
    let ty = match &parameter.ty {
        Type::Option(inner) => inner,
        ty => ty,
    };
    Ok(match reading(content.media, ty) {
        // As a query has it: with an option's words for none.
        Some(Reading::Value) => text::value(content.text(body)?, &parameter.ty),
        Some(Reading::Text) => Value::text(content.text(body)?),
        Some(Reading::Bytes) => Value::Bytes(body.clone()),
        None => {
            let mut fitting = structured();
            for (media, name) in
                [(Media::Plain, "text/plain"), (Media::Bytes, "application/octet-stream")]
            {
                fitting.extend(reading(media, ty).map(|_| name));
            }
            let wanted = format!("`{}` ({})", parameter.name, parameter.ty);
            return Err(not_taken(content, &wanted, &fitting));
        }
    })
}

/// The types of bodies that have arguments by name, and so are taken for all.
fn structured() -> Vec<&'static str> {
    vec!["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
}

fn not_taken(content: &ContentType, wanted: &str, fitting: &[&str]) -> CallError {
    unsupported(format!(
        "a body {} is not taken for {wanted}; send {}, and say so with Content-Type",
        content.shown(),
        fitting.join(", ")
    ))
}

/// The only parameter; `None` where there are more or none.
fn only(signature: &Signature) -> Option<&Parameter> {
    match signature.parameters.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

fn one(value: Value) -> Arguments {
    Arguments { positional: vec![value], named: Vec::new() }
}

fn takes_several(signature: &Signature) -> CallError {
    let message = if signature.parameters.is_empty() {
        "the procedure takes no arguments; send it without a body".into()
    } else {
        format!(
            "the request's body is one argument, but the procedure takes {signature}; send a JSON object with the arguments by name, and Content-Type: application/json"
        )
    };
    CallError::new(ErrorKind::BadArguments, message)
}
