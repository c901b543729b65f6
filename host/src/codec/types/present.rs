//! A guest's [`Typed`] result as a neutral [`Value`], names restored from the [`Type`].

use std::sync::Arc;

use super::signature::Type;
use super::typed::{ListOf, Typed};
use crate::value::{Array, Value};

/// The value as the caller is to see it.
///
/// `typed` must have the type `ty`; the sandbox makes no others. Where it does not, the value is
/// shown without its names rather than refused.
pub fn present(typed: Typed, ty: &Type) -> Value {
    match (typed, ty) {
        (Typed::Bool(b), _) => Value::Bool(b),
        (Typed::S8(n), _) => Value::Int(n.into()),
        (Typed::U8(n), _) => Value::Int(n.into()),
        (Typed::S16(n), _) => Value::Int(n.into()),
        (Typed::U16(n), _) => Value::Int(n.into()),
        (Typed::S32(n), _) => Value::Int(n.into()),
        (Typed::U32(n), _) => Value::Int(n.into()),
        (Typed::S64(n), _) => Value::Int(n),
        (Typed::U64(n), _) => Value::from(n),
        (Typed::F32(x), _) => Value::Float32(x),
        (Typed::F64(x), _) => Value::Float(x),
        (Typed::Char(c), _) => Value::text(c.encode_utf8(&mut [0; 4])),
        (Typed::String(text), _) => Value::Text(text),
        (Typed::List(ListOf::Bytes(bytes)), _) => Value::Bytes(bytes),
        (Typed::List(ListOf::Numbers(numbers)), _) => Value::Array(Array::row(numbers)),
        (Typed::List(ListOf::Items(items)), Type::List(item)) => {
            Value::List(items.into_iter().map(|typed| present(typed, item)).collect())
        }
        (Typed::Tuple(items), Type::Tuple(types)) => Value::Tuple(
            items.into_iter().zip(types).map(|(typed, ty)| present(typed, ty)).collect(),
        ),
        (Typed::Record(values), Type::Record(fields)) => {
            let fields = values.into_iter().zip(fields);
            Value::Map(
                fields
                    .map(|(typed, field)| (name(&field.name), present(typed, &field.ty)))
                    .collect(),
            )
        }
        (Typed::Variant(case, payload), Type::Variant(cases)) => match cases.get(case as usize) {
            Some((case, ty)) => match (payload, ty) {
                (Some(payload), Some(ty)) => Value::Map(vec![(name(case), present(*payload, ty))]),
                _ => name(case),
            },
            None => Value::None,
        },
        (Typed::Enum(case), Type::Enum(names)) => {
            names.get(case as usize).map_or(Value::None, name)
        }
        (Typed::Flags(words), Type::Flags(names)) => {
            let set = names
                .iter()
                .enumerate()
                .filter(|(i, _)| words.get(i / 32).is_some_and(|word| word & (1 << (i % 32)) != 0));
            Value::Set(set.map(|(_, flag)| name(flag)).collect())
        }
        (Typed::Option(None), _) => Value::None,
        (Typed::Option(Some(inner)), Type::Option(ty)) => {
            let value = present(*inner, ty);
            if ty.may_be_absent() { Value::Map(vec![(Value::text("some"), value)]) } else { value }
        }
        (Typed::Result(result), Type::Result(ok, err)) => {
            let (side, payload, ty) = match result {
                Ok(payload) => ("ok", payload, ok),
                Err(payload) => ("err", payload, err),
            };
            let value = match (payload, ty) {
                (Some(payload), Some(ty)) => present(*payload, ty),
                _ => Value::None,
            };
            Value::Map(vec![(Value::text(side), value)])
        }
        (
            Typed::List(ListOf::Items(_))
            | Typed::Tuple(_)
            | Typed::Record(_)
            | Typed::Variant(..)
            | Typed::Enum(_)
            | Typed::Flags(_)
            | Typed::Option(Some(_))
            | Typed::Result(_),
            _,
        ) => Value::None,
    }
}

fn name(name: &Arc<str>) -> Value {
    Value::Text(Arc::clone(name))
}
