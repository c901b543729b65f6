//! What a job waits for, where that is not its turn: [`WaitReason`].

use std::sync::Arc;

use crate::config::Labels;

/// What a queued job waits for, as the rest of a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitReason {
    /// Its procedure.
    #[error("waits for the procedure `{0}`, which is not there")]
    Procedure(Arc<str>),
    /// The version of its procedure that it is pinned to.
    #[error("waits for the procedure `{procedure}` in the version {digest}, which is not there")]
    Version {
        /// The procedure.
        procedure: Arc<str>,
        /// BLAKE3 of the file, in hexadecimal.
        digest: Arc<str>,
    },
    /// The name may belong to a file that is not loaded yet.
    #[error(
        "waits until the host has started: so far it has the procedure `{0}` in another version than the job was submitted for"
    )]
    Start(Arc<str>),
    /// The end of another job of its procedure.
    #[error("waits for one of the {most} jobs of `{procedure}` that may run at once")]
    ProcedureShare {
        /// The procedure.
        procedure: Arc<str>,
        /// How many may run.
        most: u32,
    },
    /// The end of another job of its submitter.
    #[error("waits for one of the {0} jobs of its submitter that may run at once")]
    SubmitterShare(u32),
    /// A host with other labels.
    #[error("waits for a host with the label {0}; `labels` of [jobs] says which this one has")]
    Labels(Labels),
}
