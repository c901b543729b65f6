//! The shape of what has cases or parts, for both ways.

use wasmtime::Result;
use wasmtime::component::__internal::wasmtime_environ::component::VariantInfo;
use wasmtime::component::__internal::{ComponentTypes, InterfaceType};
use wasmtime::error::format_err;

use crate::codec::types::Typed;

/// A case of a variant, enum, option or result: its payload's type, and the layout.
pub(super) fn case(
    types: &ComponentTypes,
    ty: InterfaceType,
    case: u32,
) -> Result<(Option<InterfaceType>, &VariantInfo)> {
    let unknown = || format_err!("there is no case {case}");
    Ok(match ty {
        InterfaceType::Variant(i) => {
            (*types[i].cases.get_index(case as usize).ok_or_else(unknown)?.1, &types[i].info)
        }
        InterfaceType::Enum(i) if (case as usize) < types[i].names.len() => (None, &types[i].info),
        InterfaceType::Option(i) if case < 2 => {
            ((case == 1).then_some(types[i].ty), &types[i].info)
        }
        InterfaceType::Result(i) if case < 2 => {
            (if case == 0 { types[i].ok } else { types[i].err }, &types[i].info)
        }
        _ => return Err(unknown()),
    })
}

/// The discriminant and the payload of what has cases.
pub(super) fn split(value: &Typed) -> Option<(u32, Option<&Typed>)> {
    Some(match value {
        Typed::Variant(case, payload) => (*case, payload.as_deref()),
        Typed::Enum(case) => (*case, None),
        Typed::Option(payload) => (u32::from(payload.is_some()), payload.as_deref()),
        Typed::Result(Ok(payload)) => (0, payload.as_deref()),
        Typed::Result(Err(payload)) => (1, payload.as_deref()),
        _ => return None,
    })
}

/// The parts of a record or a tuple, with their types.
pub(super) fn parts(types: &ComponentTypes, ty: InterfaceType) -> Option<Vec<InterfaceType>> {
    match ty {
        InterfaceType::Record(i) => Some(types[i].fields.iter().map(|field| field.ty).collect()),
        InterfaceType::Tuple(i) => Some(types[i].types.to_vec()),
        _ => None,
    }
}
