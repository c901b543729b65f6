//! Write procedures for TARP in Rust.
//!
//! For now this crate holds three things that a component built with `wit_bindgen::generate!`
//! wants from us: the [`failures`] that callers can act on, the [`job`] that a procedure talks to
//! while it works, and [`embed_wit!`], which lets the documentation of a procedure travel with its
//! component. It knows nothing of the host.
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
//! # Talking while it works
//!
//! The functions of [`job`] need no preparation, neither in the component's world nor in its
//! bindings: a component imports those that it calls.
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

mod answer;
mod bindings;
mod context;
mod embed;
mod failure;

#[cfg(not(target_family = "wasm"))]
pub use context::Said;
pub use context::{Context, Number};
#[doc(hidden)]
pub use embed::record;
pub use tarp_guest_macros::procedures;
pub use wit_bindgen::yield_async;

pub use bindings::tarp::procedure::{failures, web};
pub use failures::Failure;
pub use web::{Request, Response};

/// What generated code needs; not for others.
#[doc(hidden)]
pub mod private {
    pub use wit_bindgen::rt;
}

/// Progress, a log, and whether the procedure is asked to stop.
///
/// All of it works in any call. Whether somebody follows it is the affair of the caller: in a
/// plain call nobody does, in a job everybody may who may see the job.
///
/// ```no_run
/// use tarp_guest::job::{self, Level};
///
/// fn fit(spectra: Vec<Vec<f64>>) -> Result<Vec<f64>, String> {
///     job::log(Level::Info, &format!("fitting {} spectra", spectra.len()));
///     let mut peaks = Vec::new();
///     for (index, spectrum) in spectra.iter().enumerate() {
///         if job::cancelled() {
///             return Err(format!("stopped after {index} spectra"));
///         }
///         job::progress(index as f64, Some(spectra.len() as f64), Some("fitting"));
///         peaks.push(spectrum.iter().copied().fold(f64::MIN, f64::max));
///     }
///     Ok(peaks)
/// }
/// ```
pub use bindings::tarp::procedure::job;
