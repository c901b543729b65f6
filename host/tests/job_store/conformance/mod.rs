//! What every store of jobs does. The module of each implementation has this one in it, and says beside it
//! what its `Store` is, how a `fresh` one is made, and how one is opened again where it was.

mod content;
mod keys;
mod listing;
mod methods;
mod owners;
mod retention;
mod together;
mod turns;

use super::{Store, fresh, open};
