//! How a [`Value`] is written and read.
//!
//! The mirrors here, not the types that they mirror, say which number a variant is stored as: new
//! variants go to the end.

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use num_bigint::BigInt;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::block::{plain, truth};
use crate::codec::pickle;
use crate::value::{Array, Numbers, Value};

/// Levels of nesting; as many as the decoder of pickles ever lets in.
const MAX_DEPTH: u32 = 1000;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Of a name of its own, for serde would have a `&'static str` borrow from what is read.
type Class = &'static str;

#[derive(Serialize, Deserialize)]
#[serde(remote = "Value")]
enum Stored {
    None,
    Bool(bool),
    Int(i64),
    BigInt(#[serde(with = "big")] Box<BigInt>),
    Float32(f32),
    Float(f64),
    Text(Arc<str>),
    Bytes(#[serde(with = "string")] Bytes),
    Array(Array),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Set(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Named {
        #[serde(deserialize_with = "class")]
        class: Class,
        text: Arc<str>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Numbers")]
enum StoredNumbers {
    Bool(#[serde(with = "truth")] Vec<bool>),
    I8(#[serde(with = "plain")] Vec<i8>),
    I16(#[serde(with = "plain")] Vec<i16>),
    I32(#[serde(with = "plain")] Vec<i32>),
    I64(#[serde(with = "plain")] Vec<i64>),
    U8(#[serde(with = "plain")] Vec<u8>),
    U16(#[serde(with = "plain")] Vec<u16>),
    U32(#[serde(with = "plain")] Vec<u32>),
    U64(#[serde(with = "plain")] Vec<u64>),
    F32(#[serde(with = "plain")] Vec<f32>),
    F64(#[serde(with = "plain")] Vec<f64>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A damaged file must not overflow the stack, which would end the host.
        let depth = DEPTH.get();
        if depth >= MAX_DEPTH {
            return Err(D::Error::custom(format!("a value is nested deeper than {MAX_DEPTH}")));
        }
        DEPTH.set(depth + 1);
        let value = Stored::deserialize(deserializer);
        DEPTH.set(depth);
        value
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.shape(), self.numbers()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (shape, numbers) = <(Vec<usize>, Numbers)>::deserialize(deserializer)?;
        Self::new(shape, numbers).ok_or_else(|| {
            D::Error::custom("an array has another number of elements than its shape")
        })
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredNumbers::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredNumbers::deserialize(deserializer)
    }
}

fn class<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let name = String::deserialize(deserializer)?;
    pickle::class_named(&name)
        .ok_or_else(|| D::Error::custom(format!("no class `{name}` is known to this host")))
}

mod string {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        bytes: &Bytes,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        plain::deserialize(d).map(|bytes: Vec<u8>| Bytes::from(bytes))
    }
}

mod big {
    use super::*;

    pub(super) fn serialize<S: Serializer>(n: &BigInt, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&n.to_signed_bytes_le())
    }

    pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Box<BigInt>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let bytes: Vec<u8> = plain::deserialize(deserializer)?;
        Ok(Box::new(BigInt::from_signed_bytes_le(&bytes)))
    }
}
