//! Jobs of which only so many may run or wait at once: [`Group`].

use std::sync::Arc;

use super::model::{Job, NewJob};

/// Jobs of which only so many may run at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// Those of the procedure of this name.
    Procedure(Arc<str>),
    /// Those that were submitted with the token of this id.
    Owner(Arc<str>),
    /// Those that were submitted without one from this address.
    Peer(Arc<str>),
}

impl Group {
    /// Those of a job's submitter; `None` where nobody needs to know whose it is.
    pub(super) fn of_submitter(job: &Job) -> Option<Self> {
        Self::of(job.owner.as_ref(), job.peer.as_ref())
    }

    /// The same, of a job that is to be stored.
    pub(super) fn of_new(job: &NewJob) -> Option<Self> {
        Self::of(job.owner.as_ref(), job.peer.as_ref())
    }

    fn of(owner: Option<&Arc<str>>, peer: Option<&Arc<str>>) -> Option<Self> {
        match (owner, peer) {
            (Some(owner), _) => Some(Self::Owner(Arc::clone(owner))),
            (None, peer) => peer.cloned().map(Self::Peer),
        }
    }
}
