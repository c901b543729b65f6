//! What the host, its clients, the component builder and the guest macros agree on.
//!
//! | module | what |
//! |---|---|
//! | [`error_kind`] | the kinds of failure that a caller can see |
//! | [`job_state`] | the states of a job |
//! | [`json`] | the cure for what was meant as JSON and is none |
//! | [`names`] | names in any style, and their snake_case form |
//! | [`nearest`] | which name was probably meant by one that does not exist |
//! | [`procedure`] | what a component says about its procedures beside their types |
//! | [`shared`] | the types of the WIT package `tarp:procedure` |
//! | [`shown`] | types as their author wrote them, over those that a component has |
//! | [`types`] | what a procedure takes and returns |
//! | [`section`] | the custom sections that carry it, and their framing |
//! | [`wit_names`] | names in WIT for those of any style |
//! | `documentation` | the documentation in a component (feature `documentation`) |
//!
//! It knows no HTTP, no runtime and no wire format but JSON.

#[cfg(feature = "documentation")]
pub mod documentation;
pub mod error_kind;
pub mod job_state;
pub mod json;
pub mod names;
pub mod nearest;
pub mod procedure;
pub mod section;
pub mod shared;
pub mod shown;
pub mod types;
pub mod wit_names;

/// A name as WIT spells it (kebab-case) in snake_case, as it is outside WIT where no author gave
/// another.
#[must_use]
pub fn snake_case(name: &str) -> String {
    name.replace('-', "_").to_ascii_lowercase()
}
