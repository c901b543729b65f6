//! Jobs whose procedure, or the version of it that they are pinned to, is not there: while a file is
//! replaced, a disk is mounted late, or for good. They stay queued, and fail only after a long time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{info, warn};

use super::model::{Ending, Job, Logs, State};
use super::store::Fence;
use super::{Inner, Jobs};
use crate::catalog::Procedure;
use crate::error::{CallError, Kind};

/// How often to look whether a job has waited for too long.
const LOOK: Duration = Duration::from_secs(1);

impl Jobs {
    /// Gives parked jobs their turn whenever the catalog changes.
    pub(super) async fn keep_parked(&self, mut changes: watch::Receiver<()>) {
        loop {
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    if self.0.lock_queue().unpark() {
                        self.0.work.notify_one();
                    }
                }
                () = tokio::time::sleep(LOOK) => self.0.end_missing().await,
            }
        }
    }
}

impl Inner {
    /// The procedure that the job calls, in the version that it wants; or why it cannot run now.
    pub(super) fn procedure_of(&self, job: &Job) -> Result<Arc<Procedure>, String> {
        let catalog = self.catalog.load();
        let Some(procedure) = catalog.find(&job.procedure) else {
            return Err(format!("waits for the procedure `{}`, which is not there", job.procedure));
        };
        if job.is_pinned && *job.digest != *procedure.source.digest {
            return Err(format!(
                "waits for the procedure `{}` in the version {}, which is not there",
                job.procedure, job.digest
            ));
        }
        Ok(Arc::clone(procedure))
    }

    /// Lets a job wait for what is missing.
    pub(super) async fn park(&self, job: &Job, reason: String) {
        let Some(live) = self.live.get(job.id) else { return };
        if live.wait_for(reason) {
            info!(job = %job.id, procedure = %job.procedure, "parked: its procedure is not there");
        }
        let place = (job.priority, job.sequence);
        self.lock_queue().park(job.id, place, super::waiting_since(job.submitted));
        // It may have come, or the job may have been asked to stop, before it was parked.
        if live.is_asked_to_stop() {
            if self.end_if_waiting(job.id).await.is_err() {
                // It is in the queue again, and comes back here at once.
                tokio::time::sleep(LOOK).await;
            }
        } else if self.procedure_of(job).is_ok() {
            self.lock_queue().unpark();
            self.work.notify_one();
        }
    }

    /// Ends parked jobs that have waited for too long.
    async fn end_missing(&self) {
        let limit = self.config.wait_for_procedure;
        let parked = self.lock_queue().parked();
        for id in parked {
            let Some(live) = self.live.get(id) else { continue };
            let Some((reason, since)) = live.waits_for() else { continue };
            if since.elapsed() < limit {
                continue;
            }
            // Somebody else may have taken it meanwhile.
            let Some(place) = self.lock_queue().remove(id) else { continue };
            let message = format!(
                "the job {reason}, and has not come within {}; put it back, or raise `wait_for_procedure` of `[jobs]`",
                humantime::format_duration(limit)
            );
            let ending = Ending {
                state: State::Failed,
                error: Some(CallError::new(Kind::NotFound, message)),
                ..self.blank_ending(Logs::default())
            };
            match self.finish(id, Fence::Queued, ending).await {
                Ok(_) => self.live.end(id, State::Failed),
                Err(error) => {
                    warn!(job = %id, %error, "cannot record the end of a job; it stays parked");
                    self.lock_queue().park(id, place, Instant::now());
                }
            }
        }
    }
}
