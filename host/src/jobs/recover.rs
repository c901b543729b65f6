//! What becomes of jobs that a host leaves unfinished: decided by itself when it ends in good order, or
//! by the next one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use super::model::{Completion, FailureCause, Job, JobState, Logs};
use super::runner::Ended;
use super::store::{Fence, JobStore, StoreError};
use super::{Inner, Jobs, instant};
use crate::error::{CallError, ErrorKind};

/// A job that ran when a host crashed, so often, is not begun again: it may be what ends the host.
const MAX_CRASHES: u32 = 3;

/// A clock that jumped should not delay a job for years.
const MAX_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How a host ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShutdownKind {
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
        self.take_up(&**self.0.store()?).await
    }

    /// Takes up the jobs of a store that could not be opened before, and lets everybody have it.
    ///
    /// # Errors
    ///
    /// Where the store fails. Nothing was taken up then.
    pub async fn open(&self, store: Arc<dyn JobStore>) -> Result<(), StoreError> {
        self.take_up(&*store).await?;
        self.0.store.open(store);
        Ok(())
    }

    /// Says anew why the store cannot be opened.
    pub fn cannot_open(&self, reason: StoreError) {
        self.0.store.fail(reason);
    }

    async fn take_up(&self, store: &dyn JobStore) -> Result<(), StoreError> {
        let mut unfinished = Vec::new();
        for job in store.unfinished().await? {
            let logs = store.logs(job.id).await?.unwrap_or_default();
            unfinished.push((job, logs));
        }
        for (mut job, logs) in unfinished {
            let live = self.0.live.insert(job.id, job.state, logs.lines.clone());
            if job.state == JobState::Running {
                let completion = self.0.unfinished(&job, logs, ShutdownKind::Crash);
                let ended = Ended::of(&completion);
                let state = ended.state;
                info!(job = %job.id, procedure = %job.procedure, "found running, now {}", state.name());
                let fence = Fence::Attempt(job.attempts);
                job.follow(&completion);
                if let Err(error) = store.finish(job.id, fence, completion.clone()).await {
                    // Calls, and other jobs, need not wait for the disk.
                    warn!(job = %job.id, %error, "cannot record what becomes of a job; trying again");
                    let inner = Arc::clone(&self.0);
                    self.0.running.spawn(async move {
                        let ended = inner.record(job.id, fence, completion).await;
                        inner.go_on(job, &live, ended).await;
                    });
                    continue;
                }
                if state.is_terminal() {
                    self.0.tell_of_end(&job, ended);
                    self.0.live.end(job.id, state);
                    continue;
                }
            }
            live.enter(JobState::Queued);
            if job.cancel_requested {
                live.ask_to_stop();
            }
            let not_before = job.not_before.map(|moment| instant(moment, MAX_DELAY));
            self.0.enqueue(job, None, not_before).await;
        }
        Ok(())
    }
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
}
