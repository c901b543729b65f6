//! A call's [`Arguments`], and [`bind`]ing them to a signature's parameters.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::check::check;
use super::meant::meant;
use super::signature::{Field, Signature, Type};
use super::typed::Typed;
use crate::error::{CallError, ErrorKind, excerpt};
use crate::value::Value;

/// What a caller passed: some by position, some by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Arguments {
    /// By position, from the first parameter on.
    pub positional: Vec<Value>,
    /// By name.
    pub named: Vec<(Arc<str>, Value)>,
}

/// Brings arguments into the parameters' order, and checks each against its parameter's type.
///
/// # Errors
///
/// [`ErrorKind::BadArguments`], naming the procedure, the argument, what was expected and what came.
pub fn bind(
    procedure: &str,
    arguments: Arguments,
    signature: &Signature,
) -> Result<Vec<Typed>, CallError> {
    let bad = |reason: String| {
        CallError::new(
            ErrorKind::BadArguments,
            format!("{reason}; the call is {procedure}{signature}"),
        )
    };
    let parameters = &signature.parameters;
    let (given, taken) = (arguments.positional.len(), parameters.len());
    if given > taken {
        return Err(bad(format!(
            "`{procedure}` takes {taken} argument{}, got {given} by position{}",
            if taken == 1 { "" } else { "s" },
            match parameters.as_slice() {
                [only] if matches!(only.ty, Type::List(_)) =>
                    "; a list that is one argument is sent in an array of its own, [[1, 2]], or by name",
                _ => "",
            }
        )));
    }
    let mut slots: Vec<Option<Value>> = arguments.positional.into_iter().map(Some).collect();
    slots.resize(taken, None);
    for (name, value) in arguments.named {
        let Some(i) = signature.position(&name) else {
            let meant = match parameters.as_slice() {
                [only] if has_field(&only.ty, &name) => {
                    format!("; its one argument has that field: {{\"{}\": {{...}}}}", only.name)
                }
                _ => meant(&name, signature),
            };
            return Err(bad(format!("`{procedure}` has no argument `{}`{meant}", excerpt(&name))));
        };
        if slots[i].replace(value).is_some() {
            let name = &parameters[i].name;
            return Err(bad(format!("the argument `{name}` of `{procedure}` came twice")));
        }
    }
    let bound = parameters.iter().zip(slots).map(|(parameter, slot)| match slot {
        Some(value) => check(value, &parameter.ty).map_err(|mismatch| {
            bad(format!(
                "the argument `{}{}` of `{procedure}`: {}",
                parameter.name,
                mismatch.path(),
                mismatch.reason()
            ))
        }),
        None => match &parameter.default {
            Some(default) => check(default.0.clone(), &parameter.ty).map_err(|mismatch| {
                bad(format!("the default of `{}`: {mismatch}", parameter.name))
            }),
            None if parameter.ty.may_be_absent() => Ok(Typed::Option(None)),
            None => Err(bad(format!(
                "the argument `{}` ({}) of `{procedure}` is missing",
                parameter.name, parameter.ty
            ))),
        },
    });
    bound.collect()
}
fn has_field(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Record(fields) if Field::find(fields, name).is_some())
}
