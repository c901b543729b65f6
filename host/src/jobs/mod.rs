//! Asynchronous calls: durable jobs with handles.
//!
//! A job stands beside the way of a synchronous call and enters it at the same narrow waist,
//! [`execute`](crate::call::execute). The way of a job: [`submit`] stores it, the [`store`] hands it out
//! when it is its turn, [`runner`] begins an [`attempt`] at it, [`live`] tells of it meanwhile, [`ending`]
//! records what came of it. It knows no HTTP.
//!
//! From the bottom up: what jobs are and where they are kept ([`model`], [`store`], [`live`]); what a host
//! knows of those that it has (`live_jobs`, `waiting`, `place`); `state`, which all that follows works on;
//! `verdict`, `outcome` and `shares`; `ending`; `parked`; `attempt`; `runner` and `recover`. `view` is
//! beside them, below what answers callers: `submit`, `cancel` and `once`.

mod attempt;
mod cancel;
mod claimed;
mod ending;
mod failure;
mod group;
pub mod live;
mod live_job;
mod live_jobs;
mod marks;
pub mod model;
mod once;
mod opening;
mod outcome;
mod parked;
mod place;
mod reason;
mod recover;
mod retry;
mod runner;
mod shares;
mod state;
pub mod store;
mod stored;
mod submit;
mod submitters;
mod verdict;
mod view;
mod waiting;
mod wanted;

pub use live::{Event, EventKind, Follower, LocalChannel};
pub use once::Once;
pub use reason::WaitReason;
pub use runner::JobRuntime;
pub use state::Jobs;
pub use submit::SubmitOptions;
pub use submitters::Submitters;
pub use view::View;
