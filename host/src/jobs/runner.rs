//! Runs jobs when it is their turn, in a bounded number of places and on threads of their own: jobs
//! and synchronous calls share the cores as the operating system shares them, and neither waits in
//! the other's queue.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::{Handle, Runtime};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::live::LiveJob;
use super::model::{Ending, Job, JobId, Logs, Presentation, State};
use super::recover::End;
use super::store::{Lookup, StoreError};
use super::stored::{StoredCall, StoredResult};
use super::{Inner, Jobs};
use crate::call::{Call, Outcome, execute};
use crate::catalog::Procedure;
use crate::error::{CallError, Kind};
use crate::sandbox::{Observer, Receipt};

/// After the store failed, before it is tried again; doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where guests of jobs run. Dropping it ends them.
pub struct Workshop {
    places: u32,
    runtime: Option<Runtime>,
}

impl Workshop {
    /// With so many places; as many as there are cores where it is not said.
    ///
    /// # Errors
    ///
    /// Where the threads cannot be started.
    pub fn new(places: Option<u32>) -> std::io::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let places = places.unwrap_or_else(cores);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(places as usize)
            .thread_name("tarp-job")
            .enable_all()
            .build()?;
        Ok(Self { places, runtime: Some(runtime) })
    }

    /// How many jobs run at once.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.places
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // Waiting for threads is not allowed on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Jobs {
    /// Runs jobs in the workshop until `stopping` is cancelled. Those that run then go on.
    pub async fn run(&self, workshop: &Workshop, stopping: CancellationToken) {
        let Some(runtime) = &workshop.runtime else { return };
        let places = Arc::new(Semaphore::new(workshop.places as usize));
        let pruning = self.prune();
        let beginning = async {
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let id = self.0.next().await;
                let (inner, guests) = (Arc::clone(&self.0), runtime.handle().clone());
                self.0.running.spawn(async move {
                    inner.attempt(id, &guests, place).await;
                });
            }
        };
        tokio::select! {
            () = stopping.cancelled() => {}
            () = beginning => {}
            () = pruning => {}
        }
    }

    /// Waits until what runs has ended, and that is recorded.
    pub async fn finish(&self) {
        self.0.running.close();
        self.0.running.wait().await;
    }

    /// Ends what still runs, and puts back into the queue what can be run again. [`Self::finish`]
    /// ends soon after.
    pub fn leave(&self) {
        self.0.leaving.cancel();
    }

    async fn prune(&self) {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(self.0.config.prune_every).await;
            let now = Instant::now();
            match self.0.store.prune(now - last).await {
                Ok(jobs) => {
                    last = now;
                    debug!(jobs, "removed what was kept for its time");
                    if jobs > 0 {
                        self.0.live.note();
                    }
                }
                Err(e) => warn!(error = %e, "cannot remove old jobs; they are kept for longer"),
            }
        }
    }
}

impl Inner {
    /// The job whose turn it is, as soon as there is one.
    async fn next(&self) -> JobId {
        loop {
            let (next, delayed) = {
                let mut queue = self.lock_queue();
                (queue.pop(Instant::now()), queue.next_delayed())
            };
            match (next, delayed) {
                (Some(id), _) => return id,
                (None, None) => self.work.notified().await,
                (None, Some(moment)) => {
                    let _ = tokio::time::timeout_at(moment.into(), self.work.notified()).await;
                }
            }
        }
    }

    /// One attempt, from its claim to the record of its end. The place is free as soon as the guest
    /// has ended.
    async fn attempt(&self, id: JobId, guests: &Handle, place: tokio::sync::OwnedSemaphorePermit) {
        let Some(live) = self.live.get(id) else { return };
        let claimed = until_stored(id, "begin a job", || self.claim(id)).await;
        let Some(claimed) = claimed else { return };
        live.enter(State::Running);
        self.run_claimed(claimed, &live, guests, place).await;
    }

    /// The attempt that was begun.
    pub(super) async fn run_claimed<P>(
        &self,
        claimed: Claimed,
        live: &Arc<LiveJob>,
        guests: &Handle,
        place: P,
    ) {
        let Claimed { job, call, presentation } = claimed;
        let id = job.id;
        let ended = match call {
            Ok(call) => self.guard(call, live, guests).await,
            Err(error) => Some(Ended::Failed(Box::new(error), Receipt::default())),
        };
        drop(place);
        let Some(ended) = ended else { return };
        let ending = self.ending(&job, ended, live, presentation);
        let state = ending.state;
        let not_before = ending.not_before;
        until_stored(id, "record the end of a job", || self.store.finish(id, ending.clone())).await;
        if state.is_terminal() {
            self.live.end(id, state);
        } else {
            live.enter(state);
            let not_before = not_before.map(|moment| super::instant(moment, Duration::MAX));
            self.enqueue(&job, not_before).await;
        }
    }

    /// Claims a job, for the procedure as it is now. `None` where it is not to be begun.
    async fn claim(&self, id: JobId) -> Result<Option<Claimed>, StoreError> {
        let Lookup::Found(job) = self.store.get(id).await? else { return Ok(None) };
        let mut job = *job;
        // Looked up once: what is recorded is the version that runs.
        let procedure = self.catalog.load().find(&job.procedure).cloned();
        if let Some(procedure) = &procedure {
            job.digest = procedure.source.digest.as_str().into();
            job.is_repeatable = procedure.jobs.is_repeatable;
        }
        let claimed =
            self.store.claim(id, &job.digest, job.is_repeatable, SystemTime::now()).await?;
        let Some(encoded) = claimed else { return Ok(None) };
        job.attempts += 1;
        Ok(Some(Claimed::new(job, procedure, &encoded)))
    }

    /// Runs the guest to its end, or until it is asked to stop and the grace for that is over, or the
    /// host goes down. `None` where it does so at once: what becomes of the job, the next host decides.
    async fn guard(&self, call: Call, live: &Arc<LiveJob>, guests: &Handle) -> Option<Ended> {
        if live.is_asked_to_stop() {
            return Some(Ended::Stopped(None));
        }
        let (sandbox, observer) = (Arc::clone(&self.sandbox), Arc::clone(live));
        let mut guest = guests.spawn(async move {
            let observer: Arc<dyn Observer> = observer;
            execute(&sandbox, call, Some(observer)).await
        });
        let outcome = tokio::select! {
            outcome = &mut guest => Some(outcome),
            () = self.leaving.cancelled() => {
                guest.abort();
                let _ = guest.await;
                return Some(Ended::Left);
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
                Ended::Stopped(outcome.and_then(Result::ok).map(|outcome| outcome.receipt))
            }
            Some(Ok(Outcome { result: Ok(value), receipt, .. })) => Ended::Returned(value, receipt),
            Some(Ok(Outcome { result: Err(error), receipt, .. })) => Ended::Failed(error, receipt),
            Some(Err(e)) => {
                error!(error = %e, "a job failed inside the host");
                let error = CallError::new(Kind::Internal, "the job failed inside the host");
                Ended::Failed(Box::new(error), Receipt::default())
            }
            None => Ended::Stopped(None),
        })
    }

    fn ending(
        &self,
        job: &Job,
        ended: Ended,
        live: &LiveJob,
        presentation: Presentation,
    ) -> Ending {
        let mut ending = self.blank_ending(live.logs());
        ending.progress = live.progress();
        let so_far = Receipt { fuel: live.fuel(), ..Receipt::default() };
        match ended {
            Ended::Returned(value, receipt) => {
                ending.state = State::Succeeded;
                ending.keep_for = self.config.keep_results;
                ending.receipt = receipt;
                ending.result = Some(StoredResult { value, presentation }.encode().into());
            }
            Ended::Failed(error, receipt) => {
                let may_try_again =
                    job.attempts < job.max_attempts && error.kind != Kind::BadArguments;
                ending.state = match error.kind {
                    _ if may_try_again => State::Queued,
                    Kind::DeadlineExceeded => State::TimedOut,
                    _ => State::Failed,
                };
                if may_try_again {
                    let doublings = job.attempts.saturating_sub(1).min(20);
                    ending.not_before =
                        Some(SystemTime::now() + job.backoff.saturating_mul(1 << doublings));
                }
                ending.receipt = receipt;
                ending.error = Some(*error);
            }
            Ended::Stopped(receipt) => {
                ending.state = State::Cancelled;
                ending.receipt = receipt.unwrap_or(so_far);
                ending.error = Some(CallError::new(Kind::Cancelled, "the job was cancelled"));
            }
            Ended::Left => {
                let Ending { progress, logs, .. } = ending;
                let verdict = self.unfinished(job, logs, End::InOrder);
                ending = Ending { progress, receipt: so_far, ..verdict };
            }
        }
        ending
    }

    /// Records the end of a job that was never begun and is in no queue: it was cancelled.
    pub(super) async fn end_unbegun(&self, id: JobId) -> Result<(), StoreError> {
        let mut ending = self.blank_ending(Logs::default());
        ending.error =
            Some(CallError::new(Kind::Cancelled, "the job was cancelled before it began"));
        self.store.finish(id, ending).await?;
        self.live.end(id, State::Cancelled);
        Ok(())
    }

    fn blank_ending(&self, logs: Logs) -> Ending {
        Ending {
            state: State::Cancelled,
            ended: SystemTime::now(),
            not_before: None,
            result: None,
            error: None,
            receipt: Receipt::default(),
            progress: None,
            logs,
            keep_for: self.config.keep_failures,
        }
    }
}

/// Asks the store, however long it takes to be usable: a job must not be lost.
async fn until_stored<T, F: Future<Output = Result<T, StoreError>>>(
    id: JobId,
    what: &str,
    ask: impl Fn() -> F,
) -> T {
    let mut pause = PAUSE;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(e) => {
                warn!(job = %id, error = %e, "cannot {what}; trying again in {pause:?}");
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
        }
    }
}

/// A job that is running from now on.
pub(super) struct Claimed {
    pub(super) job: Job,
    /// What it calls, or why it cannot.
    pub(super) call: Result<Call, CallError>,
    /// How its submitter can take the result.
    pub(super) presentation: Presentation,
}

impl Claimed {
    fn new(job: Job, procedure: Option<Arc<Procedure>>, encoded: &[u8]) -> Self {
        let stored = StoredCall::decode(encoded).map_err(|e| {
            CallError::new(Kind::Internal, format!("the stored arguments are unreadable: {e}"))
        });
        let presentation = stored.as_ref().map_or(Presentation::Plain, |call| call.presentation);
        let call = stored.and_then(|stored| {
            let procedure = procedure.ok_or_else(|| {
                let message = format!("the procedure `{}` is not there any more", job.procedure);
                CallError::new(Kind::NotFound, message)
            })?;
            let call = Call::new(procedure, stored.arguments)?;
            Ok(if stored.is_synchronous { call } else { call.as_job() })
        });
        Self { job, call, presentation }
    }
}

/// How the guest of a job ended.
enum Ended {
    Returned(crate::value::Value, Receipt),
    Failed(Box<CallError>, Receipt),
    /// Asked to stop; with its receipt if it stopped by itself.
    Stopped(Option<Receipt>),
    /// The host goes down and waits no longer.
    Left,
}
