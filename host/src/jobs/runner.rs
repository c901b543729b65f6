//! Runs jobs when it is their turn, in a bounded number of places and on threads of their own: jobs
//! and synchronous calls share the cores as the operating system shares them, and neither waits in
//! the other's queue.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::live::LiveJob;
use super::model::{Ending, Fault, Job, JobId, Logs, Presentation, State};
use super::recover::End;
use super::store::{Fence, Lookup, StoreError, Version};
use super::stored::{StoredCall, StoredResult};
use super::{Inner, Jobs};
use crate::budget::{Charge, NoRoom, Purpose};
use crate::call::{Call, Outcome, execute};
use crate::catalog::Procedure;
use crate::error::{CallError, Kind};
use crate::sandbox::{Observer, Receipt};

/// After the store failed, before it is tried again; doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many jobs that take little are claimed before there are places for them.
const AHEAD: usize = 64;

/// How often what a running job has told is kept.
const NOTED_EVERY: Duration = Duration::from_secs(3);

/// After there was no room for a guest, before it is tried again; doubles up to 64 times as long.
const NO_ROOM: Duration = Duration::from_millis(250);

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
    /// `changes` tells when the catalog has changed.
    pub async fn run(
        &self,
        workshop: &Workshop,
        changes: watch::Receiver<()>,
        stopping: CancellationToken,
    ) {
        let Some(runtime) = &workshop.runtime else { return };
        let places = Arc::new(Semaphore::new(workshop.places as usize));
        let ahead = Arc::new(Semaphore::new(AHEAD));
        let pruning = self.prune();
        let beginning = async {
            loop {
                let quick = Arc::clone(&ahead).try_acquire_owned().ok();
                let quick = quick.and_then(|ahead| Some((self.0.next_quick()?, ahead)));
                let (id, slot) = match quick {
                    Some((id, ahead)) => (id, Slot::Ahead { ahead, places: Arc::clone(&places) }),
                    None => {
                        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                        (self.0.next().await, Slot::Place(place))
                    }
                };
                let (inner, guests) = (Arc::clone(&self.0), runtime.handle().clone());
                self.0.running.spawn(async move {
                    inner.attempt(id, &guests, slot).await;
                });
            }
        };
        tokio::select! {
            () = stopping.cancelled() => {}
            () = beginning => {}
            () = pruning => {}
            () = self.keep_parked(changes) => {}
        }
    }

    /// Waits until what runs has ended, and that is recorded.
    pub async fn finish(&self) {
        self.0.running.close();
        self.0.running.wait().await;
    }

    /// Closes the store in good order, if it is open.
    pub async fn close(&self) {
        if let Ok(store) = self.0.store() {
            store.close().await;
        }
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
            let pruned = match self.0.store() {
                Ok(store) => store.prune(now - last).await,
                Err(error) => Err(error),
            };
            match pruned {
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

    /// The job whose turn it is, if there is one and it is expected to take little.
    fn next_quick(&self) -> Option<JobId> {
        let is_quick = |id| self.live.get(id).is_some_and(|live| live.is_quick());
        self.lock_queue().pop_if(Instant::now(), is_quick)
    }

    /// One attempt, from its claim to the record of its end. The place is free as soon as the guest
    /// has ended.
    async fn attempt(&self, id: JobId, guests: &Handle, slot: Slot) {
        let Some(live) = self.live.get(id) else { return };
        match until_stored(id, "begin a job", || self.claim(id)).await {
            Begun::Running(claimed, share) => {
                let place = slot.place().await;
                live.enter(State::Running);
                self.run_claimed(*claimed, &live, guests, (place, share)).await;
            }
            Begun::Held(reason) => {
                live.wait_for(reason);
                if live.is_asked_to_stop() {
                    // If it cannot be recorded, whoever takes it up sees that it is to stop.
                    let _ = self.end_if_waiting(id).await;
                }
            }
            Begun::Missing(job, reason) => self.park(&job, reason).await,
            Begun::Not => {}
        }
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
        // What came of it is charged until it is stored.
        let mut charge = None;
        let ended = match call {
            Ok(call) => {
                tokio::select! {
                    ended = self.guard(call, live, guests, &mut charge) => ended,
                    () = self.keep_notes(&job, live) => None,
                }
            }
            Err(error) => Some(Ended::Failed(Box::new(error), Receipt::default())),
        };
        let Some(ended) = ended else { return };
        let ending = self.ending(&job, ended, live, presentation, charge.as_mut());
        let not_before = ending.not_before;
        // The place is free only when there is room for what has ended and is not stored yet.
        let units = ending.size().div_ceil(super::UNIT).min(super::UNSTORED / super::UNIT);
        let room = self.unstored.acquire_many(units as u32).await;
        drop(place);
        let state = self.record(job.id, Fence::Attempt(job.attempts), ending).await;
        drop((room, charge));
        self.go_on(&job, live, state, not_before).await;
    }

    /// What follows the record of an attempt's end.
    pub(super) async fn go_on(
        &self,
        job: &Job,
        live: &LiveJob,
        state: State,
        not_before: Option<SystemTime>,
    ) {
        if state.is_terminal() {
            self.live.end(job.id, state);
        } else {
            live.enter(state);
            let not_before = not_before.map(|moment| super::instant(moment, Duration::MAX));
            self.enqueue(job, not_before).await;
        }
    }

    /// Records the end of an attempt, however long it takes, and gives the state that it ended in. What
    /// the store cannot take is left out, and the job has failed.
    pub(super) async fn record(&self, id: JobId, fence: Fence, mut ending: Ending) -> State {
        let begun = Instant::now();
        let mut is_bare = false;
        let mut pause = PAUSE;
        loop {
            let error = match self.finish(id, fence, ending.clone()).await {
                Ok(_) => return ending.state,
                Err(error) => error,
            };
            let is_hopeless = match &error {
                StoreError::Refused(_) => true,
                StoreError::Full(_) => begun.elapsed() >= self.config.wait_for_room,
                StoreError::Unavailable(_) => false,
            };
            if is_hopeless && !is_bare {
                warn!(job = %id, %error, "what came of a job cannot be kept");
                let failure = super::store_failure(error);
                ending = ending.bare(failure.kind, &failure.message);
                is_bare = true;
                continue;
            }
            warn!(job = %id, %error, "cannot record the end of a job; trying again in {pause:?}");
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Keeps progress and log of an attempt every few seconds, so that a crash leaves them. Never ends.
    async fn keep_notes(&self, job: &Job, live: &LiveJob) {
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

    /// Claims a job, for the procedure as it is now.
    async fn claim(&self, id: JobId) -> Result<Begun<'_>, StoreError> {
        let Lookup::Found(job) = self.store()?.get(id).await? else { return Ok(Begun::Not) };
        let mut job = *job;
        // Looked up once: what is recorded is the version that runs.
        let procedure = match self.procedure_of(&job) {
            Ok(procedure) => procedure,
            Err(reason) if job.state == State::Queued => {
                return Ok(Begun::Missing(Box::new(job), reason));
            }
            Err(_) => return Ok(Begun::Not),
        };
        let share = match procedure.jobs.max_running {
            Some(most) if job.state == State::Queued => match self.share(&job, most) {
                Some(share) => Some(share),
                None => {
                    let name = &job.procedure;
                    let reason = format!(
                        "waits for one of the {most} jobs of `{name}` that may run at once"
                    );
                    return Ok(Begun::Held(reason));
                }
            },
            _ => None,
        };
        let source = &procedure.source;
        let version = Version {
            file: source.file.as_str().into(),
            digest: source.digest.as_str().into(),
            is_repeatable: procedure.jobs.is_repeatable,
        };
        (job.file, job.digest) = (source.file.as_str().into(), source.digest.as_str().into());
        job.is_repeatable = version.is_repeatable;
        let Some(claim) = self.store()?.claim(id, version, SystemTime::now()).await? else {
            return Ok(Begun::Not);
        };
        job.attempts = claim.attempt;
        let mut charge = self.sandbox.budget().charge(Purpose::Work);
        // What is read takes at least as much again; the rest is charged when it is known.
        let room = charge.take_soon(2 * claim.arguments.len()).await;
        let claimed = match room {
            Ok(()) => Claimed::new(job, procedure, &claim.arguments, charge),
            Err(no_room) => Claimed::without_room(job, no_room),
        };
        Ok(Begun::Running(Box::new(claimed), share))
    }

    /// One of the places of the job's procedure; where none is free, the job is held back.
    fn share(&self, job: &Job, most: u32) -> Option<Share<'_>> {
        let place = (job.priority, job.sequence);
        let entry = (job.id, place, super::waiting_since(job.submitted));
        let is_taken = self.lock_queue().take_or_hold(&job.procedure, most, entry);
        is_taken.then(|| Share { inner: self, procedure: Arc::clone(&job.procedure) })
    }

    /// Runs the guest to its end, or until it is asked to stop and the grace for that is over, or the
    /// host goes down. `None` where it does so at once: what becomes of the job, the next host decides.
    /// `held` is set to what holds room for what came of it.
    async fn guard(
        &self,
        call: Call,
        live: &Arc<LiveJob>,
        guests: &Handle,
        held: &mut Option<Charge>,
    ) -> Option<Ended> {
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
            Some(Ok(Outcome { result, receipt, charge, .. })) => {
                *held = Some(charge);
                match result {
                    Ok(value) => Ended::Returned(value, receipt),
                    Err(error) => Ended::Failed(error, receipt),
                }
            }
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
        held: Option<&mut Charge>,
    ) -> Ending {
        let mut ending = self.blank_ending(live.logs());
        ending.progress = live.progress();
        let so_far = Receipt { fuel: live.fuel(), ..Receipt::default() };
        match ended {
            Ended::Returned(value, receipt) => {
                ending.state = State::Succeeded;
                ending.keep_for = self.config.keep_results;
                ending.receipt = receipt;
                ending.result = Some(encoded(StoredResult { value, presentation }, held));
            }
            // It waits for room, however often, if it has done nothing yet or may do it again.
            Ended::Failed(error, receipt)
                if error.kind == Kind::Overloaded && (job.is_repeatable || receipt.fuel == 0) =>
            {
                let unlucky = job.attempts.saturating_sub(job.failures + job.crashes + 1);
                ending.state = State::Queued;
                ending.not_before = Some(SystemTime::now() + NO_ROOM * (1 << unlucky.min(6)));
                ending.receipt = receipt;
            }
            Ended::Failed(error, receipt) => {
                let may_try_again =
                    job.failures + 1 < job.max_attempts && error.kind != Kind::BadArguments;
                ending.fault = Fault::Attempt;
                ending.state = match error.kind {
                    _ if may_try_again => State::Queued,
                    Kind::DeadlineExceeded => State::TimedOut,
                    _ => State::Failed,
                };
                if may_try_again {
                    let doublings = job.failures.min(20);
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
        self.finish(id, Fence::Queued, ending).await?;
        self.live.end(id, State::Cancelled);
        Ok(())
    }

    pub(super) fn blank_ending(&self, logs: Logs) -> Ending {
        Ending {
            state: State::Cancelled,
            fault: Fault::Nobody,
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

/// A result as it is stored. For a moment it is there twice, which must not fail a job that has ended
/// well; after that only what is stored is held.
fn encoded(result: StoredResult, held: Option<&mut Charge>) -> Bytes {
    let Some(charge) = held else { return result.encode().into() };
    charge.force(result.value.written_size());
    let encoded = result.encode();
    drop(result);
    charge.shrink_to(encoded.len());
    encoded.into()
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

/// Where an attempt is to run.
enum Slot {
    Place(OwnedSemaphorePermit),
    /// In the next place that is free. Meanwhile the job is claimed, so that no place waits for the disk.
    Ahead {
        ahead: OwnedSemaphorePermit,
        places: Arc<Semaphore>,
    },
}

impl Slot {
    async fn place(self) -> Option<OwnedSemaphorePermit> {
        match self {
            Self::Place(place) => Some(place),
            Self::Ahead { ahead, places } => {
                let place = places.acquire_owned().await.ok();
                drop(ahead);
                place
            }
        }
    }
}

/// One of the places that a procedure with a limit on its running jobs has, until it is dropped.
struct Share<'a> {
    inner: &'a Inner,
    procedure: Arc<str>,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.inner.lock_queue().give_back(&self.procedure);
        self.inner.work.notify_one();
    }
}

/// What came of a job whose turn it is.
enum Begun<'a> {
    Running(Box<Claimed>, Option<Share<'a>>),
    /// As many of its procedure run as may.
    Held(String),
    /// It waits for something, as the text says.
    Missing(Box<Job>, String),
    /// It is not to be begun: it was cancelled, or is gone.
    Not,
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
    /// One that cannot begin, and does so later.
    fn without_room(job: Job, no_room: NoRoom) -> Self {
        Self { job, call: Err(no_room.into()), presentation: Presentation::Plain }
    }

    fn new(job: Job, procedure: Arc<Procedure>, encoded: &[u8], charge: Charge) -> Self {
        let stored = StoredCall::decode(encoded).map_err(|e| {
            CallError::new(Kind::Internal, format!("the stored arguments are unreadable: {e}"))
        });
        let presentation = stored.as_ref().map_or(Presentation::Plain, |call| call.presentation);
        let call = stored.and_then(|stored| {
            let call = Call::within(procedure, stored.arguments, charge)?;
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
