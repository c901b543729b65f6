//! JSON (RFC 8259) to and from [`Value`].
//!
//! 64-bit integers are exact both ways; NaN and the infinities, for which JSON has no literals, are
//! the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; bytes are base64 (RFC 4648, padded).

mod cost;
mod read;
mod typed;

use std::fmt;
use std::sync::Arc;

use num_traits::ToPrimitive;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use crate::codec::base64::{BASE64, Base64Display};
use crate::codec::number;
use crate::value::{Array, NUMBER, Numbers, Value};

pub use cost::memory;
pub use read::{JsonError, parse};
pub use typed::typed;

/// Writes a value as JSON.
pub fn to_string(value: &Value) -> String {
    serde_json::to_string(&Json(value)).unwrap_or_else(|e| format!("\"{e}\""))
}

/// At least how many bytes it takes to write a value as JSON: what does not depend on how long numbers
/// are and which characters need escapes. Nearly exact for texts and bytes.
#[must_use]
pub fn least_size(value: &Value) -> usize {
    let all = |values: &[Value]| {
        values.iter().map(least_size).sum::<usize>() + values.len().saturating_sub(1) + 2
    };
    match value {
        Value::Text(text) | Value::Named { text, .. } => text.len() + 2,
        Value::Bytes(bytes) => bytes.len().div_ceil(3) * 4 + 2,
        Value::Array(array) => 2 * array.numbers().len(),
        Value::List(values) | Value::Tuple(values) | Value::Set(values) => all(values),
        Value::Map(entries) => {
            let sizes = entries.iter().map(|(key, value)| least_size(key) + least_size(value) + 1);
            sizes.sum::<usize>() + entries.len().saturating_sub(1) + 2
        }
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Float32(_)
        | Value::Float(_) => 1,
    }
}

/// A value that serialises as JSON.
#[derive(Debug, Clone, Copy)]
pub struct Json<'a>(pub &'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::None => to.serialize_unit(),
            Value::Bool(b) => to.serialize_bool(*b),
            Value::Int(n) => to.serialize_i64(*n),
            // Beyond 64 bits most readers would round, so the digits travel as text.
            Value::BigInt(n) => match n.to_u64() {
                Some(n) => to.serialize_u64(n),
                None => to.collect_str(n),
            },
            Value::Float32(x) if x.is_finite() => to.serialize_f32(*x),
            Value::Float32(x) => to.serialize_str(name_of(f64::from(*x))),
            Value::Float(x) if x.is_finite() => to.serialize_f64(*x),
            Value::Float(x) => to.serialize_str(name_of(*x)),
            Value::Named { class: NUMBER, text } => match text.parse() {
                Ok(x) if f64::is_finite(x) && !number::is_integer(text) => to.serialize_f64(x),
                _ => to.serialize_str(text),
            },
            Value::Text(text) | Value::Named { text, .. } => to.serialize_str(text),
            // Piece by piece: as one text it would be in memory twice.
            Value::Bytes(bytes) => to.collect_str(&Base64Display::new(bytes, &*BASE64)),
            Value::Array(array) => array_to(array, to),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                to.collect_seq(items.iter().map(Json))
            }
            Value::Map(entries) if are_names(entries) => {
                to.collect_map(entries.iter().map(|(key, value)| (Json(key), Json(value))))
            }
            Value::Map(entries) => {
                to.collect_seq(entries.iter().map(|(key, value)| [Json(key), Json(value)]))
            }
        }
    }
}

/// Whether all keys can be an object's names, and no two the same name: all are text, or none is.
/// What has other keys is written as pairs.
fn are_names(entries: &[(Value, Value)]) -> bool {
    let is_text = |(key, _): &(Value, Value)| matches!(key, Value::Text(_));
    let is_plain = |(key, _): &(Value, Value)| {
        matches!(key, Value::Bool(_) | Value::Int(_) | Value::BigInt(_))
    };
    entries.iter().all(is_text) || entries.iter().all(is_plain)
}

fn name_of(not_finite: f64) -> &'static str {
    if not_finite.is_nan() {
        "NaN"
    } else if not_finite > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn array_to<S: Serializer>(array: &Array, to: S) -> Result<S::Ok, S::Error> {
    match (array.shape().len(), array.numbers()) {
        // The two that are long in practice, without a `Value` for each number.
        (1, Numbers::F64(v)) if v.iter().all(|x| x.is_finite()) => to.collect_seq(v),
        (1, Numbers::I64(v)) => to.collect_seq(v),
        _ => {
            let mut seq = to.serialize_seq(Some(array.len()))?;
            for element in array.elements() {
                seq.serialize_element(&Json(&element))?;
            }
            seq.end()
        }
    }
}

/// A value that deserialises from JSON, or from any other format that says what it holds.
pub struct Parsed(pub Value);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor).map(Parsed)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Int(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Float(x))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Items::None;
        while let Some(Parsed(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.finish())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, Parsed(value))) = map.next_entry::<Arc<str>, _>()? {
            entries.push((Value::Text(key), value));
        }
        Ok(Value::Map(entries))
    }
}

/// The items of an array that is being read: one block while they are numbers of one kind.
pub(super) enum Items {
    None,
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Mixed(Vec<Value>),
}

impl Items {
    pub(super) fn push(&mut self, item: Value) {
        match (&mut *self, item) {
            (Self::Ints(ints), Value::Int(n)) => ints.push(n),
            (Self::Floats(floats), Value::Float(x)) => floats.push(x),
            (Self::Mixed(items), item) => items.push(item),
            (Self::None, Value::Int(n)) => *self = Self::Ints(vec![n]),
            (Self::None, Value::Float(x)) => *self = Self::Floats(vec![x]),
            (_, item) => {
                let mut items = match std::mem::replace(self, Self::None) {
                    Self::None => Vec::new(),
                    Self::Ints(ints) => ints.into_iter().map(Value::Int).collect(),
                    Self::Floats(floats) => floats.into_iter().map(Value::Float).collect(),
                    Self::Mixed(items) => items,
                };
                items.push(item);
                *self = Self::Mixed(items);
            }
        }
    }

    pub(super) fn finish(self) -> Value {
        match self {
            Self::None => Value::List(Vec::new()),
            Self::Ints(ints) => Value::Array(Array::row(ints)),
            Self::Floats(floats) => Value::Array(Array::row(floats)),
            Self::Mixed(items) => Value::List(items),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        to_string(&parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_read_is_written_the_same() {
        for text in [
            "null",
            "true",
            "0",
            "-9223372036854775808",
            "18446744073709551615",
            "0.1",
            "1e+300",
            // One that serde_json reads wrong without its feature `float_roundtrip`.
            "187.24158270135618",
            r#""text \" \u0000""#,
            "[]",
            "[1,2,3]",
            "[1.5,2.5]",
            "[1,2.5,null]",
            "[[1,2],[3]]",
            "{}",
            r#"{"a":{"b":[true,"x"]},"a2":1}"#,
        ] {
            assert_eq!(round_trip(text), text);
        }
    }

    #[test]
    fn no_value_is_shorter_than_the_least() {
        for text in ["null", "[]", "{}", "[1,2,3]", r#"{"a":[true,"x"],"b":{"c":1}}"#, r#""text""#]
        {
            let value = parse(text.as_bytes()).unwrap();
            assert!(least_size(&value) <= text.len(), "{text}");
        }
        let bytes = Value::Bytes(vec![7; 1000].into());
        assert_eq!(least_size(&bytes), to_string(&bytes).len());
        let text = Value::text("x".repeat(1000));
        assert_eq!(least_size(&text), to_string(&text).len());
    }

    #[test]
    fn rows_of_numbers_are_one_block() {
        assert_eq!(parse(b"[1,2]").unwrap(), Value::Array(Array::row(vec![1i64, 2])));
        assert_eq!(parse(b"[1.0,2.0]").unwrap(), Value::Array(Array::row(vec![1.0, 2.0])));
        assert_eq!(parse(b"[1,2.0]").unwrap(), Value::List(vec![Value::Int(1), Value::Float(2.0)]));
    }

    #[test]
    fn what_json_cannot_say_is_text() {
        assert_eq!(to_string(&Value::Float(f64::NAN)), r#""NaN""#);
        assert_eq!(
            to_string(&Value::Array(Array::row(vec![f64::NEG_INFINITY]))),
            r#"["-Infinity"]"#
        );
        assert_eq!(to_string(&Value::Bytes("hi".into())), r#""aGk=""#);
        assert_eq!(to_string(&Value::Float32(0.1)), "0.1");
        let map = |keys: Vec<Value>| {
            to_string(&Value::Map(keys.into_iter().map(|key| (key, Value::None)).collect()))
        };
        assert_eq!(map(vec![Value::Int(-1), Value::Bool(true)]), r#"{"-1":null,"true":null}"#);
        assert_eq!(map(vec![Value::from(u64::MAX)]), r#"{"18446744073709551615":null}"#);
        assert_eq!(map(vec![Value::Float(1.5)]), "[[1.5,null]]");
        assert_eq!(map(vec![Value::Int(1), Value::text("1")]), r#"[[1,null],["1",null]]"#);
    }
}
