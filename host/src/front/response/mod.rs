//! Replies: [`forms`] of results, [`envelope`]s around what is no result of a call, [`errors`] and their
//! statuses, [`tags`] by which content is known again, the [`receipt`] of a call, and what [`web`]
//! procedures answer; [`sink`] charges what is written. Knows no request.

mod envelope;
mod errors;
mod forms;
mod receipt;
mod sink;
mod tags;
mod web;

pub(super) use envelope::{bare, success_of};
pub(super) use errors::{
    ErrorFields, ErrorResponse, Reply, ask_no_person, below_a_path, no_such_page, panicked, status,
};
pub(super) use forms::{Form, size, success};
pub(super) use receipt::{fuel, write_receipt};
pub(super) use tags::{Tagged, is_known, tag};
pub(super) use web::SANDBOX;
