//! What becomes of jobs that a host leaves unfinished: decided by itself when it ends in good order, or
//! by the next one.

use std::time::{Duration, SystemTime};

use tracing::info;

use super::model::{Ending, Job, Logs, State};
use super::store::StoreError;
use super::{Inner, Jobs, instant};
use crate::error::{CallError, Kind};

/// A job that was begun so often when a host crashed is not begun again: it may be what ends the host.
const MOST_ATTEMPTS: u32 = 3;

/// A clock that jumped should not delay a job for years.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How a host ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was asked to.
    InOrder,
    /// Nobody saw it come.
    Crash,
}

impl Jobs {
    /// Queues what was queued, and decides about what was running: again where that is safe,
    /// `interrupted` where it is not. To be called once, before [`Self::run`].
    ///
    /// # Errors
    ///
    /// Where the store fails.
    pub async fn recover(&self) -> Result<(), StoreError> {
        for job in self.0.store.unfinished().await? {
            let logs = self.0.store.logs(job.id).await?.unwrap_or_default();
            let live = self.0.live.insert(job.id, job.state, logs.lines.clone());
            if job.state == State::Running {
                let ending = self.0.unfinished(&job, logs, End::Crash);
                let state = ending.state;
                info!(job = %job.id, procedure = %job.procedure, "found running, now {}", state.name());
                self.0.store.finish(job.id, ending).await?;
                if state.is_terminal() {
                    self.0.live.end(job.id, state);
                    continue;
                }
            }
            live.enter(State::Queued);
            if job.cancel_requested {
                live.ask_to_stop();
            }
            let not_before = job.not_before.map(|moment| instant(moment, LONGEST_DELAY));
            self.0.enqueue(&job, not_before).await;
        }
        Ok(())
    }
}

impl Inner {
    /// What becomes of a job that was running when a host ended.
    pub(super) fn unfinished(&self, job: &Job, logs: Logs, end: End) -> Ending {
        let (state, message) = if job.cancel_requested {
            (State::Cancelled, "the job was cancelled".to_owned())
        } else if !job.is_repeatable {
            let message = "the host went down while the job ran, and running it again might do something twice; if it cannot, say `idempotent = true` in its sidecar";
            (State::Interrupted, message.to_owned())
        } else if end == End::Crash && job.attempts >= MOST_ATTEMPTS.max(job.max_attempts) {
            let message = format!(
                "the host crashed while the job ran, which was begun {} times; it is not begun again, since it may be the reason",
                job.attempts
            );
            (State::Interrupted, message)
        } else {
            (State::Queued, String::new())
        };
        let kind = if state == State::Cancelled { Kind::Cancelled } else { Kind::Interrupted };
        Ending {
            state,
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
}
