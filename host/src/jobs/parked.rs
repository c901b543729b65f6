//! Jobs whose procedure, or the version of it that they are pinned to, is not there: while a file is
//! replaced, a disk is mounted late, or for good. They stay queued, and fail only after a long time.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::live_job::LiveJob;
use super::model::{Completion, JobState, Logs};
use super::reason::WaitReason;
use super::state::{Inner, Jobs};
use super::store::Turn;
use super::wanted::Wanted;
use crate::error::{CallError, ErrorKind};

/// How often to look whether a job has waited for too long.
const LOOK: Duration = Duration::from_secs(1);

impl Jobs {
    /// Gives parked jobs their turn whenever the catalog changes, and those that are held back when tokens do.
    pub(super) async fn keep_waiting(&self, mut changes: watch::Receiver<()>) {
        let mut tokens = self.0.submitters.authenticator.changes();
        loop {
            tokio::select! {
                // Their limits may be others.
                Ok(()) = tokens.changed() => self.0.release_held(),
                changed = changes.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    self.0.unpark();
                }
                () = tokio::time::sleep(LOOK) => {
                    let idle = self.0.lock_waiting().release_idle();
                    self.0.release(idle);
                    self.0.end_missing().await;
                }
            }
        }
    }
}

impl Inner {
    fn release_held(&self) {
        let held = self.lock_waiting().release_held();
        self.release(held);
    }

    /// Gives parked jobs their turn that can run now, and those that are held back, since the limits of
    /// their procedures may be others. While the host starts, catalogs follow one another quickly and
    /// only those that can run have their turn.
    fn unpark(&self) {
        let catalog = self.catalog.load();
        let found = self.lock_waiting().unpark(|wanted| wanted.find(&catalog).is_ok());
        self.release(found);
        if catalog.is_complete() {
            self.release_held();
        }
    }

    /// Lets a job wait for what is missing.
    pub(super) async fn park(&self, live: &LiveJob, turn: Turn, reason: WaitReason) {
        let (id, wanted) = (turn.job.id, Wanted::by(&turn.job));
        if live.wait_for(reason) {
            info!(job = %id, procedure = %turn.job.procedure, "parked: its procedure is not there");
        }
        self.lock_waiting().park(turn, wanted.clone());
        // It may have come, or the job may have been asked to stop, before it was parked.
        if live.is_asked_to_stop() {
            if self.end_if_waiting(id).await.is_err() {
                // It is offered again, and comes back here at once.
                tokio::time::sleep(LOOK).await;
            }
        } else if wanted.find(&self.catalog.load()).is_ok() {
            self.unpark();
        }
    }

    /// Ends parked jobs that have waited for too long.
    async fn end_missing(&self) {
        // Until then nobody knows what is missing.
        if !self.catalog.load().is_complete() {
            return;
        }
        let limit = self.config.wait_for_procedure;
        let parked = self.lock_waiting().parked();
        for id in parked {
            let Some(live) = self.live.get(id) else { continue };
            let Some((reason, since)) = live.waits_for() else { continue };
            if since.elapsed() < limit {
                continue;
            }
            // Somebody else may have taken it meanwhile.
            let Some((turn, wanted)) = self.lock_waiting().remove_parked(id) else { continue };
            let message = format!(
                "the job {reason}, and has not come within {}; put it back, or raise `wait_for_procedure` of `[jobs]`",
                humantime::format_duration(limit)
            );
            let completion = Completion {
                state: JobState::Failed,
                error: Some(CallError::new(ErrorKind::NotFound, message)),
                ..self.blank_completion(Logs::default())
            };
            if let Err(error) = self.end_queued(&turn.job, completion).await {
                warn!(job = %id, %error, "cannot record the end of a job; it stays parked");
                self.lock_waiting().park(turn, wanted);
            }
        }
    }
}
