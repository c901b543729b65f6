//! Asynchronous calls: durable jobs with handles.
//!
//! A job stands beside the way of a synchronous call and enters it at the same narrow waist,
//! [`execute`](crate::call::execute). The way of a job: [`Jobs::submit`] stores it, [`queue`] says
//! when it is its turn, [`runner`] runs it, [`live`] tells of it meanwhile, [`store`] keeps what
//! came of it. It knows no HTTP.

mod live;
pub mod model;
mod once;
mod opening;
mod parked;
mod pending;
mod queue;
mod recover;
mod runner;
pub mod store;
mod stored;
mod submitters;
mod view;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytesize::ByteSize;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::budget::Purpose;
use crate::call::Call;
use crate::catalog::{Procedure, Shared};
use crate::codec::neutral;
use crate::codec::types::Arguments;
use crate::config::JobsConfig;
use crate::error::{CallError, ErrorKind};
use crate::sandbox::Sandbox;

use live::Live;
pub use live::{Event, EventKind, Follower};
use model::{Completion, IdempotencyKey, Job, JobId, JobState, NewJob, Presentation, Priority};
pub use once::Once;
use opening::Opening;
use pending::{MAX_ARGUMENTS, Room};
use queue::Queue;
pub use runner::JobRuntime;
use runner::Marks;
use store::{Fence, JobStore, StoreError, Submission};
use stored::StoredCall;
pub use submitters::Submitters;
use submitters::{Waiting, WaitingShare};
pub use view::View;

/// Bytes of results that may wait to be stored while other jobs run with their permits.
const UNSTORED: usize = 256 << 20;
const UNIT: usize = 1 << 10;

/// The jobs of one host.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    store: Opening,
    catalog: Shared,
    sandbox: Arc<Sandbox>,
    config: JobsConfig,
    submitters: Submitters,
    /// How many jobs of each submitter wait.
    waiting: Waiting,
    queue: Arc<Mutex<Queue>>,
    live: Live,
    /// What waiting jobs take of the host's memory.
    room: Room,
    /// Something was queued, or a permit became free.
    work: Notify,
    /// Numbers for attempts that run before the store knows of them.
    marks: Marks,
    /// The attempts that run, each until its end is recorded.
    running: TaskTracker,
    /// Room for what has ended and is not stored yet, in units of [`UNIT`].
    unstored: Semaphore,
    /// The host goes down, and no longer waits for what runs.
    leaving: CancellationToken,
}

/// What a submitter may say besides the call itself.
#[derive(Debug, Clone, Default)]
pub struct SubmitOptions {
    /// How urgent; where it is not said, the procedure's own priority.
    pub priority: Option<Priority>,
    /// Whether only the version that the procedure has now may run.
    pub is_pinned: bool,
    /// Makes the submission repeatable.
    pub key: Option<IdempotencyKey>,
    /// How the submitter can take the result.
    pub presentation: Presentation,
    /// The id of the submitter's token.
    pub owner: Option<Arc<str>>,
    /// The submitter's address, or the network of it that counts as one.
    pub peer: Option<IpAddr>,
}

impl Jobs {
    /// Jobs that are kept in `store` and call procedures of `catalog`.
    pub fn new(
        store: Arc<dyn JobStore>,
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        config: JobsConfig,
        submitters: Submitters,
    ) -> Self {
        Self::with(Opening::opened(store), catalog, sandbox, config, submitters)
    }

    /// Jobs whose store cannot be opened yet, for this reason: everything about them fails with it until
    /// [`Self::open`].
    pub fn unopened(
        reason: StoreError,
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        config: JobsConfig,
        submitters: Submitters,
    ) -> Self {
        Self::with(Opening::failed(reason), catalog, sandbox, config, submitters)
    }

    fn with(
        store: Opening,
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        config: JobsConfig,
        submitters: Submitters,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            catalog,
            room: Room::new(sandbox.budget()),
            sandbox,
            config,
            submitters,
            waiting: Waiting::default(),
            queue: Arc::default(),
            live: Live::default(),
            work: Notify::new(),
            marks: Marks::default(),
            running: TaskTracker::new(),
            unstored: Semaphore::new(UNSTORED / UNIT),
            leaving: CancellationToken::new(),
        }))
    }

    /// How many bytes the arguments take when they are written, which may be far more than they take in
    /// memory: what is shared there is written out in full.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] where that is more than the host stores.
    pub fn written_size(&self, arguments: &Arguments) -> Result<usize, CallError> {
        let (size, limit) = (neutral::encoded_size(arguments), self.0.config.max_arguments);
        if size > limit { Err(too_large(size, limit)) } else { Ok(size) }
    }

    /// Queues a call, and gives the job as it is then. Once it has, the job survives the host.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadArguments`], [`ErrorKind::Overloaded`] where the queue is full, [`ErrorKind::TooManyRequests`]
    /// where the submitter's share of it is, [`ErrorKind::Conflict`] where
    /// the key came before with another request, [`ErrorKind::StorageFull`] and [`ErrorKind::Unavailable`]
    /// where the job cannot be stored.
    pub async fn submit(
        &self,
        procedure: &Arc<Procedure>,
        arguments: Arguments,
        options: SubmitOptions,
    ) -> Result<View, CallError> {
        let presentation = options.presentation;
        let call = StoredCall { arguments, presentation, is_synchronous: false };
        let mut charge = self.0.sandbox.budget().charge(Purpose::Work);
        charge.take_soon(self.written_size(&call.arguments)?).await?;
        let encoded = call.encode();
        // Wrong arguments are the submitter's affair, now and not when the job's turn comes.
        Call::new(Arc::clone(procedure), call.arguments)?;
        let job = self.0.new_job(procedure, encoded, options);
        let jobs = self.clone();
        run_to_completion(async move {
            let stored = jobs.store(job).await;
            drop(charge);
            stored
        })
        .await
    }

    async fn store(&self, job: NewJob) -> Result<View, CallError> {
        let mut queued = job.record(0);
        let is_little = job.arguments.len() <= MAX_ARGUMENTS;
        let arguments = is_little.then(|| job.arguments.clone());
        let id = job.id;
        let room = match (self.0.reserve(), self.0.waiting_share(&job)) {
            (Some(reservation), Ok(share)) => Ok((reservation, share)),
            (None, _) => Err(self.0.queue_is_full()),
            (_, Err(full)) => Err(full),
        };
        // Before anybody can find it in the store, so that whoever asks it to stop reaches it here.
        let live = self.0.live.insert(id, JobState::Queued, Vec::new());
        let submission = match (&room, &job.key) {
            // What was submitted before needs no room.
            (Err(_), Some(key)) => self.0.known(key).await,
            (Err(_), None) => Ok(None),
            (Ok(_), _) => self.0.submit(job).await.map(Some),
        };
        let room = match (room, &submission) {
            (Ok((reservation, share)), Ok(Some(Submission::New(sequence)))) => {
                queued.sequence = *sequence;
                live.enter(JobState::Queued);
                self.0.enqueue_with(share, queued.clone(), arguments, None).await;
                drop(reservation);
                return Ok(self.with_news(queued));
            }
            (room, _) => room.map(drop),
        };
        self.0.live.remove(id);
        match submission.map_err(store_failure)? {
            Some(Submission::Known(id)) => self.view(id).await,
            Some(_) => Err(conflict()),
            None => Err(room.err().unwrap_or_else(|| self.0.queue_is_full())),
        }
    }

    /// Asks a job to stop, and gives it as it is then. A job that is running has stopped soon after; one
    /// that has ended stays as it is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::Gone`], and where the store fails.
    pub async fn cancel(&self, id: JobId) -> Result<View, CallError> {
        let jobs = self.clone();
        run_to_completion(async move { jobs.stop(id).await.map(|(view, _)| view) }).await
    }

    /// Asks a job to stop, or removes one that has ended, with all that is kept of it. Gives it as it is,
    /// or was.
    ///
    /// # Errors
    ///
    /// As [`Self::cancel`].
    pub async fn cancel_or_remove(&self, id: JobId) -> Result<View, CallError> {
        let jobs = self.clone();
        run_to_completion(async move {
            let (view, had_ended) = jobs.stop(id).await?;
            if had_ended && view.job.state.is_terminal() {
                jobs.0.store().map_err(store_failure)?.remove(id).await.map_err(store_failure)?;
                jobs.0.live.note();
            }
            Ok(view)
        })
        .await
    }

    /// The job, and whether it had ended before anybody asked.
    async fn stop(&self, id: JobId) -> Result<(View, bool), CallError> {
        let live = self.0.live.get(id);
        // What runs is stopped at once, however long the store takes to note it.
        if let Some(live) = live.as_ref().filter(|live| live.state() == JobState::Running) {
            live.ask_to_stop();
        }
        match self.0.ask_to_stop(id).await {
            Ok(false) => return Ok((self.view(id).await?, true)),
            Ok(true) => {}
            // What runs can be stopped all the same. The end is recorded once that is possible.
            Err(_) if live.as_ref().is_some_and(|live| live.state() == JobState::Running) => {}
            Err(error) => return Err(store_failure(error)),
        }
        if let Some(live) = live.or_else(|| self.0.live.get(id)) {
            live.ask_to_stop();
        }
        self.0.end_if_waiting(id).await.map_err(store_failure)?;
        Ok((self.view(id).await?, false))
    }
}

impl Inner {
    /// The store, if it is open.
    fn store(&self) -> Result<&Arc<dyn JobStore>, StoreError> {
        self.store.get()
    }

    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError> {
        self.store()?.known(key).await
    }

    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        self.store()?.submit(job).await
    }

    async fn ask_to_stop(&self, id: JobId) -> Result<bool, StoreError> {
        self.store()?.ask_to_stop(id).await
    }

    async fn finish(
        &self,
        id: JobId,
        fence: Fence,
        completion: Completion,
    ) -> Result<bool, StoreError> {
        self.store()?.finish(id, fence, completion).await
    }

    fn lock_queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room in the queue for a job that is about to be stored.
    fn reserve(&self) -> Option<queue::Reservation> {
        queue::Reservation::new(&self.queue, self.config.max_queue)
    }

    fn queue_is_full(&self) -> CallError {
        let message = format!(
            "{} jobs are waiting already; try again later, or raise `max_queue` of the host",
            self.config.max_queue
        );
        CallError::new(ErrorKind::Overloaded, message).retry_after(1)
    }

    /// A job to be stored: a call of the procedure in the version that it has now.
    fn new_job(&self, procedure: &Procedure, arguments: Vec<u8>, options: SubmitOptions) -> NewJob {
        let policy = &procedure.jobs;
        let own = || Priority::new(policy.priority);
        // An address is kept only where it matters.
        let config = &self.config;
        let has_shares =
            config.max_running_per_submitter.or(config.max_queued_per_submitter).is_some();
        let peer = options.peer.filter(|_| has_shares && options.owner.is_none());
        NewJob {
            id: JobId::random(),
            procedure: Arc::clone(&procedure.name),
            file: procedure.source.file.as_str().into(),
            digest: procedure.source.digest.as_str().into(),
            arguments,
            priority: options.priority.or_else(own).unwrap_or_default(),
            max_attempts: policy.max_attempts,
            backoff: policy.backoff,
            is_repeatable: policy.is_repeatable,
            suggested_wait: policy.suggested_wait,
            submitted: SystemTime::now(),
            begun: None,
            is_pinned: options.is_pinned,
            key: options.key,
            owner: options.owner,
            peer: peer.map(|peer| peer.to_string().into()),
        }
    }

    /// Puts a job that is in the store as queued, and live, into the queue; or ends it, where it was
    /// asked to stop before it was there to be found.
    async fn enqueue(&self, job: Job, arguments: Option<Vec<u8>>, not_before: Option<Instant>) {
        let share = self.next_waiting_share(&job);
        self.enqueue_with(share, job, arguments, not_before).await;
    }

    /// The same, where it has its share of the queue.
    async fn enqueue_with(
        &self,
        share: Option<WaitingShare>,
        job: Job,
        arguments: Option<Vec<u8>>,
        not_before: Option<Instant>,
    ) {
        let Some(live) = self.live.get(job.id) else { return };
        let (id, key, since) = (job.id, (job.priority, job.sequence), waiting_since(job.submitted));
        live.wait(self.room.pending(job, arguments, share));
        self.lock_queue().push(id, key, since, not_before);
        self.work.notify_one();
        // Whoever asks it to stop says so here first, and looks into the queue then. If that was too
        // early, it is seen now.
        if live.is_asked_to_stop() {
            // If it cannot be recorded, whoever takes it up sees that it is to stop.
            let _ = self.end_if_waiting(id).await;
        }
    }

    /// Ends a job that is asked to stop and waits. One that a runner has taken is ended by that one.
    async fn end_if_waiting(&self, id: JobId) -> Result<(), StoreError> {
        let Some(key) = self.lock_queue().remove(id) else { return Ok(()) };
        // It is nobody's but ours now.
        let ended = self.end_unbegun(id).await;
        if ended.is_err() {
            self.lock_queue().push(id, key, Instant::now(), None);
            self.work.notify_one();
        }
        ended
    }
}

fn too_large(size: usize, limit: usize) -> CallError {
    let iec = |bytes: usize| ByteSize(bytes as u64).display().iec().to_string();
    let message = format!(
        "the arguments take {} when they are written out, and a job's may take {}; send less, or raise `max_arguments` of [jobs]",
        iec(size),
        iec(limit)
    );
    CallError::new(ErrorKind::TooLarge, message)
}

/// Does what must not be left half done when its asker goes away, as when a connection is lost.
async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    tokio::spawn(work).await.unwrap_or_else(|e| {
        Err(CallError::new(ErrorKind::Internal, format!("the request failed inside the host: {e}")))
    })
}

/// Since when a job waits that was submitted then. A clock that jumped counts for a day at the most.
fn waiting_since(submitted: SystemTime) -> Instant {
    const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
    let waited = SystemTime::now().duration_since(submitted).unwrap_or_default();
    let now = Instant::now();
    now.checked_sub(waited.min(MAX_AGE)).unwrap_or(now)
}

/// The instant of a moment of the wall clock, at most `longest` from now.
fn instant(moment: SystemTime, longest: Duration) -> Instant {
    let wait = moment.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + wait.min(longest)
}

/// The refusal of a key that stands for another request.
fn conflict() -> CallError {
    CallError::new(
        ErrorKind::Conflict,
        "the idempotency key came before, with another procedure or other arguments; use a new key for a new request",
    )
}

/// What a caller sees of the store's failures.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn store_failure(error: StoreError) -> CallError {
    let kind = match &error {
        StoreError::Full(_) => ErrorKind::StorageFull,
        StoreError::Refused(_) => ErrorKind::TooLarge,
        StoreError::Unavailable(_) => ErrorKind::Unavailable,
    };
    CallError::new(kind, error.to_string())
}
