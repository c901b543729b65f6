//! Values to try a procedure with: one for each type, short and the same every time.

use serde_json::{Value, json};

use super::json::object;
use crate::codec::types::{Case, Type};

/// A value of this type, for the parameter or item at this index: neighbours differ, so that one can
/// be told from the other.
pub(super) fn example(ty: &Type, index: usize) -> Value {
    match ty {
        Type::Bool => json!(index.is_multiple_of(2)),
        Type::F32 | Type::F64 => json!(index as f64 + 1.5),
        Type::Char => json!(char::from(b'a' + (index % 26) as u8)),
        Type::String => json!(["one", "two", "three"][index % 3]),
        // "hello".
        Type::List(item) if **item == Type::U8 => json!("aGVsbG8="),
        Type::Set(item) if **item == Type::Bool => json!([example(item, index)]),
        Type::List(item) | Type::Set(item) => {
            json!([example(item, index), example(item, index + 1)])
        }
        Type::Map { key, value } => object((0..2).map(|i| {
            let name = match example(key, index + i) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            (name, example(value, index + i))
        })),
        Type::Tuple(types) => json!(
            types.iter().enumerate().map(|(i, ty)| example(ty, index + i)).collect::<Vec<_>>()
        ),
        Type::Record(fields) => {
            let field = |(i, field): (usize, &crate::codec::types::Field)| {
                (field.name.to_string(), example(&field.ty, index + i))
            };
            object(fields.iter().enumerate().map(field))
        }
        // The first case that says most about the others.
        Type::Variant(cases) => {
            match cases.iter().find_map(|Case { name, ty }| Some((name, ty.as_ref()?))) {
                Some((name, ty)) => json!({ &**name: example(ty, index) }),
                None => json!(cases.first().map(|case| &*case.name)),
            }
        }
        Type::Enum(names) => json!(names.get(index % names.len().max(1)).map(|name| &**name)),
        Type::Flags(names) => {
            json!(names.first().map(|name| &**name).into_iter().collect::<Vec<_>>())
        }
        Type::Option(inner) if inner.may_be_absent() => json!({"some": example(inner, index)}),
        Type::Option(inner) => example(inner, index),
        Type::Result { ok, .. } => json!({"ok": ok.as_ref().map(|ty| example(ty, index))}),
        // Whatever is left is an integer.
        _ => json!(index + 1),
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
        let case = |name: &str, ty| Case { name: name.into(), ty };
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
            Type::Variant(vec![case("dot", None), case("at", Some(point))]),
            Type::Variant(vec![case("dot", None)]),
            Type::Enum(vec!["red".into(), "green".into()]),
            Type::Flags(vec!["noisy".into(), "dim".into()]),
            Type::Option(boxed(Type::Option(boxed(Type::S16)))),
            Type::Map { key: boxed(Type::Bool), value: boxed(Type::F64) },
            Type::Map { key: boxed(Type::Char), value: boxed(Type::List(boxed(Type::U8))) },
            Type::Map { key: boxed(Type::S8), value: boxed(Type::String) },
            Type::Result { ok: None, err: Some(boxed(Type::String)) },
            Type::Result { ok: Some(boxed(Type::F64)), err: None },
        ] {
            for index in [0, 1, 30] {
                let text = example(&ty, index).to_string();
                let value = json::typed(json::parse(text.as_bytes()).unwrap(), &ty);
                assert!(check(value, &ty).is_ok(), "{text} as {ty}");
            }
        }
    }
}
