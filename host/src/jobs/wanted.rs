//! Which version of its procedure a job can run: [`Wanted`].

use std::sync::Arc;

use super::model::Job;
use super::reason::WaitReason;
use crate::catalog::{Catalog, Procedure};

/// What a job needs to run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    procedure: Arc<str>,
    /// The version that it was submitted for.
    digest: Arc<str>,
    /// Whether no other version will do.
    is_pinned: bool,
}

impl Wanted {
    pub(super) fn by(job: &Job) -> Self {
        Self {
            procedure: Arc::clone(&job.procedure),
            digest: Arc::clone(&job.digest),
            is_pinned: job.is_pinned,
        }
    }

    /// The procedure, in a version that will do; or why the job cannot run now.
    pub(super) fn find(&self, catalog: &Catalog) -> Result<Arc<Procedure>, WaitReason> {
        let name = || Arc::clone(&self.procedure);
        let procedure =
            catalog.find(&self.procedure).ok_or_else(|| WaitReason::Procedure(name()))?;
        if *self.digest == *procedure.source.digest {
            return Ok(Arc::clone(procedure));
        }
        if self.is_pinned {
            let digest = Arc::clone(&self.digest);
            return Err(WaitReason::Version { procedure: name(), digest });
        }
        if !catalog.is_complete() {
            return Err(WaitReason::Start(name()));
        }
        Ok(Arc::clone(procedure))
    }
}

#[cfg(test)]
impl Wanted {
    pub(super) fn procedure(name: &str) -> Self {
        Self { procedure: name.into(), digest: "".into(), is_pinned: false }
    }
}
