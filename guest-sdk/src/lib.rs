//! Write procedures for TARP in Rust.
//!
//! For now this crate holds two things that a component built with `wit_bindgen::generate!`
//! wants from us: the [`failures`] that callers can act on, and [`embed_wit!`], which lets the
//! documentation of a procedure travel with its component. It knows nothing of the host.
//!
//! # Failing so that the caller can act on it
//!
//! Copy the package `tarp:procedure` into the `wit/deps/` of your component, say
//! `use tarp:procedure/failures@0.1.0.{failure};` in its world, and let the generated bindings
//! use the types of this crate:
//!
//! ```ignore
//! wit_bindgen::generate!({
//!     with: { "tarp:procedure/failures@0.1.0": tarp_guest::failures },
//! });
//! ```
//!
//! # The section `tarp:wit`
//!
//! The encoders that turn a core module into a component keep every type and every name, but
//! drop documentation comments. [`embed_wit!`] therefore puts the source text of a WIT file into
//! the custom section `tarp:wit`. The linker joins the statics of a section in one core module,
//! in any order and without anything between them, so each text is a record of its own:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the text, unsigned, little endian |
//! | length | the text: UTF-8, one WIT file, complete on its own |
//!
//! A section is any number of such records, and a component may hold several such sections, one
//! in each core module nested in it.

mod embed;
mod failure;

#[doc(hidden)]
pub use embed::record;
pub use failure::failures;
