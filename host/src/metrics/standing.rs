//! What the figures need of others: [`Standing`].

use tarp_schema::job_state::JobState;

/// How things stand with jobs and memory, which others know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// How many jobs wait.
    pub queued: usize,
    /// How many jobs are running.
    pub running: usize,
    /// How often jobs have entered each state, in the order of [`JobState::ALL`].
    pub entered: [u64; JobState::ALL.len()],
    /// Bytes of the memory budget that are charged.
    pub charged: usize,
    /// All of the memory budget, in bytes.
    pub budget: usize,
    /// Lines of the audit log that were dropped; `None` where there is none.
    pub unaudited: Option<u64>,
}
