//! Jobs whose procedure, or the version of it that they are pinned to, is not there: while a file is
//! replaced, a disk is mounted late, or for good. They stay queued, and fail only after a long time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{info, warn};

use super::live::LiveJob;
use super::model::{Completion, Job, JobState, Logs};
use super::runner::Ended;
use super::store::Fence;
use super::{Inner, Jobs};
use crate::catalog::{Catalog, Procedure};
use crate::error::{CallError, ErrorKind};

/// How often to look whether a job has waited for too long.
const LOOK: Duration = Duration::from_secs(1);

impl Jobs {
    /// Gives parked jobs their turn whenever the catalog changes, and those that are held back when tokens do.
    pub(super) async fn keep_parked(&self, mut changes: watch::Receiver<()>) {
        let mut tokens = self.0.submitters.authenticator.changes();
        loop {
            tokio::select! {
                // Their limits may be others.
                Ok(()) = tokens.changed() => {
                    if self.0.lock_queue().release_held() {
                        self.0.work.notify_one();
                    }
                }
                changed = changes.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    self.0.unpark();
                }
                () = tokio::time::sleep(LOOK) => {
                    if self.0.lock_queue().release_idle() {
                        self.0.work.notify_one();
                    }
                    self.0.end_missing().await;
                }
            }
        }
    }
}

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
    fn find(&self, catalog: &Catalog) -> Result<Arc<Procedure>, String> {
        let Self { procedure: name, digest, is_pinned } = self;
        let Some(procedure) = catalog.find(name) else {
            return Err(format!("waits for the procedure `{name}`, which is not there"));
        };
        if **digest == *procedure.source.digest {
            return Ok(Arc::clone(procedure));
        }
        if *is_pinned {
            return Err(format!(
                "waits for the procedure `{name}` in the version {digest}, which is not there"
            ));
        }
        // The name may belong to a file that is not loaded yet.
        if !catalog.is_complete() {
            return Err(format!(
                "waits until the host has started: so far it has the procedure `{name}` in another version than the job was submitted for"
            ));
        }
        Ok(Arc::clone(procedure))
    }
}

impl Inner {
    /// The procedure that the job calls, in a version that will do; or why it cannot run now.
    pub(super) fn procedure_of(&self, job: &Job) -> Result<Arc<Procedure>, String> {
        Wanted::by(job).find(&self.catalog.load())
    }

    /// Gives parked jobs their turn that can run now, and those that are held back, since the limits of
    /// their procedures may be others. While the host starts, catalogs follow one another quickly and
    /// only those that can run have their turn.
    fn unpark(&self) {
        let catalog = self.catalog.load();
        let any = {
            let mut queue = self.lock_queue();
            let any = queue.unpark(|wanted| wanted.find(&catalog).is_ok());
            (catalog.is_complete() && queue.release_held()) || any
        };
        if any {
            self.work.notify_one();
        }
    }

    /// Lets a job wait for what is missing.
    pub(super) async fn park(&self, live: &LiveJob, job: &Job, reason: String) {
        if live.wait_for(reason) {
            info!(job = %job.id, procedure = %job.procedure, "parked: its procedure is not there");
        }
        let key = (job.priority, job.sequence);
        let since = super::waiting_since(job.submitted);
        self.lock_queue().park(job.id, key, since, Wanted::by(job));
        // It may have come, or the job may have been asked to stop, before it was parked.
        if live.is_asked_to_stop() {
            if self.end_if_waiting(job.id).await.is_err() {
                // It is in the queue again, and comes back here at once.
                tokio::time::sleep(LOOK).await;
            }
        } else if self.procedure_of(job).is_ok() {
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
        let parked = self.lock_queue().parked();
        for id in parked {
            let Some(live) = self.live.get(id) else { continue };
            let Some((reason, since)) = live.waits_for() else { continue };
            if since.elapsed() < limit {
                continue;
            }
            // Somebody else may have taken it meanwhile.
            let Some((key, wanted)) = self.lock_queue().remove_parked(id) else { continue };
            let message = format!(
                "the job {reason}, and has not come within {}; put it back, or raise `wait_for_procedure` of `[jobs]`",
                humantime::format_duration(limit)
            );
            let completion = Completion {
                state: JobState::Failed,
                error: Some(CallError::new(ErrorKind::NotFound, message)),
                ..self.blank_completion(Logs::default())
            };
            let ended = Ended::of(&completion);
            match self.finish(id, Fence::Queued, completion).await {
                Ok(_) => {
                    if let Some(pending) = live.pending() {
                        self.tell_of_end(&pending.job, ended);
                    }
                    self.live.end(id, JobState::Failed);
                }
                Err(error) => {
                    warn!(job = %id, %error, "cannot record the end of a job; it stays parked");
                    self.lock_queue().park(id, key, Instant::now(), wanted);
                }
            }
        }
    }
}

#[cfg(test)]
impl Wanted {
    pub(super) fn procedure(name: &str) -> Self {
        Self { procedure: name.into(), digest: "".into(), is_pinned: false }
    }
}
