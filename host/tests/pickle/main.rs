//! The pickle codec against real Pythons, against random values, and against hostile bytes.

mod fixtures;
mod hostile;
mod oracle;
mod random;
#[path = "../values/mod.rs"]
mod values;
