//! When a call may run, and on which thread: [`callers`] bound how much each caller does, by [`bucket`]s that fill
//! evenly, [`permits`] how many calls run at once, [`blocking`] keeps large work from holding up other requests.
//! Knows no request.

mod blocking;
mod bucket;
mod callers;
mod permits;

pub(super) use blocking::{LARGE, block_in_place_if_large};
pub(super) use callers::{Allowance, Callers, Weight};
pub(super) use permits::{Peer, Permits};
