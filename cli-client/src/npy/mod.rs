//! NumPy's file format for one array: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
//!
//! Numbers and booleans of every size, both byte orders, both orders of axes; nothing that would need
//! a pickle.

mod header;
mod read;
mod write;

pub(crate) use header::MAGIC;
pub(crate) use read::{ReadError, read};
pub(crate) use write::{WriteError, of_bytes, write};
