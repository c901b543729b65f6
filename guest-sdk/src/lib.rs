//! Write procedures for TARP in Rust.
//!
//! [`#[procedures]`](procedures) above a module makes a procedure of each of its public functions:
//!
//! ```
//! #[tarp_guest::procedures]
//! mod stats {
//!     use tarp_guest::{Context, Request, Response};
//!
//!     /// A maximum of a curve.
//!     pub struct Peak {
//!         /// Its place among the values.
//!         pub index: u32,
//!         pub height: f64,
//!     }
//!
//!     /// The arithmetic mean; an error for an empty list.
//!     pub fn mean(values: &[f64]) -> Result<f64, String> {
//!         if values.is_empty() {
//!             return Err("values is empty".into());
//!         }
//!         Ok(values.iter().sum::<f64>() / values.len() as f64)
//!     }
//!
//!     /// The values that are greater than both their neighbours and `least`.
//!     #[procedure(asynchronous, suggested_wait = 2)]
//!     pub fn peaks(values: Vec<f64>, #[default = 0.0] least: f64, cx: &Context) -> Vec<Peak> {
//!         let mut peaks = Vec::new();
//!         for (index, three) in values.windows(3).enumerate() {
//!             if cx.cancelled() {
//!                 break;
//!             }
//!             cx.progress(index, values.len(), "looking");
//!             if three[1] > least && three[1] > three[0] && three[1] > three[2] {
//!                 peaks.push(Peak { index: index as u32 + 1, height: three[1] });
//!             }
//!         }
//!         peaks
//!     }
//!
//!     /// A greeting as a page: `/greet?name=Ada`.
//!     #[procedure(web, methods = "GET")]
//!     pub fn greet(request: &Request) -> Response {
//!         match request.query("name") {
//!             Some(name) => Response::text(format!("Hello, {name}!")),
//!             None => Response::text("say your `name`").with_status(400),
//!         }
//!     }
//! }
//! # use stats::*;
//! # assert_eq!(mean(&[1.0, 2.0]), Ok(1.5));
//! # let found = peaks(vec![0.0, 2.0, 1.0], 0.0, &tarp_guest::Context::new());
//! # assert_eq!((found[0].index, found[0].height), (1, 2.0));
//! # assert_eq!(greet(&tarp_guest::Request::get("/greet", &[])).status, Some(400));
//! ```
//!
//! Its manifest says `crate-type = ["cdylib"]`, and `cargo build --release --target wasm32-wasip2`
//! makes the component.
//!
//! # Without the macro
//!
//! A component that describes itself in WIT and uses `wit_bindgen::generate!` needs nothing of this
//! crate. It may want the [`failures`] that callers can act on, the [`job`] that a procedure talks
//! to while it works, the types of [`web`] procedures, and [`embed_wit!`], which lets its
//! documentation travel with it. Nothing here knows the host.
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
//!
//! # The section `tarp:procedures`
//!
//! What WIT has no words for is in the custom section `tarp:procedures`, in records of the same
//! form. Each text is a JSON object with a table for each procedure that has something to say, all
//! keys optional:
//!
//! ```json
//! {"procedures": {"peaks": {"mode": "async", "suggested_wait": 2, "defaults": {"least": 0.0}},
//!                 "greet": {"methods": ["GET"], "aliases": ["sayHello"]}}}
//! ```
//!
//! The macro writes both sections.

mod answer;
mod bindings;
mod context;
mod embed;
mod failure;
#[doc(hidden)]
pub mod private;

#[cfg(not(target_family = "wasm"))]
pub use context::Said;
pub use context::{Context, Number};
#[doc(hidden)]
pub use embed::record;
/// Lets others run: `yield_async().await` in an `async fn`.
pub use wit_bindgen::yield_async;

/// Makes a procedure of each `pub fn` of a module.
///
/// The module is written out, `mod stats { ... }`, and stays as it is, so that tests and other Rust
/// code call its functions as any others. What is not `pub` is no procedure; a helper for other
/// modules is `pub(crate) fn`. There is an example in the [crate's documentation](crate).
///
/// # Types
///
/// | Rust | WIT |
/// |---|---|
/// | `bool`, `char`, `String`, `i8` … `i64`, `u8` … `u64`, `f32`, `f64` | `bool`, `char`, `string`, `s8` … `s64`, `u8` … `u64`, `f32`, `f64` |
/// | `usize`, `isize` | `u64`, `s64`; a number that the component's own does not hold is refused |
/// | `Vec<T>`, `Option<T>`, tuples | `list<T>`, `option<T>`, `tuple<...>` |
/// | `[T; N]` | `list<T>`; one of another length is refused |
/// | `HashSet<T>`, `BTreeSet<T>` | `list<T>` |
/// | `Result<T, E>` | `result<T, E>`; as the result of a function, `E` is the error that callers see |
/// | `anyhow::Result<T>`, `Result<T, Box<dyn Error>>`, `Result<T, E>` with any other `E: Display`, as the result of a function | `result<T, string>`: the error's text, and those of its causes |
/// | `HashMap<K, V>`, `BTreeMap<K, V>` | `list<tuple<K, V>>` |
/// | a `struct` with named fields | `record` |
/// | a `struct` of `bool`s, marked `#[flags]` | `flags` |
/// | a `struct` around one value | `type` |
/// | an `enum` | `enum`, or `variant` where a case holds something; what `Case { a: A }` holds is a record |
/// | [`Failure`], [`Request`], [`Response`] | those of the package `tarp:procedure` |
///
/// A parameter may be a reference: `&str`, `&[T]`, `&T`. A result may be `&'static str`, also in a
/// `Result`.
///
/// Where an argument may be refused, a function that gives no `Result` gives a `result<T, string>` to callers. An error
/// names the argument. A function whose error is an enum of the author's cannot give it, and traps with the message.
///
/// Structs and enums are those that are written in the module itself: a macro sees nothing else.
/// They need no derive, their fields need not be public, and what they derive is their own affair.
/// `///` comments on all of them, on fields and on cases go into the component.
///
/// # Names
///
/// Callers see names in snake_case: `my_function`, and `http_server` for a case `HTTPServer`.
/// Underscores at the ends of a name, as in `_unused` and `type_`, are not part of it. The names
/// of functions may be those of the C library, `exit` and `read` included.
///
/// A crate may have several such modules, which make one component together. The compiler refuses
/// two functions, two types or two modules of one name: `two_modules_have_a_type_peak` is then defined
/// multiple times.
///
/// # Unsafe code
///
/// What the macro adds crosses the boundary of the component and is unsafe code, which a crate may
/// `deny` for its own, but not `forbid`.
///
/// # What a function can say of itself
///
/// | | |
/// |---|---|
/// | `#[procedure(asynchronous)]` | the original client gets a handle of a job |
/// | `#[procedure(asynchronous, suggested_wait = 2)]` | and is to look at it every 2 seconds |
/// | `#[procedure(web)]` | nothing but that it is meant to be a web procedure: it takes a [`Request`] and gives a [`Response`] or a `Result<Response, E>` |
/// | `#[procedure(web, methods = "GET")]` | it answers only this method; both are `["GET", "POST"]` |
/// | `#[procedure(aliases = ["rpcExample"])]` | it answers to these names as well, which may have capital letters |
/// | `#[procedure(arrays = "numpy")]` | the original client gets numpy's arrays for rows of numbers, and needs numpy; `"list"` never, `"auto"`, the default, where arrays went in |
/// | `#[default = 10] n: u32` | the value where a caller leaves the argument out: a number, a text, a list or tuple of those, `None`, `Some(...)`, or a case that holds nothing |
/// | `cx: &Context` | the [`Context`], in any place; callers know nothing of it |
/// | `pub async fn` | an `async func` in WIT, which lets others run at each [`yield_async`]; needs a tool chain that knows the component model's asynchrony, as `cargo build` of Rust 1.95 does and cargo-component 0.21 does not |
pub use tarp_guest_macros::procedures;

pub use bindings::tarp::procedure::failures;
/// What a web procedure takes and gives.
pub use bindings::tarp::procedure::web;
pub use failures::Failure;
pub use web::{Request, Response};

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

/// Whole requests to other HTTP servers, as far as the component's sidecar grants them.
///
/// ```no_run
/// use tarp_guest::http::{self, Request};
///
/// fn station() -> Result<String, String> {
///     let response = http::send(&Request {
///         method: "GET".into(),
///         url: "https://api.lab.example/station".into(),
///         headers: vec![("accept".into(), b"text/plain".to_vec())],
///         body: Vec::new(),
///         timeout: Some(10_000),
///     })?;
///     String::from_utf8(response.body).map_err(|e| e.to_string())
/// }
/// ```
pub use bindings::tarp::procedure::http;
