//! Random values survive the way out and back in.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_pickle::value::HashableValue as Key;
use tarp_host::codec::pickle::{Arrays, Budget, decode, encode};
use tarp_host::value::{Array, Numbers, Value};

use crate::values::value;

/// What comes back of a value that goes out as `arrays` says.
fn normal(value: &Value, arrays: Arrays) -> Value {
    let all = |values: &[Value]| values.iter().map(|value| normal(value, arrays)).collect();
    match value {
        Value::Float32(n) => Value::Float(f64::from(*n)),
        Value::Array(array) => match arrays {
            Arrays::Lists => list(array.elements().map(|value| normal(&value, arrays)).collect()),
            Arrays::Numpy => Value::Array(array.clone()),
        },
        Value::List(values) => match (arrays, stack(values)) {
            (Arrays::Numpy, Some(stacked)) => stacked,
            _ => list(all(values)),
        },
        Value::Tuple(values) => Value::Tuple(all(values)),
        Value::Set(values) => Value::Set(all(values)),
        Value::Map(entries) => {
            let entry = |(k, v): &(Value, Value)| (normal(k, arrays), normal(v, arrays));
            Value::Map(entries.iter().map(entry).collect())
        }
        _ => value.clone(),
    }
}

/// A list of numbers of one type is an array.
fn list(values: Vec<Value>) -> Value {
    let ints = values.iter().map(|v| if let Value::Int(n) = v { Some(*n) } else { None });
    let floats = values.iter().map(|v| if let Value::Float(n) = v { Some(*n) } else { None });
    match (ints.collect::<Option<Vec<_>>>(), floats.collect::<Option<Vec<_>>>()) {
        _ if values.is_empty() => Value::List(values),
        (Some(ints), _) => Value::Array(Array::row(ints)),
        (_, Some(floats)) => Value::Array(Array::row(floats)),
        _ => Value::List(values),
    }
}

fn stack(values: &[Value]) -> Option<Value> {
    let Value::Array(first) = values.first()? else {
        return None;
    };
    macro_rules! join {
        ($($variant:ident),*) => {
            match first.numbers() {
                $(Numbers::$variant(_) => {
                    let mut joined = Vec::new();
                    for value in values {
                        let Value::Array(array) = value else { return None };
                        let Numbers::$variant(numbers) = array.numbers() else { return None };
                        if array.shape() != first.shape() {
                            return None;
                        }
                        joined.extend_from_slice(numbers);
                    }
                    Numbers::$variant(joined)
                })*
            }
        };
    }
    let joined = join!(Bool, I8, I16, I32, I64, U8, U16, U32, U64, F32, F64);
    let shape = [&[values.len()], first.shape()].concat();
    Array::new(shape, joined).map(Value::Array)
}

/// The same value in the terms of another implementation of pickle.
fn foreign(value: &Value) -> serde_pickle::Value {
    use serde_pickle::Value as Foreign;
    let all = |values: &[Value]| values.iter().map(foreign).collect();
    match value {
        Value::None => Foreign::None,
        Value::Bool(b) => Foreign::Bool(*b),
        Value::Int(n) => Foreign::I64(*n),
        Value::Float32(n) => Foreign::F64(f64::from(*n)),
        Value::Float(n) => Foreign::F64(*n),
        Value::Text(text) => Foreign::String(text.to_string()),
        Value::Bytes(bytes) => Foreign::Bytes(bytes.to_vec()),
        Value::Array(array) => Foreign::List(array.elements().map(|v| foreign(&v)).collect()),
        Value::List(values) => Foreign::List(all(values)),
        Value::Tuple(values) => Foreign::Tuple(all(values)),
        Value::Set(values) => Foreign::Set(values.iter().map(foreign_key).collect()),
        Value::Map(entries) => Foreign::Dict(
            entries.iter().map(|(k, v)| (foreign_key(k), foreign(v))).collect::<BTreeMap<_, _>>(),
        ),
        // It has a big integer of its own, of another version of the same crate.
        Value::BigInt(n) => match n.to_string().parse() {
            Ok(n) => Foreign::Int(n),
            Err(_) => Foreign::None,
        },
        Value::Named { text, .. } => Foreign::String(text.to_string()),
    }
}

fn foreign_key(value: &Value) -> Key {
    match value {
        Value::None => Key::None,
        Value::Bool(b) => Key::Bool(*b),
        Value::Int(n) => Key::I64(*n),
        Value::Float(n) => Key::F64(*n),
        Value::Text(text) => Key::String(text.to_string()),
        Value::Bytes(bytes) => Key::Bytes(bytes.to_vec()),
        Value::Tuple(values) => Key::Tuple(values.iter().map(foreign_key).collect()),
        _ => unreachable!("{value:?} is not among the keys that are made"),
    }
}

proptest! {
    #[test]
    fn what_goes_out_comes_back(value in value()) {
        for arrays in [Arrays::Lists, Arrays::Numpy] {
            let decoded = decode(&encode(&value, arrays).into(), &Budget::default()).unwrap();
            prop_assert_eq!(decoded.value, normal(&value, arrays));
        }
    }

    #[test]
    fn another_implementation_agrees(value in value()) {
        let ours = encode(&value, Arrays::Lists);
        let theirs = serde_pickle::value_from_slice(&ours, serde_pickle::DeOptions::new()).unwrap();
        prop_assert_eq!(&theirs, &foreign(&value));
        for options in [serde_pickle::SerOptions::new(), serde_pickle::SerOptions::new().proto_v2()] {
            let back = serde_pickle::value_to_vec(&theirs, options).unwrap();
            let decoded = decode(&back.into(), &Budget::default()).unwrap();
            prop_assert_eq!(foreign(&decoded.value), theirs.clone());
        }
    }

    #[test]
    fn arbitrary_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes.into(), &Budget::default());
    }
}
