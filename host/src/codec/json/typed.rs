//! What JSON has no notation for, told by the type that is wanted: bytes, which are base64 text, and
//! floats that are written without a point.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::codec::base64::{BASE64, Engine as _};
use crate::codec::types::{Field, Type};
use crate::value::{Array, Numbers, Value};

/// The value with base64 text as bytes where `ty` has `list<u8>`, and with an integer as a float where
/// `ty` has a float of which it is the shortest notation, as JavaScript writes 2^60. What does not fit
/// stays as it is, for the check to refuse.
pub fn typed(value: Value, ty: &Type) -> Value {
    match (ty, value) {
        (Type::F32 | Type::F64, value) => float(&value).map_or(value, Value::Float),
        (Type::List(item), Value::Text(text)) if **item == Type::U8 => bytes(text),
        (Type::List(item), value) => list(value, item),
        (Type::Tuple(types), Value::List(values)) if types.len() == values.len() => {
            Value::List(values.into_iter().zip(types).map(|(value, ty)| typed(value, ty)).collect())
        }
        (Type::Tuple(types), Value::Array(array)) if has_large(&array) => {
            typed(Value::List(array.elements().collect()), &Type::Tuple(types.clone()))
        }
        (Type::Record(fields), Value::Map(entries)) => by_key(entries, |key| field(fields, key)),
        (Type::Variant(cases), Value::Map(entries)) => by_key(entries, |key| {
            cases.iter().find(|(name, _)| &**name == key).and_then(|(_, ty)| ty.as_ref())
        }),
        (Type::Result(ok, err), Value::Map(entries)) => by_key(entries, |key| match key {
            "ok" => ok.as_deref(),
            "err" => err.as_deref(),
            _ => None,
        }),
        (Type::Option(inner), Value::Map(entries)) if inner.may_be_absent() => {
            by_key(entries, |key| (key == "some").then_some(&**inner))
        }
        (Type::Option(inner), value) => typed(value, inner),
        (_, value) => value,
    }
}

fn bytes(text: Arc<str>) -> Value {
    BASE64.decode(text.as_bytes()).map_or(Value::Text(text), |bytes| Value::Bytes(bytes.into()))
}

fn list(value: Value, item: &Type) -> Value {
    match (value, item) {
        (Value::List(values), _) => {
            Value::List(values.into_iter().map(|value| typed(value, item)).collect())
        }
        (Value::Array(array), Type::F32 | Type::F64) if has_large(&array) => {
            list(Value::List(array.elements().collect()), item)
        }
        // An object is a list of pairs, where pairs are what is wanted.
        (Value::Map(entries), Type::Tuple(types)) if types.len() == 2 => {
            by_key(entries, |_| types.get(1))
        }
        (value, _) => value,
    }
}

fn by_key<'a>(entries: Vec<(Value, Value)>, ty: impl Fn(&str) -> Option<&'a Type>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| {
        let ty = if let Value::Text(key) = &key { ty(key) } else { None };
        let value = match ty {
            Some(ty) => typed(value, ty),
            None => value,
        };
        (key, value)
    });
    Value::Map(entries.collect())
}

fn field<'a>(fields: &'a [Field], name: &str) -> Option<&'a Type> {
    fields.iter().find(|field| &*field.name == name).map(|field| &field.ty)
}

/// Whether it has integers that a double may not hold.
fn has_large(array: &Array) -> bool {
    const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
    matches!(array.numbers(), Numbers::I64(ints) if ints.iter().any(|n| n.unsigned_abs() > EXACT))
}

/// The float whose shortest notation these digits are.
fn float(value: &Value) -> Option<f64> {
    let (x, digits) = match value {
        Value::Int(n) => (*n as f64, n.to_string()),
        Value::BigInt(n) => (BigInt::to_f64(n)?, n.to_string()),
        _ => return None,
    };
    (x.is_finite() && x.to_string() == digits).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bytes_only_where_bytes_are_wanted() {
        let bytes = || Type::List(Box::new(Type::U8));
        let record = Type::Record(vec![
            Field { name: "data".into(), ty: Type::Option(Box::new(bytes())) },
            Field { name: "name".into(), ty: Type::String },
        ]);
        let read = |text: &str| super::super::parse(text.as_bytes()).unwrap();
        let got =
            typed(read(r#"[{"data": "aGk=", "name": "aGk="}]"#), &Type::List(Box::new(record)));
        let Value::List(got) = got else { panic!() };
        let Value::Map(entries) = &got[0] else { panic!() };
        assert_eq!(entries[0].1, Value::Bytes("hi".into()));
        assert_eq!(entries[1].1, Value::text("aGk="));
        assert_eq!(typed(read(r#""no base64!""#), &bytes()), Value::text("no base64!"));
        let pairs = Type::List(Box::new(Type::Tuple(vec![Type::String, bytes()])));
        let Value::Map(entries) = typed(read(r#"{"a": "aGk="}"#), &pairs) else { panic!() };
        assert_eq!(entries[0].1, Value::Bytes("hi".into()));
    }

    #[test]
    fn an_integer_is_a_float_where_it_is_how_that_is_written() {
        for (digits, float) in [
            // 2^60, as JavaScript writes it.
            ("1152921504606847000", Some(1_152_921_504_606_846_976.0)),
            ("9007199254740993", None),
            ("100000000000000000000000", Some(1e23)),
            ("123456789012345678901234567890", None),
        ] {
            let value = super::super::parse(digits.as_bytes()).unwrap();
            let expected = float.map_or(value.clone(), Value::Float);
            assert_eq!(typed(value, &Type::F64), expected, "{digits}");
        }
    }
}
