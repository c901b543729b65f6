//! One attempt at a job, from its turn to the record of its end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{debug, error};

use super::claimed::Claimed;
use super::live_job::LiveJob;
use super::marks::Unclaimed;
use super::model::{Attempt, Job, Logs, Version};
use super::outcome::AttemptOutcome;
use super::retry::until_stored;
use super::state::Inner;
use super::store::{Fence, Turn};
use super::wanted::Wanted;
use crate::budget::{Charge, Purpose};
use crate::call::{Call, Outcome, execute};
use crate::catalog::Procedure;
use crate::error::{CallError, ErrorKind};
use crate::sandbox::{Observer, Receipt};

/// What may run again is claimed only if it has not ended by then: its end says all that is to be known of
/// an attempt, and most jobs are not worth two commits.
const CLAIMED_AFTER: Duration = Duration::from_millis(10);

/// How often what a running job has told is kept.
const NOTED_EVERY: Duration = Duration::from_secs(3);

impl Inner {
    /// One attempt. The permit is free as soon as the guest has ended.
    pub(super) async fn attempt(&self, turn: Turn, guests: &Handle, permit: OwnedSemaphorePermit) {
        let id = turn.job.id;
        // One that this host did not store, nor take up.
        let submitted_elsewhere = || self.live.insert(id, turn.job.state, Vec::new());
        let live = self.live.get(id).unwrap_or_else(submitted_elsewhere);
        if live.is_asked_to_stop() {
            drop(permit);
            until_stored(id, "end a job", || self.end_unbegun(&turn.job)).await;
            return;
        }
        let procedure = match Wanted::by(&turn.job).find(&self.catalog.load()) {
            Ok(procedure) => procedure,
            Err(reason) => {
                drop(permit);
                return self.park(&live, turn, reason).await;
            }
        };
        let (turn, share) = match self.share(turn, &procedure) {
            Ok(begun) => begun,
            Err(reason) => {
                live.wait_for(reason);
                if live.is_asked_to_stop() {
                    // If it cannot be recorded, whoever takes it up sees that it is to stop.
                    let _ = self.end_if_waiting(id).await;
                }
                return;
            }
        };
        live.begin();
        let Some(claimed) = self.begin(turn, procedure, &live).await else {
            return self.leave_to_others(id).await;
        };
        self.run_claimed(claimed, &live, guests, (permit, share)).await;
    }

    /// Begins an attempt: what may not run twice is claimed first, and so is everything while it is not
    /// known whether its end can be recorded. `None` where it is not to be begun.
    async fn begin(
        &self,
        turn: Turn,
        procedure: Arc<Procedure>,
        live: &LiveJob,
    ) -> Option<Claimed> {
        let Turn { mut job, arguments, .. } = turn;
        let (id, source) = (job.id, &procedure.source);
        job.attempts = job.attempts.saturating_add(1);
        // Looked up once: what is recorded is the version that runs.
        if *job.digest != *source.digest || *job.file != *source.file {
            (job.file, job.digest) = (source.file.as_str().into(), source.digest.as_str().into());
        }
        job.is_repeatable = procedure.jobs.is_repeatable;
        let version = Version {
            file: Arc::clone(&job.file),
            digest: Arc::clone(&job.digest),
            is_repeatable: job.is_repeatable,
        };
        let attempt = Attempt { number: job.attempts, version, started: SystemTime::now() };
        let store = self.store().ok().filter(|store| job.is_repeatable && store.wrote_lately());
        let unclaimed = match store {
            Some(store) => Some(Unclaimed::new(attempt, self.marks.take(), Arc::clone(store))),
            None => {
                let claim = || async { self.store()?.claim(id, attempt.clone()).await };
                if !until_stored(id, "begin a job", claim).await {
                    return None;
                }
                live.run(attempt);
                None
            }
        };
        let arguments = match arguments {
            Some(arguments) => arguments,
            None => {
                let ask = || async { self.store()?.arguments(id).await };
                // Where they are not there, they are unreadable: the fault of this job alone.
                until_stored(id, "begin a job", ask).await.unwrap_or_default()
            }
        };
        let mut charge = self.sandbox.budget().charge(Purpose::Work);
        // What is read takes at least as much again; the rest is charged when it is known.
        let room = charge.take_soon(2 * arguments.len()).await;
        Some(match room {
            Ok(()) => Claimed::new(job, procedure, &arguments, charge, unclaimed),
            Err(no_room) => Claimed::without_room(job, no_room, unclaimed),
        })
    }

    /// The attempt that was begun.
    pub(super) async fn run_claimed<P>(
        &self,
        claimed: Claimed,
        live: &Arc<LiveJob>,
        guests: &Handle,
        permit: P,
    ) {
        let Claimed { mut job, call, presentation, unclaimed } = claimed;
        // What came of it is charged until it is stored.
        let mut charge = None;
        let ended = match call {
            Ok(call) => {
                tokio::select! {
                    ended = self.guard(call, unclaimed.clone(), live, guests, &mut charge) => ended,
                    () = self.keep_record(&job, unclaimed.as_ref(), live) => None,
                }
            }
            Err(error) => {
                if let Some(unclaimed) = &unclaimed {
                    live.run(unclaimed.attempt.clone());
                }
                Some(AttemptOutcome::Failed(Box::new(error), Receipt::default()))
            }
        };
        let Some(ended) = ended else { return };
        let mut completion = self.completion(&job, ended, live, presentation, charge.as_mut());
        completion.attempt = unclaimed.as_ref().map(|unclaimed| unclaimed.attempt.clone());
        let fence = Fence::Attempt(job.attempts);
        job.follow(&completion);
        // The permit is free only when there is room for what has ended and is not stored yet.
        let room = self.room_until_stored(completion.size()).await;
        drop(permit);
        let ended = self.record(job.id, fence, completion).await;
        drop((room, charge, unclaimed));
        self.go_on(job, live, ended).await;
    }

    /// Claims an attempt that runs for longer, and keeps its progress and log every few seconds, so that
    /// a crash leaves them. Never ends.
    async fn keep_record(&self, job: &Job, unclaimed: Option<&Unclaimed>, live: &LiveJob) {
        if let Some(unclaimed) = unclaimed {
            tokio::time::sleep(CLAIMED_AFTER).await;
            let claim = || unclaimed.store().claim(job.id, unclaimed.attempt.clone());
            if !until_stored(job.id, "record that a job runs", claim).await {
                // It is another's, or was ended: the guest runs for nothing.
                live.ask_to_stop();
            }
            self.live.channel().note();
        }
        let mut kept = (live.newest(), Logs::default());
        loop {
            tokio::time::sleep(NOTED_EVERY).await;
            let now = (live.newest(), live.logs());
            if now == kept {
                continue;
            }
            let Ok(store) = self.store() else { continue };
            let noted = store.note(job.id, job.attempts, live.progress(), now.1.clone()).await;
            if let Err(error) = noted {
                debug!(job = %job.id, %error, "cannot keep what a job has told so far");
                continue;
            }
            kept = now;
        }
    }

    /// Runs the guest to its end, or until it is asked to stop and the grace for that is over, or the
    /// host goes down. `None` where it does so at once: what becomes of the job, the next host decides.
    /// `held` is set to what holds room for what came of it.
    async fn guard(
        &self,
        call: Call,
        unclaimed: Option<Unclaimed>,
        live: &Arc<LiveJob>,
        guests: &Handle,
        held: &mut Option<Charge>,
    ) -> Option<AttemptOutcome> {
        if live.is_asked_to_stop() {
            return Some(AttemptOutcome::Stopped(None));
        }
        let (sandbox, observer) = (Arc::clone(&self.sandbox), Arc::clone(live));
        let mut guest = guests.spawn(async move {
            if let Some(unclaimed) = unclaimed {
                // Here, where a disk that does not answer keeps up jobs alone.
                unclaimed.mark(observer.id());
                observer.run(unclaimed.attempt);
            }
            let observer: Arc<dyn Observer> = observer;
            execute(&sandbox, call, Some(observer)).await
        });
        let outcome = tokio::select! {
            outcome = &mut guest => Some(outcome),
            () = self.leaving.cancelled() => {
                guest.abort();
                let _ = guest.await;
                return Some(AttemptOutcome::Left);
            }
            () = live.asked_to_stop() => {
                match tokio::time::timeout(self.config.cancel_grace, &mut guest).await {
                    Ok(outcome) => Some(outcome),
                    Err(_) => {
                        guest.abort();
                        // When this is over, all that the guest had is free.
                        let _ = guest.await;
                        None
                    }
                }
            }
        };
        if let Some(Err(e)) = &outcome
            && e.is_cancelled()
        {
            return None;
        }
        Some(match outcome {
            _ if live.is_asked_to_stop() => {
                AttemptOutcome::Stopped(outcome.and_then(Result::ok).map(|outcome| outcome.receipt))
            }
            Some(Ok(Outcome { result, receipt, charge, .. })) => {
                *held = Some(charge);
                match result {
                    Ok(value) => AttemptOutcome::Returned(value, receipt),
                    Err(error) => AttemptOutcome::Failed(error, receipt),
                }
            }
            Some(Err(e)) => {
                error!(error = %e, "a job failed inside the host");
                let error = CallError::new(ErrorKind::Internal, "the job failed inside the host");
                AttemptOutcome::Failed(Box::new(error), Receipt::default())
            }
            None => AttemptOutcome::Stopped(None),
        })
    }
}
