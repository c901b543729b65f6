//! What the host, its clients, the component builder and the guest macros agree on.
//!
//! | module | what |
//! |---|---|
//! | [`error_kind`] | the kinds of failure that a caller can see |
//! | [`job_state`] | the states of a job |
//! | [`json`] | the cure for what was meant as JSON and is none |
//! | [`nearest`] | which name was probably meant by one that does not exist |
//! | [`procedure`] | what a component says about its procedures beside their types |
//! | [`types`] | what a procedure takes and returns |
//! | [`section`] | the custom sections that carry it, and their framing |
//! | `documentation` | the documentation in a component (feature `documentation`) |
//!
//! It knows no HTTP, no runtime and no wire format but JSON.

#[cfg(feature = "documentation")]
pub mod documentation;
pub mod error_kind;
pub mod job_state;
pub mod json;
pub mod nearest;
pub mod procedure;
pub mod section;
pub mod types;

/// A name as WIT spells it (kebab-case) in snake_case, as it is everywhere outside WIT.
#[must_use]
pub fn snake_case(name: &str) -> String {
    name.replace('-', "_").to_ascii_lowercase()
}
