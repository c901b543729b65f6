//! The attribute macro `#[procedures]` of [`tarp-guest`], which documents it and re-exports it.
//!
//! A module of plain Rust goes in; out comes the same module with one hidden module more, which
//! exports each `pub fn` from the component. On the way:
//!
//! 1. `module` takes the macro's own attributes off the module's items and finds the procedures
//!    (`procedure`) and the types that they name (`types`, `declared`).
//! 2. `wit` writes the world as WIT, `metadata` what WIT cannot say.
//! 3. `bindings` has wit-bindgen make its bindings of that world.
//! 4. `convert` moves values between the bindings' types and the author's own, and `expand` puts
//!    everything together.
//!
//! Everything that can be wrong with the author's module is found in step 1, and said at the line
//! where it is. The macro knows nothing of the host.
//!
//! [`tarp-guest`]: https://docs.rs/tarp-guest

mod bindings;
mod convert;
mod declared;
mod defaults;
mod docs;
mod expand;
#[cfg(test)]
mod golden;
mod metadata;
mod module;
mod names;
mod procedure;
mod types;
mod wit;

use proc_macro::TokenStream;

/// Makes a procedure of each `pub fn` of a module. Documented in `tarp-guest`.
#[proc_macro_attribute]
pub fn procedures(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::procedures(arguments.into(), &item.into()).into()
}
