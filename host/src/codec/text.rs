//! Arguments that arrive as text, in a query string, a form or a plain-text body, read by their type.

use std::sync::Arc;

use super::json;
use super::types::{Arguments, Signature, Type};
use crate::value::{Array, Numbers, Value};

/// The arguments of pairs as a query string or an `application/x-www-form-urlencoded` body has them.
///
/// A name that comes several times makes a list. A name that is no parameter stays text, for the
/// binding to refuse by name.
pub fn arguments(
    pairs: impl IntoIterator<Item = (String, String)>,
    signature: &Signature,
) -> Arguments {
    let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
    for (name, text) in pairs {
        match grouped.iter_mut().find(|(known, _)| *known == name) {
            Some((_, texts)) => texts.push(text),
            None => grouped.push((name, vec![text])),
        }
    }
    let named = grouped.into_iter().map(|(name, texts)| {
        let ty = signature.parameters.iter().find(|p| *p.name == *name).map(|p| &p.ty);
        let value = match ty {
            Some(ty) => values(&texts, ty),
            None => Value::text(&texts[0]),
        };
        (Arc::from(name), value)
    });
    Arguments { positional: Vec::new(), named: named.collect() }
}

/// One or several texts for one parameter.
fn values(texts: &[String], ty: &Type) -> Value {
    match (texts, ty) {
        ([text], _) => value(text, ty),
        (texts, Type::List(item)) => collected(texts.iter().map(String::as_str), item),
        (texts, Type::Option(inner)) => values(texts, inner),
        (texts, _) => Value::List(texts.iter().map(Value::text).collect()),
    }
}

/// One text, read as what its type makes of it; text that cannot be that stays text, and the check
/// says what was expected.
pub fn value(text: &str, ty: &Type) -> Value {
    let as_text = || Value::text(text);
    match ty {
        Type::String | Type::Char | Type::Enum(_) => as_text(),
        Type::Bool => match text {
            "true" | "True" | "1" => Value::Bool(true),
            "false" | "False" | "0" => Value::Bool(false),
            _ => as_text(),
        },
        Type::F32 | Type::F64 => text.trim().parse().map_or_else(|_| as_text(), Value::Float),
        Type::Option(inner) => match text {
            "" if **inner != Type::String => Value::None,
            "null" | "None" => Value::None,
            _ if inner.may_be_absent() => parsed(text).unwrap_or_else(as_text),
            _ => value(text, inner),
        },
        // Base64 is what the check makes of a string where bytes are wanted.
        Type::List(item) if **item == Type::U8 && !text.starts_with('[') => as_text(),
        // `1,2,3` is how a person types a list of numbers into an address bar.
        Type::List(item) if item.is_number() && !text.starts_with('[') && !text.is_empty() => {
            collected(text.split(',').map(str::trim), item)
        }
        _ if ty.is_number() => {
            text.trim().parse().map_or_else(|_| Value::text(text.trim()), Value::Int)
        }
        _ => parsed(text).unwrap_or_else(as_text),
    }
}

fn parsed(text: &str) -> Option<Value> {
    json::parse(text.as_bytes()).ok()
}

/// A list, as one block where all are numbers of one kind.
fn collected<'a>(texts: impl Iterator<Item = &'a str>, item: &Type) -> Value {
    let values: Vec<Value> = texts.map(|text| value(text, item)).collect();
    let floats = values.iter().map(|v| if let Value::Float(x) = v { Some(*x) } else { None });
    match floats.collect::<Option<Vec<f64>>>() {
        Some(floats) if !floats.is_empty() => Value::Array(Array::row(Numbers::F64(floats))),
        _ => Value::List(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_of(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    #[test]
    fn the_type_decides_what_a_text_is() {
        let optional = Type::Option(Box::new(Type::S32));
        for (text, ty, expected) in [
            ("1", Type::String, Value::text("1")),
            ("1", Type::S64, Value::Int(1)),
            ("18446744073709551615", Type::U64, Value::text("18446744073709551615")),
            ("1", Type::F64, Value::Float(1.0)),
            ("true", Type::Bool, Value::Bool(true)),
            ("", optional.clone(), Value::None),
            ("7", optional, Value::Int(7)),
            ("[1, 2]", list_of(Type::S32), Value::Array(Array::row(vec![1i64, 2]))),
            ("1, 2.5", list_of(Type::F64), Value::Array(Array::row(vec![1.0, 2.5]))),
            ("aGk=", list_of(Type::U8), Value::text("aGk=")),
            (r#"["a"]"#, list_of(Type::String), Value::List(vec![Value::text("a")])),
            ("not json", list_of(Type::String), Value::text("not json")),
        ] {
            assert_eq!(value(text, &ty), expected, "{text:?} as {ty}");
        }
    }
}
