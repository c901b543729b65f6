//! Pickled arguments: the original protocol's RPC, which is JSON around two pickles, and one raw
//! pickle of both.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use serde::Deserialize;

use crate::budget::Charge;
use crate::codec::base64::{BASE64, Engine as _};
use crate::codec::pickle::{self, Arrays, Budget, Decoded, PickleError, PickleErrorKind};
use crate::codec::types::Arguments;
use crate::error::CallError;
use crate::value::Value;

/// `{"args": BASE64(PICKLE(tuple)), "kwargs": BASE64(PICKLE(dict))}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RpcBody<'a> {
    #[serde(borrow)]
    args: Cow<'a, str>,
    #[serde(borrow)]
    kwargs: Cow<'a, str>,
}

impl<'a> RpcBody<'a> {
    /// `None` where the body is anything else.
    pub(super) fn parse(body: &'a str) -> Option<Self> {
        // serde takes an array for the members in their order, too.
        body.trim_start().starts_with('{').then(|| serde_json::from_str(body).ok()).flatten()
    }

    /// The arguments, and how arrays are to be written in the reply: as numpy's own where the
    /// arguments show that their sender has numpy.
    ///
    /// # Errors
    ///
    /// [`BadRequest`](crate::error::ErrorKind::BadRequest) for what is no base64, no pickle that this host
    /// takes, or no tuple and dict.
    pub(super) fn arguments(&self, charge: &mut Charge) -> Result<(Arguments, Arrays), CallError> {
        let args = decode("args", &self.args, charge)?;
        let kwargs = decode("kwargs", &self.kwargs, charge)?;
        let uses_numpy = args.uses_numpy || kwargs.uses_numpy;
        Ok((arguments(args.value, kwargs.value)?, arrays(uses_numpy)))
    }
}

/// The arguments of a raw pickle of `(args, kwargs)`.
///
/// # Errors
///
/// As [`RpcBody::arguments`].
pub(super) fn from_pickle(
    body: &Bytes,
    charge: &mut Charge,
) -> Result<(Arguments, Arrays), CallError> {
    let decoded = unpickle(body, charge, |e| CallError::bad_request(e.to_string()))?;
    let arrays = arrays(decoded.uses_numpy);
    match decoded.value {
        Value::Tuple(parts) => match <[Value; 2]>::try_from(parts) {
            Ok([args, kwargs]) => Ok((arguments(args, kwargs)?, arrays)),
            Err(_) => {
                Err(CallError::bad_request("the pickle should be a tuple of two: args and kwargs"))
            }
        },
        other => Err(CallError::bad_request(format!(
            "the pickle should be a tuple of args and kwargs, not {}",
            other.describe()
        ))),
    }
}

fn arguments(args: Value, kwargs: Value) -> Result<Arguments, CallError> {
    let Value::Tuple(positional) = args else {
        return Err(CallError::bad_request("RPC args should be a tuple"));
    };
    let Value::Map(entries) = kwargs else {
        return Err(CallError::bad_request("RPC kwargs should be a dict"));
    };
    let named = entries.into_iter().map(|(key, value)| match key {
        Value::Text(name) => Ok((name, value)),
        other => Err(CallError::bad_request(format!(
            "RPC kwargs should have names as keys, not {}",
            other.describe()
        ))),
    });
    let named = named.collect::<Result<Vec<(Arc<str>, Value)>, _>>()?;
    Ok(Arguments { positional, named })
}

fn arrays(uses_numpy: bool) -> Arrays {
    if uses_numpy { Arrays::Numpy } else { Arrays::Lists }
}

/// The refusal of a body that is meant as RPC and is none.
pub(super) fn malformed() -> CallError {
    CallError::bad_request(
        r#"RPC body data should be a JSON object with "args" and "kwargs" keys, each a base64 text of a pickle"#,
    )
}

fn decode(part: &str, base64: &str, charge: &mut Charge) -> Result<Decoded, CallError> {
    charge.take(base64.len())?;
    let pickle = BASE64
        .decode(base64)
        .map_err(|e| CallError::bad_request(format!("RPC {part} are not base64: {e}")))?;
    unpickle(&pickle.into(), charge, |e| CallError::bad_request(format!("RPC {part}: {e}")))
}

/// The length of a pickle is bounded by that of a body; what it may ask for by its length, and by the
/// room that there is.
fn unpickle(
    pickle: &Bytes,
    charge: &mut Charge,
    refused: impl FnOnce(PickleError) -> CallError,
) -> Result<Decoded, CallError> {
    pickle::decode_within(pickle, &Budget::of(pickle.len()), charge).map_err(|e| match e.kind {
        PickleErrorKind::NoRoom => charge.refusal().into(),
        _ => refused(e),
    })
}
