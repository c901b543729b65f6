//! Between [`Value`](crate::value::Value) and the component model's types, guided by a procedure's
//! [`Signature`].
//!
//! Arguments are [checked](check) into [`Typed`] values before an instance exists; results are
//! [presented](present) as neutral values. Knows no wire format, and no wasmtime: the sandbox moves
//! `Typed` values in and out of a guest, the catalog makes signatures from components.

mod arguments;
mod carried;
mod check;
mod exact;
mod failure;
mod keys;
mod meant;
mod present;
mod signature;
mod typed;
mod web;

pub use arguments::{Arguments, bind};
pub use carried::{holds_map, with_maps};
pub use check::{Mismatch, check};
pub use failure::declared_failure;
pub use keys::{repeated_key, shown_key};
pub use present::{Presented, present};
pub use signature::{Case, DefaultValue, Field, Parameter, Signature, Type};
pub use typed::{ListOf, Typed};
pub use web::is_web;
