//! Rows of numbers as one byte string each, little-endian on every machine.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use bytemuck::{AnyBitPattern, NoUninit};
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Numbers of any type that is nothing but its bits.
pub(super) mod plain {
    use super::*;

    pub(in super::super) fn serialize<T: NoUninit, S: Serializer>(
        numbers: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&swapped(bytemuck::cast_slice(numbers), size_of::<T>()))
    }

    pub(in super::super) fn deserialize<'de, T: NoUninit + AnyBitPattern, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_bytes(Block(PhantomData))
    }
}

/// Truth values, of which only 0 and 1 are.
pub(super) mod truth {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        numbers: &[bool],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytemuck::cast_slice(numbers))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<bool>, D::Error> {
        let bytes: Vec<u8> = plain::deserialize(deserializer)?;
        let truth = bytes.into_iter().map(|byte| match byte {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(D::Error::custom("a bool is neither 0 nor 1")),
        });
        truth.collect()
    }
}

struct Block<T>(PhantomData<T>);

impl<T: NoUninit + AnyBitPattern> Visitor<'_> for Block<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "numbers of {} bytes", size_of::<T>())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<T>, E> {
        if !bytes.len().is_multiple_of(size_of::<T>()) {
            return Err(E::custom("a row of numbers ends within a number"));
        }
        Ok(bytemuck::pod_collect_to_vec(&swapped(bytes, size_of::<T>())))
    }
}

/// From the machine's order of bytes to the encoding's, or back.
fn swapped(bytes: &[u8], size: usize) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytes)
    } else {
        bytes.chunks(size).flat_map(|number| number.iter().rev()).copied().collect()
    }
}
