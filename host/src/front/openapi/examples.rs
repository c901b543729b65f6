//! Values to try a procedure with: one for each type, short and the same every time.

use serde_json::{Value, json};

use super::object;
use crate::codec::types::Type;

/// A value of this type, for the parameter or item at this place: neighbours differ, so that one can
/// be told from the other.
pub(super) fn example(ty: &Type, place: usize) -> Value {
    match ty {
        Type::Bool => json!(place.is_multiple_of(2)),
        Type::F32 | Type::F64 => json!(place as f64 + 1.5),
        Type::Char => json!(char::from(b'a' + (place % 26) as u8)),
        Type::String => json!(["one", "two", "three"][place % 3]),
        // "hello".
        Type::List(item) if **item == Type::U8 => json!("aGVsbG8="),
        Type::List(item) => json!([example(item, place), example(item, place + 1)]),
        Type::Map { key, value } => object((0..2).map(|i| {
            let name = match example(key, place + i) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            (name, example(value, place + i))
        })),
        Type::Tuple(types) => json!(
            types.iter().enumerate().map(|(i, ty)| example(ty, place + i)).collect::<Vec<_>>()
        ),
        Type::Record(fields) => {
            let field = |(i, field): (usize, &crate::codec::types::Field)| {
                (field.name.to_string(), example(&field.ty, place + i))
            };
            object(fields.iter().enumerate().map(field))
        }
        // The first case that says most about the others.
        Type::Variant(cases) => {
            match cases.iter().find_map(|(name, ty)| Some((name, ty.as_ref()?))) {
                Some((name, ty)) => json!({ &**name: example(ty, place) }),
                None => json!(cases.first().map(|(name, _)| &**name)),
            }
        }
        Type::Enum(names) => json!(names.get(place % names.len().max(1)).map(|name| &**name)),
        Type::Flags(names) => {
            json!(names.first().map(|name| &**name).into_iter().collect::<Vec<_>>())
        }
        Type::Option(inner) if inner.may_be_absent() => json!({"some": example(inner, place)}),
        Type::Option(inner) => example(inner, place),
        Type::Result(ok, _) => json!({"ok": ok.as_ref().map(|ty| example(ty, place))}),
        // Whatever is left is an integer.
        _ => json!(place + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use crate::codec::types::{Field, check};

    /// What is shown as an example is accepted.
    #[test]
    fn an_example_fits_its_type() {
        let boxed = Box::new;
        let point = Type::Record(vec![
            Field { name: "x".into(), ty: Type::F64 },
            Field { name: "label".into(), ty: Type::Option(boxed(Type::String)) },
        ]);
        for ty in [
            Type::Bool,
            Type::S8,
            Type::U64,
            Type::F32,
            Type::Char,
            Type::String,
            Type::List(boxed(Type::U8)),
            Type::List(boxed(point.clone())),
            Type::Tuple(vec![Type::String, Type::U32]),
            Type::Variant(vec![("dot".into(), None), ("at".into(), Some(point))]),
            Type::Variant(vec![("dot".into(), None)]),
            Type::Enum(vec!["red".into(), "green".into()]),
            Type::Flags(vec!["noisy".into(), "dim".into()]),
            Type::Option(boxed(Type::Option(boxed(Type::S16)))),
            Type::Map { key: boxed(Type::Bool), value: boxed(Type::F64) },
            Type::Map { key: boxed(Type::Char), value: boxed(Type::List(boxed(Type::U8))) },
            Type::Map { key: boxed(Type::S8), value: boxed(Type::String) },
            Type::Result(None, Some(boxed(Type::String))),
            Type::Result(Some(boxed(Type::F64)), None),
        ] {
            for place in [0, 1, 30] {
                let text = example(&ty, place).to_string();
                let value = json::typed(json::parse(text.as_bytes()).unwrap(), &ty);
                assert!(check(value, &ty).is_ok(), "{text} as {ty}");
            }
        }
    }
}
