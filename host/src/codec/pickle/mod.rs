//! Python's pickle format, read and written without ever running what a pickle names.
//!
//! [`decode`] takes protocols 0 to 5 from anybody: it builds plain values by fixed rules, within a
//! [`Budget`], and refuses everything else by name. [`encode`] writes protocol 4, which every Python
//! since 3.4 loads, or 5. The format is CPython's `Lib/pickletools.py` and PEPs 307, 3154 and 574. This
//! module knows no HTTP and no base64, and nothing of the procedures that the values are for.
//!
//! The way of a pickle: `machine` runs the opcodes (`opcode`, `stack`) over the bytes (`reader`,
//! `literal`) and puts objects on the `heap`; `globals` says which classes it may name, `reduce` and
//! `state` what they make of their arguments (`args`; `dates`, `dtype`, `ndarray`, `typed_array`);
//! `expand` makes one tree of it all.

mod args;
mod dates;
mod dtype;
mod encode;
mod error;
mod expand;
mod globals;
mod heap;
mod literal;
mod machine;
mod ndarray;
mod opcode;
mod reader;
mod reduce;
mod stack;
mod state;
mod typed_array;

use bytes::Bytes;

pub use self::encode::{Arrays, Protocol, encode, encode_as};
pub use self::error::{Fault, PickleError};
use self::globals::Global;
use crate::value::{PYTHON_2_STR, Value};

/// How much a pickle may ask for before it is refused.
///
/// The default takes lists of millions of numbers and records by the hundred thousand, and keeps
/// the decoder below about 1.5 GB whatever the pickle says.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The length of the pickle, in bytes.
    pub bytes: usize,
    /// Levels of nesting; more than 1000 are never allowed.
    pub depth: usize,
    /// Objects, references to objects in containers, entries of the stack and of the memo. Numbers
    /// in a list of nothing but floats or nothing but 64-bit integers count only in `expansion`.
    pub nodes: u64,
    /// Opcodes, and the steps of the few that take more than one.
    pub operations: u64,
    /// Memory for the values, in bytes, with shared objects counted as often as they appear. Text
    /// and byte strings are not counted: copies of them share their memory.
    pub expansion: u64,
}

impl Budget {
    /// Of a pickle of so many bytes: what values of that size honestly take. A few bytes may still
    /// stand for a long `range`.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        let length = bytes as u64;
        Self {
            bytes,
            nodes: (64 << 10) + length,
            operations: (1 << 20) + 8 * length,
            expansion: (16 << 20) + 64 * length,
            ..Self::default()
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 200,
            nodes: 8 << 20,
            operations: 64 << 20,
            expansion: 512 << 20,
        }
    }
}

/// What a pickle held.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The value. A list of nothing but floats, or of nothing but integers of 64 bits, is a
    /// [`Value::Array`]; an empty list is a [`Value::List`].
    pub value: Value,
    /// Whether the pickle held a numpy array or scalar, so that its sender can take one in reply.
    pub uses_numpy: bool,
}

/// The `class` of a [`Value::Named`] that has this name; `None` if there is no such class.
pub fn class_named(name: &str) -> Option<&'static str> {
    Global::named(name).or_else(|| (name == PYTHON_2_STR).then_some(PYTHON_2_STR))
}

/// Reads a pickle of protocol 0 to 5. What follows its STOP is ignored, as Python does.
///
/// Byte strings in the result are slices of `pickle`, and keep it in memory.
///
/// A `datetime` or `time` with a `ZoneInfo` becomes text that ends in the zone's name in brackets,
/// such as `2024-01-02T03:04:05[Europe/London]`: its offset is in no pickle.
///
/// # Errors
///
/// If the bytes are no pickle, exceed the budget, contain a cycle, or name a class that has no rule.
pub fn decode(pickle: &Bytes, budget: &Budget) -> Result<Decoded, PickleError> {
    machine::run(pickle, budget, &mut Unlimited)
}

/// As [`decode`], with all memory asked for before it is taken.
///
/// # Errors
///
/// As [`decode`], and [`Fault::NoRoom`] where `room` refuses.
pub fn decode_within(
    pickle: &Bytes,
    budget: &Budget,
    room: &mut dyn Room,
) -> Result<Decoded, PickleError> {
    machine::run(pickle, budget, room)
}

/// Memory that is shared with others.
pub trait Room {
    /// Takes so many bytes more; whether they were there.
    fn take(&mut self, bytes: usize) -> bool;
}

struct Unlimited;

impl Room for Unlimited {
    fn take(&mut self, _: usize) -> bool {
        true
    }
}
