//! Python's pickle format, read and written without ever running what a pickle names.
//!
//! [`decode`] takes protocols 0 to 5 from anybody: it builds plain values by fixed rules, within a
//! [`Budget`], and refuses everything else by name. [`encode`] writes protocol 4, which every Python
//! since 3.4 loads, or 5. The format is CPython's `Lib/pickletools.py` and PEPs 307, 3154 and 574. This
//! module knows no HTTP and no base64, and nothing of the procedures that the values are for.
//!
//! # How a pickle is read
//!
//! A pickle is a program for a machine with a stack. Python's own machine lets it import and call what it
//! likes; this one has a fixed rule for each class that it may name.
//!
//! ```text
//!     bytes --> reader, literal       texts and numbers, as the opcodes spell them
//!                   |
//!                   v
//!               machine               one opcode after the other, up to STOP
//!                   |
//!                   v
//!     stack: [ 1.5 | #3 | mark ]      items: small values, or the index of an object
//!     memo:  { 0: #3 }
//!                   |
//!                   v                 reduce: REDUCE, NEWOBJ   by the rules for the
//!     heap:  #0 #1 #2 #3 ...  <-----  state:  BUILD            classes in `globals`
//!                   |
//!                   v
//!               expand --> Value      one tree, without cycles
//! ```
//!
//! **Machine** (`machine`, `stack`, `opcode`). Each opcode pushes items, pops them, or gives them to the
//! heap. `fence` is the height below which nothing can be popped, as long as a mark is open.
//!
//! **Heap** (`heap`, `item`). A list is memoized before it is filled, so an object may be shared, and may
//! hold itself. Objects therefore refer to each other by index and lie in one arena, dropped as a whole. Lists
//! of nothing but numbers are one block from the first number on.
//!
//! **Reduction** (`globals`, `reduce`, `state`, with `args`). `GLOBAL` gives a name of a fixed table, or an
//! error. REDUCE takes the arguments that CPython or numpy pickles for that name, and no others: `dates`,
//! `dtype`, `ndarray` and `typed_array` make the object of them. An object that gets its state later (a UUID,
//! an array) is a shell until BUILD completes it.
//!
//! **Expansion** (`expand`). Three passes without recursion: order the objects, refusing cycles; measure the
//! tree that they make, with shared objects counted as often as they appear; build each object once.
//!
//! **Budget** (`budget`). Whatever a pickle can ask for is counted before it is taken:
//!
//! | of the [`Budget`] | is counted by | for |
//! |---|---|---|
//! | `bytes` | `machine::run` | the pickle |
//! | `operations` | `Heap::work` | each opcode, and each step of those with many |
//! | `nodes` | `Heap::charge`, `Heap::allows` | objects, references, the stack, the marks, the memo |
//! | `expansion` | `Heap::copy`, `expand` | what is made anew, and the finished tree |
//! | `depth` | `expand` | levels of the tree |
//!
//! Beside that, `Heap::hold` asks for [`Room`] in the memory that all callers share.

mod args;
mod budget;
mod dates;
mod dtype;
mod encode;
mod error;
mod expand;
mod globals;
mod heap;
mod item;
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

pub use self::budget::{Budget, Room};
pub use self::encode::{Arrays, Protocol, encode, encode_as};
pub use self::error::{PickleError, PickleErrorKind};
use self::globals::Global;
pub use self::machine::Decoded;
use crate::value::PYTHON_2_STR;

/// The `class` of a [`Value::Named`](crate::value::Value::Named) that has this name; `None` if there is no
/// such class.
pub fn class_named(name: &str) -> Option<&'static str> {
    Global::named(name).or_else(|| (name == PYTHON_2_STR).then_some(PYTHON_2_STR))
}

/// Reads a pickle of protocol 0 to 5.
///
/// Byte strings in the result are slices of `pickle`, and keep it in memory.
///
/// A `datetime` or `time` with a `ZoneInfo` becomes text that ends in the zone's name in brackets,
/// such as `2024-01-02T03:04:05[Europe/London]`: its offset is in no pickle.
///
/// # Errors
///
/// If the bytes are no pickle, or more than one, exceed the budget, contain a cycle, or name a class that has no rule.
pub fn decode(pickle: &Bytes, budget: &Budget) -> Result<Decoded, PickleError> {
    machine::run(pickle, budget, &mut Unlimited)
}

/// As [`decode`], with all memory asked for before it is taken.
///
/// # Errors
///
/// As [`decode`], and [`PickleErrorKind::NoRoom`] where `room` refuses.
pub fn decode_within(
    pickle: &Bytes,
    budget: &Budget,
    room: &mut dyn Room,
) -> Result<Decoded, PickleError> {
    machine::run(pickle, budget, room)
}

struct Unlimited;

impl Room for Unlimited {
    fn take(&mut self, _: usize) -> bool {
        true
    }
}
