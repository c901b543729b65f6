//! What is told of jobs to those who ask: the store's record, and what is newer than it.

use std::time::Duration;

use tokio::sync::watch;

use super::failure::store_failure;
use super::live::Follower;
use super::model::{Job, JobId, JobState, Logs, Presentation};
use super::reason::WaitReason;
use super::state::Jobs;
use super::store::{Filter, KEPT_ARGUMENTS, Lookup};
use super::stored::{StoredCall, StoredResult};
use crate::codec::types::Arguments;
use crate::error::{CallError, ErrorKind};
use crate::metrics::Standing;
use crate::value::Value;

/// A job as it is now.
#[derive(Debug, Clone)]
pub struct View {
    /// The record.
    pub job: Job,
    /// Its place in the queue, 1 for the next, while it is queued.
    pub position: Option<usize>,
    /// What it waits for, where that is not its turn.
    pub reason: Option<WaitReason>,
}

impl View {
    /// Why there is no result, or not yet, for who asks for a job; `None` where there is one.
    pub fn failure(&self) -> Option<CallError> {
        let is_over = self.job.state.is_terminal();
        self.failure_of_call().map(|error| match error.kind {
            // Of a job, this says that it has not ended; the original client asks again.
            ErrorKind::OperationInProgress if is_over => {
                CallError { kind: ErrorKind::ProcedureError, retry_after: None, ..error }
            }
            _ => error,
        })
    }

    /// The same, for who made the call and waited.
    pub fn failure_of_call(&self) -> Option<CallError> {
        let job = &self.job;
        let error = |kind, message: &str| {
            let stored = job.error.clone();
            Some(stored.unwrap_or_else(|| CallError::new(kind, message)))
        };
        match job.state {
            JobState::Succeeded => None,
            JobState::Queued | JobState::Running => {
                let message = format!("the job {} is {}", job.id, job.state.name());
                Some(
                    CallError::new(ErrorKind::OperationInProgress, message)
                        .retry_after(job.suggested_wait),
                )
            }
            JobState::Failed => error(ErrorKind::Internal, "the job failed without saying why"),
            JobState::TimedOut => {
                error(ErrorKind::DeadlineExceeded, "the job did not end within its deadline")
            }
            JobState::Cancelled => error(ErrorKind::Cancelled, "the job was cancelled"),
            JobState::Interrupted => error(
                ErrorKind::Interrupted,
                "the host went down while the job ran, and running it again might have done something twice",
            ),
        }
    }
}

impl Jobs {
    /// A job as it is now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::Gone`], and where the store fails.
    pub async fn view(&self, id: JobId) -> Result<View, CallError> {
        self.view_of_owner(id, None).await
    }

    /// The same for somebody who may see only jobs of this owner, or of all: any other is as one that never
    /// was.
    ///
    /// # Errors
    ///
    /// As [`Self::view`].
    pub async fn view_of_owner(&self, id: JobId, owner: Option<&str>) -> Result<View, CallError> {
        let is_visible = |of: Option<&str>| owner.is_none() || of == owner;
        match self.0.store().map_err(store_failure)?.get(id).await.map_err(store_failure)? {
            Lookup::Found(job) if is_visible(job.owner.as_deref()) => Ok(self.with_news(*job)),
            Lookup::Gone { owner } if is_visible(owner.as_deref()) => {
                let message = format!(
                    "the job {id} was removed, or ended so long ago that what came of it is no longer kept"
                );
                Err(CallError::new(ErrorKind::Gone, message))
            }
            _ => Err(CallError::new(ErrorKind::NotFound, format!("there is no job {id}"))),
        }
    }

    /// Jobs, newest first, and where the next page begins.
    ///
    /// # Errors
    ///
    /// Where the store fails.
    pub async fn list(&self, filter: &Filter) -> Result<(Vec<View>, Option<u64>), CallError> {
        let page =
            self.0.store().map_err(store_failure)?.list(filter).await.map_err(store_failure)?;
        Ok((page.jobs.into_iter().map(|job| self.with_news(job)).collect(), page.next))
    }

    /// Waits until a job has ended, for so long at the most, and gives it as it is then.
    ///
    /// # Errors
    ///
    /// As [`Self::view`].
    pub async fn wait(&self, id: JobId, up_to: Duration) -> Result<View, CallError> {
        if let Some(follower) = self.follow(id, u64::MAX) {
            let _ = tokio::time::timeout(up_to, follower.closed()).await;
        }
        self.view(id).await
    }

    /// The result of a job that succeeded, and how whoever submitted it can take it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where it is no longer kept, and where the store fails.
    pub async fn result(&self, id: JobId) -> Result<(Value, Presentation), CallError> {
        let gone = || {
            CallError::new(ErrorKind::Gone, format!("the result of the job {id} is no longer kept"))
        };
        let encoded = self
            .0
            .store()
            .map_err(store_failure)?
            .result(id)
            .await
            .map_err(store_failure)?
            .ok_or_else(gone)?;
        let decode = move || StoredResult::decode(&encoded);
        let stored = tokio::task::spawn_blocking(decode).await;
        match stored {
            Ok(Ok(StoredResult { value, presentation })) => Ok((value, presentation)),
            Ok(Err(e)) => Err(CallError::new(
                ErrorKind::Internal,
                format!("the stored result is unreadable: {e}"),
            )),
            Err(e) => Err(CallError::new(
                ErrorKind::Internal,
                format!("reading the stored result failed: {e}"),
            )),
        }
    }

    /// What a job was called with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where it is no longer kept, [`ErrorKind::TooLarge`] above [`KEPT_ARGUMENTS`], and as
    /// [`Self::view`].
    pub async fn arguments(&self, id: JobId) -> Result<Arguments, CallError> {
        let most = "arguments of more than 1 MiB are neither shown nor kept after the end of a job";
        let Some(encoded) =
            self.0.store().map_err(store_failure)?.arguments(id).await.map_err(store_failure)?
        else {
            self.view(id).await?;
            return Err(CallError::new(
                ErrorKind::Gone,
                format!("the arguments of the job {id} are no longer kept: {most}"),
            ));
        };
        if encoded.len() > KEPT_ARGUMENTS {
            return Err(CallError::new(
                ErrorKind::TooLarge,
                format!("the arguments of the job {id} have {} bytes: {most}", encoded.len()),
            ));
        }
        let StoredCall { arguments, .. } = StoredCall::decode(&encoded).map_err(|e| {
            CallError::new(ErrorKind::Internal, format!("the stored arguments are unreadable: {e}"))
        })?;
        Ok(arguments)
    }

    /// How many jobs of this procedure, or of all, and of this owner, or of all, are kept in each state, in the order of
    /// [`JobState::ALL`]; no further than `store::MAX_COUNTED`.
    ///
    /// # Errors
    ///
    /// Where the store fails.
    pub async fn counts(
        &self,
        procedure: Option<&str>,
        owner: Option<&str>,
    ) -> Result<[u64; JobState::ALL.len()], CallError> {
        self.0.store().map_err(store_failure)?.counts(procedure, owner).await.map_err(store_failure)
    }

    /// What a job wrote and logged, so far or at all.
    ///
    /// # Errors
    ///
    /// As [`Self::view`].
    pub async fn logs(&self, id: JobId) -> Result<Logs, CallError> {
        if let Some(live) = self.0.live.get(id) {
            return Ok(live.logs());
        }
        match self.0.store().map_err(store_failure)?.logs(id).await.map_err(store_failure)? {
            Some(logs) => Ok(logs),
            None => self.view(id).await.map(|_| Logs::default()),
        }
    }

    /// The events of a job from the one after `seen` on; `None` where it has ended.
    pub fn follow(&self, id: JobId, seen: u64) -> Option<Follower> {
        self.0.live.channel().follow(id, seen)
    }

    /// Why no job could be stored now.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn probe(&self) -> Result<(), CallError> {
        self.0.store().map_err(store_failure)?.probe().await.map_err(store_failure)
    }

    /// How many there are, and have been.
    pub fn standing(&self) -> Standing {
        let queued = self.0.queued.get();
        // Between its turn and its claim a job counts as running.
        let running = self.0.live.len().saturating_sub(queued);
        Standing { queued, running, entered: self.0.live.entered(), ..Standing::default() }
    }

    /// Tells when something happens to some job.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.0.live.channel().changes()
    }

    pub(super) fn with_news(&self, mut job: Job) -> View {
        let (mut position, mut reason) = (None, None);
        // It may not be claimed yet.
        if job.state == JobState::Queued
            && let Some(attempt) = self.0.live.get(job.id).and_then(|live| live.attempt())
        {
            job.begin(attempt);
        }
        if job.state == JobState::Queued {
            (position, reason) = self.waits(&job);
        }
        if job.state == JobState::Running
            && let Some(live) = self.0.live.get(job.id)
        {
            job.progress = live.progress().or(job.progress);
            job.receipt.fuel = live.fuel();
            job.cancel_requested |= live.is_asked_to_stop();
        }
        View { job, position, reason }
    }

    /// The place of a queued job among those that wait for their turn, or what else it waits for.
    fn waits(&self, job: &Job) -> (Option<usize>, Option<WaitReason>) {
        let labels = &self.0.config.labels;
        if !labels.cover(&job.requires) {
            return (None, Some(WaitReason::Labels(job.requires.without(labels))));
        }
        if self.0.lock_waiting().has(job.id) {
            let reason = self.0.live.get(job.id).and_then(|live| live.waits_for());
            return (None, reason.map(|(reason, _)| reason));
        }
        let position = self.0.store().ok().and_then(|store| store.position(job.id));
        // One that is not offered any more is just being begun.
        (position.or(Some(1)), None)
    }
}
