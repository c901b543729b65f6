//! The end of an attempt, or of a job that never began: recorded, told, and what follows it.

use std::time::{Instant, SystemTime};

use tracing::warn;

use super::failure::store_failure;
use super::live_job::LiveJob;
use super::model::{Completion, Job, JobId, JobState};
use super::place::Place;
use super::retry::{MAX_PAUSE, PAUSE, until_stored};
use super::state::Inner;
use super::store::{Fence, Lookup, StoreError, Turn};
use crate::audit::{Entry, Event, Outcome};
use crate::auth::TokenName;
use crate::error::ErrorKind;

/// How an attempt ended, or a job with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) state: JobState,
    pub(super) failure: Option<ErrorKind>,
}

impl Ended {
    pub(super) fn of(completion: &Completion) -> Self {
        let failure = completion.error.as_ref().map(|error| error.kind);
        Self { state: completion.state, failure }
    }
}

impl Inner {
    pub(super) async fn finish(
        &self,
        id: JobId,
        fence: Fence,
        completion: Completion,
    ) -> Result<bool, StoreError> {
        self.store()?.finish(id, fence, completion).await
    }

    /// Records the end of an attempt, however long it takes, and gives what was recorded. What the store cannot
    /// take is left out, and the job has failed. `None` where another end stands.
    pub(super) async fn record(
        &self,
        id: JobId,
        fence: Fence,
        mut completion: Completion,
    ) -> Option<Ended> {
        let begun = Instant::now();
        let mut is_bare = false;
        let mut pause = PAUSE;
        loop {
            let error = match self.finish(id, fence, completion.clone()).await {
                Ok(is_recorded) => return is_recorded.then(|| Ended::of(&completion)),
                Err(error) => error,
            };
            let is_hopeless = match &error {
                StoreError::Refused(_) => true,
                StoreError::Full(_) => begun.elapsed() >= self.config.wait_for_room,
                StoreError::Unavailable(_) => false,
            };
            if is_hopeless && !is_bare {
                warn!(job = %id, %error, "what came of a job cannot be kept");
                let failure = store_failure(error);
                completion = completion.bare(failure.kind, &failure.message);
                is_bare = true;
                continue;
            }
            warn!(job = %id, %error, "cannot record the end of a job; trying again in {pause:?}");
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(MAX_PAUSE);
        }
    }

    /// What follows the record of an attempt's end.
    pub(super) async fn go_on(&self, job: Job, live: &LiveJob, ended: Option<Ended>) {
        let Some(ended) = ended else { return self.leave_to_others(job.id).await };
        let state = ended.state;
        if state.is_terminal() {
            self.tell_of_end(&job, ended);
            self.live.end(job.id, state);
        } else {
            live.enter(state);
            let not_before = job.not_before;
            self.wait_again(live, &job);
            if let Ok(store) = self.store() {
                store.release(Turn::new(job), not_before);
            }
        }
    }

    /// Somebody else has the job, or has ended it: what the store says counts.
    pub(super) async fn leave_to_others(&self, id: JobId) {
        warn!(job = %id, "another attempt at a job counts, and this one does not");
        let ask = || async { self.store()?.get(id).await };
        match until_stored(id, "read what became of a job", ask).await {
            Lookup::Found(job) if job.state.is_terminal() => self.live.end(id, job.state),
            _ => self.live.remove(id),
        }
    }

    /// Lets a job have a place among those that wait which was accepted before.
    pub(super) fn wait_again(&self, live: &LiveJob, job: &Job) {
        live.wait(Place::again(&self.queued, self.next_waiting_share(job)));
    }

    /// Ends a job that is asked to stop and waits. One that a runner has taken is ended by that one.
    pub(super) async fn end_if_waiting(&self, id: JobId) -> Result<(), StoreError> {
        let held = self.lock_waiting().remove(id);
        let turn = match held {
            Some(turn) => Some(turn),
            None => self.store()?.take(id).await,
        };
        let Some(turn) = turn else { return Ok(()) };
        // It is nobody's but ours now.
        let ended = self.end_unbegun(&turn.job).await;
        if ended.is_err() {
            self.release([turn]);
        }
        ended
    }

    /// Records the end of a job that was never begun and that nobody else has: it was cancelled.
    pub(super) async fn end_unbegun(&self, job: &Job) -> Result<(), StoreError> {
        self.end_queued(job, self.cancelled_unbegun()).await
    }

    /// Records the end of a job that is queued and that nobody else has.
    pub(super) async fn end_queued(
        &self,
        job: &Job,
        completion: Completion,
    ) -> Result<(), StoreError> {
        let ended = Ended::of(&completion);
        self.finish(job.id, Fence::Queued, completion).await?;
        self.tell_of_end(job, ended);
        if let Some(live) = self.live.get(job.id) {
            // Whoever submitted it may not have come to it.
            live.announce();
        }
        self.live.end(job.id, ended.state);
        Ok(())
    }

    /// Tells the audit log of a job's end.
    pub(super) fn tell_of_end(&self, job: &Job, ended: Ended) {
        let Some(audit) = &self.submitters.audit else { return };
        let owner = job.owner.as_deref();
        let name = owner.and_then(|id| self.submitters.authenticator.name_of(id));
        let took = SystemTime::now().duration_since(job.submitted).unwrap_or_default();
        audit.write(&Entry {
            token: owner,
            name: name.as_ref().map(TokenName::as_str),
            procedure: Some(&*job.procedure),
            job: Some(job.id.to_string()),
            state: Some(ended.state.name()),
            outcome: Some(ended.failure.map_or(Outcome::Success, Outcome::Failure)),
            fuel: Some(job.receipt.fuel),
            seconds: Some(took),
            attempts: Some(job.attempts),
            ..Entry::new(Event::JobEnded)
        });
    }
}
