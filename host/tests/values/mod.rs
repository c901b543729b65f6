//! Random values, for tests of the formats that they are written in.

use num_bigint::BigInt;
use proptest::prelude::*;
use tarp_host::value::{Array, Numbers, Value};

fn numbers(count: usize) -> BoxedStrategy<Numbers> {
    fn of<T>(count: usize) -> BoxedStrategy<Numbers>
    where
        T: Arbitrary + Clone + 'static,
        Numbers: From<Vec<T>>,
    {
        prop::collection::vec(any::<T>(), count).prop_map(Numbers::from).boxed()
    }
    prop_oneof![
        of::<bool>(count),
        of::<i8>(count),
        of::<u8>(count),
        of::<i16>(count),
        of::<u16>(count),
        of::<i32>(count),
        of::<u32>(count),
        of::<i64>(count),
        of::<u64>(count),
        of::<f32>(count),
        of::<f64>(count),
    ]
    .boxed()
}

fn array() -> impl Strategy<Value = Value> {
    prop::collection::vec(0usize..4, 1..4).prop_flat_map(|shape| {
        numbers(shape.iter().product()).prop_map(move |numbers| {
            Value::Array(Array::new(shape.clone(), numbers).expect("as many numbers as the shape"))
        })
    })
}

/// What may be a key in Python, and comes back as it is.
fn key() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        ".*".prop_map(Value::text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(2, 8, 5, |inner| prop::collection::vec(inner, 0..5).prop_map(Value::Tuple))
}

/// Values without equal keys or elements, for Python would merge them.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let big = prop::collection::vec(any::<u8>(), 9..300)
        .prop_map(|bytes| BigInt::from_signed_bytes_le(&bytes))
        .prop_filter("beyond 64 bits", |n| i64::try_from(n).is_err());
    let leaf = prop_oneof![
        4 => key(),
        1 => any::<f32>().prop_map(Value::Float32),
        1 => big.prop_map(|n| Value::BigInt(Box::new(n))),
        3 => array(),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Tuple),
            prop::collection::vec(any::<i64>(), 0..5).prop_map(|mut keys| {
                keys.sort_unstable();
                keys.dedup();
                Value::Set(keys.into_iter().map(Value::Int).collect())
            }),
            prop::collection::btree_map(".*", inner.clone(), 0..5).prop_map(|entries| {
                Value::Map(entries.into_iter().map(|(k, v)| (Value::text(k), v)).collect())
            }),
            (key(), inner).prop_map(|entry| Value::Map(vec![entry])),
        ]
    })
}
