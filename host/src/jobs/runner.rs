//! Runs jobs when it is their turn, with a bounded number of permits and on threads of their own: jobs
//! and synchronous calls share the cores as the operating system shares them, and neither waits in
//! the other's queue.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::live::LiveJob;
use super::model::{
    Attempt, Completion, FailureCause, Job, JobId, JobState, Logs, Presentation, Version,
};
use super::pending::Pending;
use super::queue::Group;
use super::recover::ShutdownKind;
use super::store::{Fence, JobStore, StoreError};
use super::stored::{StoredCall, StoredResult};
use super::{Inner, Jobs};
use crate::budget::{Charge, NoRoom, Purpose};
use crate::call::{Call, Outcome, execute};
use crate::catalog::Procedure;
use crate::error::{CallError, ErrorKind};
use crate::sandbox::{Observer, Receipt};

/// After the store failed, before it is tried again; doubles up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// What may run again is claimed only if it has not ended by then: its end says all that is to be known of
/// an attempt, and most jobs are not worth two commits.
const CLAIMED_AFTER: Duration = Duration::from_millis(10);

/// How often what a running job has told is kept.
const NOTED_EVERY: Duration = Duration::from_secs(3);

/// After there was no room for a guest, before it is tried again; doubles up to 16 times as long.
const NO_ROOM: Duration = Duration::from_millis(250);

/// Where guests of jobs run. Dropping it ends them.
pub struct JobRuntime {
    permits: u32,
    runtime: Option<Runtime>,
}

impl JobRuntime {
    /// With so many permits; as many as there are cores where it is not said.
    ///
    /// # Errors
    ///
    /// Where the threads cannot be started.
    pub fn new(permits: Option<u32>) -> std::io::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let permits = permits.unwrap_or_else(cores);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(permits as usize)
            .thread_name("tarp-job")
            .enable_all()
            .build()?;
        Ok(Self { permits, runtime: Some(runtime) })
    }

    /// How many jobs run at once.
    #[must_use]
    pub fn permits(&self) -> u32 {
        self.permits
    }
}

impl Drop for JobRuntime {
    fn drop(&mut self) {
        // Waiting for threads is not allowed on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Jobs {
    /// Runs jobs on the runtime of their own until `stopping` is cancelled. Those that run then go on.
    /// `changes` tells when the catalog has changed.
    pub async fn run(
        &self,
        job_runtime: &JobRuntime,
        changes: watch::Receiver<()>,
        stopping: CancellationToken,
    ) {
        let Some(runtime) = &job_runtime.runtime else { return };
        let permits = Arc::new(Semaphore::new(job_runtime.permits as usize));
        let pruning = self.prune();
        let beginning = async {
            loop {
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let id = self.0.next().await;
                let (inner, guests) = (Arc::clone(&self.0), runtime.handle().clone());
                self.0.running.spawn(async move {
                    inner.attempt(id, &guests, permit).await;
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

    /// One attempt, from its job's turn to the record of its end. The permit is free as soon as the guest
    /// has ended.
    async fn attempt(&self, id: JobId, guests: &Handle, permit: OwnedSemaphorePermit) {
        let Some(live) = self.live.get(id) else { return };
        let Some(pending) = live.pending() else { return };
        if live.is_asked_to_stop() {
            drop(permit);
            until_stored(id, "end a job", || self.end_unbegun(id)).await;
            return;
        }
        let procedure = match self.procedure_of(&pending.job) {
            Ok(procedure) => procedure,
            Err(reason) => {
                drop(permit);
                return self.park(&live, &pending.job, reason).await;
            }
        };
        let share = match self.share(&pending.job, &procedure) {
            Ok(share) => share,
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
        let Some(claimed) = self.begin(&pending, procedure, &live).await else { return };
        drop(pending);
        self.run_claimed(claimed, &live, guests, (permit, share)).await;
    }

    /// Begins an attempt: what may not run twice is claimed first, and so is everything while it is not
    /// known whether its end can be recorded. `None` where it is not to be begun.
    async fn begin(
        &self,
        pending: &Pending,
        procedure: Arc<Procedure>,
        live: &LiveJob,
    ) -> Option<Claimed> {
        let mut job = pending.job.clone();
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
            Some(store) => {
                let mark = Mark { number: self.marks.take(), store: Arc::clone(store) };
                Some(Unclaimed { attempt, mark: Arc::new(mark) })
            }
            None => {
                let claim = || async { self.store()?.claim(id, attempt.clone()).await };
                if !until_stored(id, "begin a job", claim).await {
                    return None;
                }
                live.run(attempt);
                None
            }
        };
        let read;
        let arguments = match &pending.arguments {
            Some(arguments) => arguments,
            None => {
                let ask = || async { self.store()?.arguments(id).await };
                // Where they are not there, they are unreadable: the fault of this job alone.
                read = until_stored(id, "begin a job", ask).await.unwrap_or_default();
                &read
            }
        };
        let mut charge = self.sandbox.budget().charge(Purpose::Work);
        // What is read takes at least as much again; the rest is charged when it is known.
        let room = charge.take_soon(2 * arguments.len()).await;
        Some(match room {
            Ok(()) => Claimed::new(job, procedure, arguments, charge, unclaimed),
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
                if let Some(Unclaimed { attempt, .. }) = &unclaimed {
                    live.run(attempt.clone());
                }
                Some(AttemptOutcome::Failed(Box::new(error), Receipt::default()))
            }
        };
        let Some(ended) = ended else { return };
        let mut completion = self.completion(&job, ended, live, presentation, charge.as_mut());
        let (attempt, mark) = unclaimed.map(|Unclaimed { attempt, mark }| (attempt, mark)).unzip();
        completion.attempt = attempt;
        let fence = Fence::Attempt(job.attempts);
        job.follow(&completion);
        // The permit is free only when there is room for what has ended and is not stored yet.
        let units = completion.size().div_ceil(super::UNIT).min(super::UNSTORED / super::UNIT);
        let room = self.unstored.acquire_many(units as u32).await;
        drop(permit);
        let ended = self.record(job.id, fence, completion).await;
        drop((room, charge, mark));
        self.go_on(job, live, ended).await;
    }

    /// What follows the record of an attempt's end.
    pub(super) async fn go_on(&self, job: Job, live: &LiveJob, ended: Ended) {
        let state = ended.state;
        if state.is_terminal() {
            self.tell_of_end(&job, ended);
            self.live.end(job.id, state);
        } else {
            live.enter(state);
            let not_before = job.not_before.map(|moment| super::instant(moment, Duration::MAX));
            self.enqueue(job, None, not_before).await;
        }
    }

    /// Records the end of an attempt, however long it takes, and gives the state that it ended in. What
    /// the store cannot take is left out, and the job has failed.
    pub(super) async fn record(
        &self,
        id: JobId,
        fence: Fence,
        mut completion: Completion,
    ) -> Ended {
        let begun = Instant::now();
        let mut is_bare = false;
        let mut pause = PAUSE;
        loop {
            let error = match self.finish(id, fence, completion.clone()).await {
                Ok(_) => return Ended::of(&completion),
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
                completion = completion.bare(failure.kind, &failure.message);
                is_bare = true;
                continue;
            }
            warn!(job = %id, %error, "cannot record the end of a job; trying again in {pause:?}");
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(MAX_PAUSE);
        }
    }

    /// Claims an attempt that runs for longer, and keeps its progress and log every few seconds, so that
    /// a crash leaves them. Never ends.
    async fn keep_record(&self, job: &Job, unclaimed: Option<&Unclaimed>, live: &LiveJob) {
        if let Some(Unclaimed { attempt, mark }) = unclaimed {
            tokio::time::sleep(CLAIMED_AFTER).await;
            let claim = || mark.store.claim(job.id, attempt.clone());
            until_stored(job.id, "record that a job runs", claim).await;
            self.live.note();
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

    /// The job's share of what runs, where its procedure or its submitter has one; where that is used
    /// up, the job is held back, and the text says why.
    fn share(&self, job: &Job, procedure: &Procedure) -> Result<Option<Share<'_>>, String> {
        let mut groups = Vec::new();
        if let Some(most) = procedure.jobs.max_running {
            groups.push((Group::Procedure(Arc::clone(&job.procedure)), most));
        }
        groups.extend(self.running_share(job));
        if groups.is_empty() {
            return Ok(None);
        }
        let key = (job.priority, job.sequence);
        let entry = (job.id, key, super::waiting_since(job.submitted));
        match self.lock_queue().take_or_hold(&groups, entry) {
            Ok(()) => Ok(Some(Share { inner: self, groups })),
            Err((Group::Procedure(name), most)) => {
                Err(format!("waits for one of the {most} jobs of `{name}` that may run at once"))
            }
            Err((_, most)) => Err(format!(
                "waits for one of the {most} jobs of its submitter that may run at once"
            )),
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
            if let Some(Unclaimed { attempt, mark }) = unclaimed {
                // Here, where a disk that does not answer keeps up jobs alone.
                mark.store.mark(mark.number.0, observer.id(), attempt.number);
                observer.run(attempt);
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

    fn completion(
        &self,
        job: &Job,
        ended: AttemptOutcome,
        live: &LiveJob,
        presentation: Presentation,
        held: Option<&mut Charge>,
    ) -> Completion {
        let mut completion = self.blank_completion(live.logs());
        completion.progress = live.progress();
        let so_far = Receipt { fuel: live.fuel(), ..Receipt::default() };
        match ended {
            AttemptOutcome::Returned(value, receipt) => {
                completion.state = JobState::Succeeded;
                completion.keep_for = self.config.keep_results;
                completion.receipt = receipt;
                completion.result = Some(encoded(StoredResult { value, presentation }, held));
            }
            // It waits for room, however often, if it has done nothing yet or may do it again.
            AttemptOutcome::Failed(error, receipt)
                if error.kind == ErrorKind::Overloaded
                    && (job.is_repeatable || receipt.fuel == 0) =>
            {
                let unlucky = job.attempts.saturating_sub(job.failures + job.crashes + 1);
                completion.state = JobState::Queued;
                let wait = NO_ROOM * (1 << unlucky.min(4));
                // Those that found none together are spread out, or most of them find none again.
                completion.not_before =
                    Some(SystemTime::now() + wait.mul_f64(rand::random_range(0.5..1.5)));
                completion.receipt = receipt;
            }
            AttemptOutcome::Failed(error, receipt) => {
                let may_try_again =
                    job.failures + 1 < job.max_attempts && error.kind != ErrorKind::BadArguments;
                completion.fault = FailureCause::Attempt;
                completion.state = match error.kind {
                    _ if may_try_again => JobState::Queued,
                    ErrorKind::DeadlineExceeded => JobState::TimedOut,
                    _ => JobState::Failed,
                };
                if may_try_again {
                    let doublings = job.failures.min(20);
                    completion.not_before =
                        Some(SystemTime::now() + job.backoff.saturating_mul(1 << doublings));
                }
                completion.receipt = receipt;
                completion.error = Some(*error);
            }
            AttemptOutcome::Stopped(receipt) => {
                completion.state = JobState::Cancelled;
                completion.receipt = receipt.unwrap_or(so_far);
                completion.error =
                    Some(CallError::new(ErrorKind::Cancelled, "the job was cancelled"));
            }
            AttemptOutcome::Left => {
                let Completion { progress, logs, .. } = completion;
                let verdict = self.unfinished(job, logs, ShutdownKind::InOrder);
                completion = Completion { progress, receipt: so_far, ..verdict };
            }
        }
        completion
    }

    /// Records the end of a job that was never begun and is in no queue: it was cancelled.
    pub(super) async fn end_unbegun(&self, id: JobId) -> Result<(), StoreError> {
        let mut completion = self.blank_completion(Logs::default());
        completion.error =
            Some(CallError::new(ErrorKind::Cancelled, "the job was cancelled before it began"));
        let pending = self.live.get(id).and_then(|live| live.pending());
        let ended = Ended::of(&completion);
        self.finish(id, Fence::Queued, completion).await?;
        if let Some(pending) = pending {
            self.tell_of_end(&pending.job, ended);
        }
        self.live.end(id, JobState::Cancelled);
        Ok(())
    }

    pub(super) fn blank_completion(&self, logs: Logs) -> Completion {
        Completion {
            attempt: None,
            state: JobState::Cancelled,
            fault: FailureCause::Nobody,
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
                pause = (2 * pause).min(MAX_PAUSE);
            }
        }
    }
}

/// An attempt that runs before the store knows of it.
#[derive(Clone)]
pub(super) struct Unclaimed {
    attempt: Attempt,
    mark: Arc<Mark>,
}

/// Where it is noted meanwhile, until it is stored.
struct Mark {
    number: MarkNumber,
    store: Arc<dyn JobStore>,
}

/// Numbers of marks, the lowest ones that are free.
#[derive(Default)]
pub(super) struct Marks(Arc<Mutex<BinaryHeap<Reverse<u32>>>>, AtomicU32);

struct MarkNumber(u32, Arc<Mutex<BinaryHeap<Reverse<u32>>>>);

impl Marks {
    fn take(&self) -> MarkNumber {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let number = free.map_or_else(|| self.1.fetch_add(1, Ordering::Relaxed), |free| free.0);
        MarkNumber(number, Arc::clone(&self.0))
    }
}

impl Drop for MarkNumber {
    fn drop(&mut self) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push(Reverse(self.0));
    }
}

/// A job's part of what may run of its groups, until it is dropped.
struct Share<'a> {
    inner: &'a Inner,
    groups: Vec<(Group, u32)>,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.inner.lock_queue().give_back(&self.groups);
        self.inner.work.notify_one();
    }
}

/// A job that is running from now on.
pub(super) struct Claimed {
    pub(super) job: Job,
    /// What it calls, or why it cannot.
    pub(super) call: Result<Call, CallError>,
    /// How its submitter can take the result.
    pub(super) presentation: Presentation,
    /// Where the store does not know of it yet.
    pub(super) unclaimed: Option<Unclaimed>,
}

impl Claimed {
    /// One that cannot begin, and does so later.
    fn without_room(job: Job, no_room: NoRoom, unclaimed: Option<Unclaimed>) -> Self {
        Self { job, call: Err(no_room.into()), presentation: Presentation::Plain, unclaimed }
    }

    fn new(
        job: Job,
        procedure: Arc<Procedure>,
        encoded: &[u8],
        charge: Charge,
        unclaimed: Option<Unclaimed>,
    ) -> Self {
        let stored = StoredCall::decode(encoded).map_err(|e| {
            CallError::new(ErrorKind::Internal, format!("the stored arguments are unreadable: {e}"))
        });
        let presentation = stored.as_ref().map_or(Presentation::Plain, |call| call.presentation);
        let call = stored.and_then(|stored| {
            let call = Call::within(procedure, stored.arguments, charge)?;
            Ok(if stored.is_synchronous { call } else { call.as_job() })
        });
        Self { job, call, presentation, unclaimed }
    }
}

/// How the guest of a job ended.
enum AttemptOutcome {
    Returned(crate::value::Value, Receipt),
    Failed(Box<CallError>, Receipt),
    /// Asked to stop; with its receipt if it stopped by itself.
    Stopped(Option<Receipt>),
    /// The host goes down and waits no longer.
    Left,
}
