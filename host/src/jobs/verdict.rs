//! What becomes of an attempt that a host leaves unfinished.

use std::time::SystemTime;

use super::model::{Completion, FailureCause, Job, JobState, Logs};
use super::state::Inner;
use crate::error::{CallError, ErrorKind};
use crate::sandbox::Receipt;

/// A job that ran when a host crashed, so often, is not begun again: it may be what ends the host.
const MAX_CRASHES: u32 = 3;

/// How a host ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShutdownKind {
    /// It was asked to.
    InOrder,
    /// Nobody saw it come.
    Crash,
}

impl Inner {
    /// What becomes of a job that was running when a host ended.
    pub(super) fn unfinished(&self, job: &Job, logs: Logs, shutdown: ShutdownKind) -> Completion {
        let (state, message) = if job.cancel_requested {
            (JobState::Cancelled, "the job was cancelled".to_owned())
        } else if !job.is_repeatable {
            let message = "the host went down while the job ran, and running it again might do something twice; if it cannot, say `idempotent = true` in its sidecar";
            (JobState::Interrupted, message.to_owned())
        } else if shutdown == ShutdownKind::Crash
            && job.crashes + 1 >= MAX_CRASHES.max(job.max_attempts)
        {
            let message = format!(
                "the host crashed {} times while the job ran; it is not begun again, since it may be the reason",
                job.crashes + 1
            );
            (JobState::Interrupted, message)
        } else {
            (JobState::Queued, String::new())
        };
        let kind = if state == JobState::Cancelled {
            ErrorKind::Cancelled
        } else {
            ErrorKind::Interrupted
        };
        Completion {
            attempt: None,
            state,
            fault: if shutdown == ShutdownKind::Crash {
                FailureCause::Crash
            } else {
                FailureCause::Nobody
            },
            ended: SystemTime::now(),
            not_before: None,
            result: None,
            error: state.is_terminal().then(|| CallError::new(kind, message)),
            receipt: job.receipt,
            progress: job.progress.clone(),
            logs,
            keep_for: self.config.keep_failures,
        }
    }

    /// The end of a job that was cancelled before it began.
    pub(super) fn cancelled_unbegun(&self) -> Completion {
        let message = "the job was cancelled before it began";
        let error = Some(CallError::new(ErrorKind::Cancelled, message));
        Completion { error, ..self.blank_completion(Logs::default()) }
    }

    /// The end of a job that was cancelled and wrote this.
    pub(super) fn blank_completion(&self, logs: Logs) -> Completion {
        Completion {
            attempt: None,
            state: JobState::Cancelled,
            fault: FailureCause::Nobody,
            ended: SystemTime::now(),
            not_before: None,
            result: None,
            error: None,
            receipt: Receipt::default(),
            progress: None,
            logs,
            keep_for: self.config.keep_failures,
        }
    }
}
