//! Takes up the jobs that an earlier host left unfinished.

use std::sync::Arc;

use tracing::{info, warn};

use super::ending::Ended;
use super::model::JobState;
use super::state::Jobs;
use super::store::{Fence, JobStore, StoreError, Turn};
use super::verdict::ShutdownKind;

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
            let verdict = match job.state {
                JobState::Running => {
                    let completion = self.0.unfinished(&job, logs, ShutdownKind::Crash);
                    let state = completion.state.name();
                    info!(job = %job.id, procedure = %job.procedure, "found running, now {state}");
                    Some((Fence::Attempt(job.attempts), completion))
                }
                _ if job.cancel_requested => Some((Fence::Queued, self.0.cancelled_unbegun())),
                _ => None,
            };
            if let Some((fence, completion)) = verdict {
                let ended = Ended::of(&completion);
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
                if ended.state.is_terminal() {
                    self.0.tell_of_end(&job, ended);
                    self.0.live.end(job.id, ended.state);
                    continue;
                }
            }
            live.enter(JobState::Queued);
            self.0.wait_again(&live, &job);
            let not_before = job.not_before;
            store.release(Turn::new(job), not_before);
        }
        Ok(())
    }
}
