//! Jobs over HTTP: `/-/jobs` for programs and people, and the handles of the original protocol. Knows
//! how a job is shown, not how it runs.

mod arguments;
mod events;
mod find;
mod key;
mod once;
mod original;
mod outcome;
mod query;
mod routes;
mod show;
mod submit;

pub(super) use key::{IDEMPOTENCY_KEY, key};
pub(super) use once::once;
pub(super) use original::PATHS as ORIGINAL_PATHS;
pub(super) use routes::routes;
pub(super) use show::{CURSOR, LARGEST_PAGE, PAGE};
pub(super) use submit::{accept, check_pin, is_wanted};
