//! What JSON has no notation for, told by the type that is wanted: bytes, which are base64 text, floats
//! that are written without a point, integers with one, and keys that are no text.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::codec::base64::{BASE64, Engine as _};
use crate::codec::number;
use crate::codec::types::{Case, Field, Type};
use crate::value::{Array, NUMBER, Numbers, Value};

/// The value with base64 text as bytes where `ty` has `list<u8>`, and with an integer as a float where
/// `ty` has a float of which it is the shortest notation, as JavaScript writes 2^60, and with `5.0` as an
/// integer where `ty` has one: to JSON it is the same number. What does not fit stays as it is, for the
/// check to refuse.
pub fn typed(value: Value, ty: &Type) -> Value {
    match (ty, value) {
        (Type::F64, value) => float(&value).map_or(value, Value::Float),
        (Type::F32, value) => single(value),
        (ty, Value::Float(x)) if ty.is_number() => integer(x),
        (ty, Value::Named { class: NUMBER, text }) if ty.is_number() => written_integer(text),
        (Type::List(item), Value::Text(text)) if **item == Type::U8 => bytes(text),
        (Type::List(item) | Type::Set(item), value) => list(value, item),
        (Type::Map { key, value: item }, Value::Map(entries)) => by_type(entries, key, item),
        (Type::Map { key, value: item }, value) => {
            list(value, &Type::Tuple(vec![Type::clone(key), Type::clone(item)]))
        }
        (Type::Tuple(types), Value::List(values)) if types.len() == values.len() => {
            Value::List(values.into_iter().zip(types).map(|(value, ty)| typed(value, ty)).collect())
        }
        (Type::Tuple(types), Value::Array(array))
            if has_large(&array, &Type::F32) || has_floats(&array) =>
        {
            typed(Value::List(array.elements().collect()), &Type::Tuple(types.clone()))
        }
        (Type::Record(fields), Value::Map(entries)) => by_key(entries, |key| field(fields, key)),
        (Type::Variant(cases), Value::Map(entries)) => {
            by_key(entries, |key| Case::find(cases, key).and_then(|case| case.ty.as_ref()))
        }
        (Type::Result { ok, err }, Value::Map(entries)) => by_key(entries, |key| match key {
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
        (Value::Array(array), Type::F32 | Type::F64) if has_large(&array, item) => {
            list(Value::List(array.elements().collect()), item)
        }
        (Value::Array(array), item)
            if item.is_number() && !item.is_float() && has_floats(&array) =>
        {
            list(Value::List(array.elements().collect()), item)
        }
        // An object is a list of pairs, where pairs are what is wanted.
        (Value::Map(entries), Type::Tuple(types)) => match types.as_slice() {
            [key, value] => by_type(entries, key, value),
            _ => Value::Map(entries),
        },
        (value, _) => value,
    }
}

/// An object whose keys and values have these types.
fn by_type(entries: Vec<(Value, Value)>, key_type: &Type, value_type: &Type) -> Value {
    let entries =
        entries.into_iter().map(|(name, value)| (key(name, key_type), typed(value, value_type)));
    Value::Map(entries.collect())
}

/// The key that an object's name stands for: truth values and numbers are names as they are written.
/// Integers are read from their digits when they are checked.
fn key(name: Value, ty: &Type) -> Value {
    let Value::Text(text) = &name else { return name };
    let read = match (ty, &**text) {
        (Type::Bool, "true") => Some(Value::Bool(true)),
        (Type::Bool, "false") => Some(Value::Bool(false)),
        (Type::F32 | Type::F64, text) => super::parse(text.as_bytes())
            .ok()
            .filter(|value| matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Float(_))),
        _ => None,
    };
    read.map_or(name, |value| typed(value, ty))
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
    Field::find(fields, name).map(|field| &field.ty)
}

/// Whether it has integers that a float of this type may not hold.
fn has_large(array: &Array, float: &Type) -> bool {
    let digits = if *float == Type::F32 { f32::MANTISSA_DIGITS } else { f64::MANTISSA_DIGITS };
    let exact = 1_u64 << digits;
    matches!(array.numbers(), Numbers::I64(ints) if ints.iter().any(|n| n.unsigned_abs() > exact))
}

fn has_floats(array: &Array) -> bool {
    matches!(array.numbers(), Numbers::F64(_))
}

/// The integer that the float is. A number that was another one when it was written has not become a
/// float: see [`number::read`](crate::codec::number::read).
fn integer(x: f64) -> Value {
    let is_integer = x.fract() == 0.0 && x.abs() <= u64::MAX as f64;
    if !is_integer {
        return Value::Float(x);
    }
    whole(x as i128)
}

/// The integer that is written with a point or an exponent, and is no float exactly.
fn written_integer(text: Arc<str>) -> Value {
    match number::integral(&text) {
        Some(n) if !number::is_integer(&text) => whole(n),
        _ => Value::Named { class: NUMBER, text },
    }
}

fn whole(n: i128) -> Value {
    i64::try_from(n).map_or_else(|_| Value::BigInt(Box::new(BigInt::from(n))), Value::Int)
}

/// The float whose shortest notation these digits are, or which is nearest to a decimal fraction.
fn float(value: &Value) -> Option<f64> {
    let (x, digits) = match value {
        Value::Int(n) => (*n as f64, n.to_string()),
        Value::BigInt(n) => (BigInt::to_f64(n)?, n.to_string()),
        Value::Named { class: NUMBER, text } if !number::is_integer(text) => {
            return text.parse().ok().filter(|x: &f64| x.is_finite());
        }
        _ => return None,
    };
    (x.is_finite() && x.to_string() == digits).then_some(x)
}

/// The value for an `f32`: of an integer the one whose shortest notation it is, be that the shortest of
/// single or of double precision. Another integer stays, for the check to refuse.
fn single(value: Value) -> Value {
    let (x, digits) = match &value {
        Value::Int(n) => (*n as f32, n.to_string()),
        Value::BigInt(n) => (BigInt::to_f32(n).unwrap_or(f32::INFINITY), n.to_string()),
        _ => return float(&value).map_or(value, Value::Float),
    };
    if x.is_finite() && (x.to_string() == digits || float(&value) == Some(f64::from(x))) {
        return Value::Float32(x);
    }
    value
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
    fn an_integer_may_have_a_point_and_no_fraction() {
        let checked = |text: &str, ty: &Type| {
            let value = typed(super::super::parse(text.as_bytes()).unwrap(), ty);
            crate::codec::types::check(value, ty).map_err(|mismatch| mismatch.to_string())
        };
        let list = |item| Type::List(Box::new(item));
        for (text, plain, ty) in [
            ("5.0", "5", Type::U8),
            ("-0.0", "0", Type::U8),
            ("-0", "0", Type::U8),
            ("[-0, 7]", "[0, 7]", list(Type::S64)),
            ("1e3", "1000", Type::S32),
            ("9007199254740993.0", "9007199254740993", Type::S64),
            ("1.8446744073709551615e19", "18446744073709551615", Type::U64),
            ("-9223372036854775808.0", "-9223372036854775808", Type::S64),
            ("[1.0, 2.0]", "[1, 2]", list(Type::S16)),
            ("[1, 2.0]", "[1, 2]", list(Type::U8)),
            ("[1.0, 2.0]", "[1, 2]", Type::Tuple(vec![Type::U8, Type::U64])),
            ("[[3.0]]", "[[3]]", list(list(Type::U32))),
        ] {
            assert_eq!(checked(text, &ty), checked(plain, &ty), "{text} as {ty}");
            assert!(checked(text, &ty).is_ok(), "{text} as {ty}");
        }
        for (text, ty) in [
            ("5.5", Type::U8),
            ("256.0", Type::U8),
            ("5.0000000000000000001", Type::U8),
            ("9007199254740992.5", Type::S64),
            ("1e-400", Type::U8),
            ("9223372036854775808.0", Type::S64),
            ("18446744073709551616.0", Type::U64),
            ("[1.0, 2.5]", list(Type::S16)),
        ] {
            assert!(checked(text, &ty).is_err(), "{text} as {ty}");
        }
        for text in ["5.0000000000000000001", "9007199254740993.0", "1e-400"] {
            let x: f64 = text.parse().unwrap();
            assert_eq!(checked(text, &Type::F64), Ok(crate::codec::types::Typed::F64(x)), "{text}");
        }
    }

    #[test]
    fn names_are_keys_of_the_type_that_is_wanted() {
        let read = |text: &str| super::super::parse(text.as_bytes()).unwrap();
        let bytes = Type::List(Box::new(Type::U8));
        for (key, name, expected) in [
            (Type::Bool, "true", Value::Bool(true)),
            (Type::Bool, "True", Value::text("True")),
            (Type::U8, "7", Value::text("7")),
            (Type::F64, "1", Value::Float(1.0)),
            (Type::F64, "x", Value::text("x")),
            (Type::String, "1", Value::text("1")),
        ] {
            let object = || read(&format!(r#"{{"{name}": "aGk="}}"#));
            let map = Type::Map { key: Box::new(key.clone()), value: Box::new(bytes.clone()) };
            let pairs = Type::List(Box::new(Type::Tuple(vec![key, bytes.clone()])));
            for ty in [map, pairs] {
                let entries = vec![(expected.clone(), Value::Bytes("hi".into()))];
                assert_eq!(typed(object(), &ty), Value::Map(entries), "{ty}");
            }
        }
        let map = Type::Map { key: Box::new(Type::Bool), value: Box::new(bytes) };
        let pair = Value::List(vec![Value::Bool(true), Value::Bytes("hi".into())]);
        assert_eq!(typed(read(r#"[[true, "aGk="]]"#), &map), Value::List(vec![pair]));
    }

    #[test]
    fn an_integer_is_of_single_precision_where_it_is_how_that_is_written() {
        for (digits, float) in [
            ("16777216", Some(16_777_216.0)),
            ("16777217", None),
            ("2147483647", None),
            // 2^31, in double and in single precision.
            ("2147483648", Some(2_147_483_648.0)),
            ("2147483600", Some(2_147_483_648.0)),
            ("1152921504606847000", Some(1_152_921_504_606_846_976.0)),
            ("9007199254740993", None),
            ("400000000000000000000000000000000000000", None),
        ] {
            let parsed = || super::super::parse(digits.as_bytes()).unwrap();
            let expected = float.map_or_else(parsed, Value::Float32);
            assert_eq!(typed(parsed(), &Type::F32), expected, "{digits}");
            let list = super::super::parse(format!("[{digits}]").as_bytes()).unwrap();
            let ty = Type::List(Box::new(Type::F32));
            let checked = crate::codec::types::check(typed(list, &ty), &ty);
            assert_eq!(checked.is_ok(), float.is_some(), "[{digits}]");
        }
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
