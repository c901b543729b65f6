//! [`Typed`]: a value that is known to fit a type of the component model.

use bytes::Bytes;
use std::sync::Arc;

use crate::value::Numbers;

/// A value that fits a [`Type`](super::Type), ready to be moved into a guest or just moved out of
/// one. Fields, cases and flags are positions in the type, never names.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    Bool(bool),
    S8(i8),
    U8(u8),
    S16(i16),
    U16(u16),
    S32(i32),
    U32(u32),
    S64(i64),
    U64(u64),
    F32(f32),
    F64(f64),
    Char(char),
    String(Arc<str>),
    List(ListOf),
    /// Keys and values, in the order in which they came; no key comes twice.
    Map(Vec<(Typed, Typed)>),
    Tuple(Vec<Typed>),
    Record(Vec<Typed>),
    Variant(u32, Option<Box<Typed>>),
    Enum(u32),
    /// One bit a flag, 32 flags a word, the first flag in the lowest bit of the first word.
    Flags(Vec<u32>),
    Option(Option<Box<Typed>>),
    Result(Result<Option<Box<Typed>>, Option<Box<Typed>>>),
}

/// The items of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum ListOf {
    /// A `list<u8>`.
    Bytes(Bytes),
    /// Any other list of numbers, in one block.
    Numbers(Numbers),
    /// Anything else.
    Items(Vec<Typed>),
}

impl Typed {
    /// How many bytes it takes in the host, the names in its type apart.
    pub fn size(&self) -> usize {
        let all = |values: &[Self]| values.iter().map(Self::size).sum::<usize>();
        let one = |payload: &Option<Box<Self>>| payload.as_ref().map_or(0, |value| value.size());
        size_of::<Self>()
            + match self {
                Self::String(text) => text.len(),
                Self::List(ListOf::Bytes(bytes)) => bytes.len(),
                Self::List(ListOf::Numbers(numbers)) => numbers.size_in_bytes(),
                Self::List(ListOf::Items(values)) | Self::Tuple(values) | Self::Record(values) => {
                    all(values)
                }
                Self::Map(entries) => {
                    entries.iter().map(|(key, value)| key.size() + value.size()).sum()
                }
                Self::Variant(_, payload) | Self::Option(payload) => one(payload),
                Self::Result(Ok(payload) | Err(payload)) => one(payload),
                Self::Flags(words) => size_of_val(words.as_slice()),
                _ => 0,
            }
    }
}
