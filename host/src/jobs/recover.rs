//! What becomes of jobs that a host leaves unfinished: decided by itself when it ends in good order, or
//! by the next one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use super::model::{Ending, Fault, Job, Logs, State};
use super::store::{Fence, JobStore, StoreError};
use super::{Inner, Jobs, instant};
use crate::error::{CallError, Kind};

/// A job that ran when a host crashed, so often, is not begun again: it may be what ends the host.
const MOST_CRASHES: u32 = 3;

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
        for (job, logs) in unfinished {
            let live = self.0.live.insert(job.id, job.state, logs.lines.clone());
            if job.state == State::Running {
                let ending = self.0.unfinished(&job, logs, End::Crash);
                let state = ending.state;
                info!(job = %job.id, procedure = %job.procedure, "found running, now {}", state.name());
                let fence = Fence::Attempt(job.attempts);
                if let Err(error) = store.finish(job.id, fence, ending.clone()).await {
                    // Calls, and other jobs, need not wait for the disk.
                    warn!(job = %job.id, %error, "cannot record what becomes of a job; trying again");
                    let inner = Arc::clone(&self.0);
                    self.0.running.spawn(async move {
                        let state = inner.record(job.id, fence, ending).await;
                        inner.go_on(&job, &live, state, None).await;
                    });
                    continue;
                }
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
        } else if end == End::Crash && job.crashes + 1 >= MOST_CRASHES.max(job.max_attempts) {
            let message = format!(
                "the host crashed {} times while the job ran; it is not begun again, since it may be the reason",
                job.crashes + 1
            );
            (State::Interrupted, message)
        } else {
            (State::Queued, String::new())
        };
        let kind = if state == State::Cancelled { Kind::Cancelled } else { Kind::Interrupted };
        Ending {
            state,
            fault: if end == End::Crash { Fault::Crash } else { Fault::Nobody },
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
