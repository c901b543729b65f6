//! Asynchronous calls: durable jobs with handles.
//!
//! A job stands beside the way of a synchronous call and enters it at the same narrow waist,
//! [`execute`](crate::call::execute). The way of a job: [`Jobs::submit`] stores it, [`queue`] says
//! when it is its turn, [`runner`] runs it, [`live`] tells of it meanwhile, [`store`] keeps what
//! came of it. It knows no HTTP.

mod live;
pub mod model;
mod once;
mod queue;
mod recover;
mod runner;
pub mod store;
mod stored;
mod view;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytesize::ByteSize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::budget::Purpose;
use crate::call::Call;
use crate::catalog::{Procedure, Shared};
use crate::codec::neutral;
use crate::codec::types::Arguments;
use crate::config::JobsConfig;
use crate::error::{CallError, Kind};
use crate::sandbox::Sandbox;

use live::Live;
pub use live::{Event, EventKind, Follower};
use model::{IdempotencyKey, Job, JobId, NewJob, Presentation, Priority, State};
pub use once::Once;
use queue::Queue;
pub use runner::Workshop;
use store::{JobStore, StoreError, Submission};
use stored::StoredCall;
pub use view::View;

/// The jobs of one host.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    store: Arc<dyn JobStore>,
    catalog: Shared,
    sandbox: Arc<Sandbox>,
    config: JobsConfig,
    queue: Arc<Mutex<Queue>>,
    live: Live,
    /// Something was queued, or a place became free.
    work: Notify,
    /// The attempts that run, each until its end is recorded.
    running: TaskTracker,
    /// The host goes down, and no longer waits for what runs.
    leaving: CancellationToken,
}

/// What a submitter may say besides the call itself.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// How urgent; where it is not said, the procedure's own priority.
    pub priority: Option<Priority>,
    /// Makes the submission repeatable.
    pub key: Option<IdempotencyKey>,
    /// How the submitter can take the result.
    pub presentation: Presentation,
}

impl Jobs {
    /// Jobs that are kept in `store` and call procedures of `catalog`.
    pub fn new(
        store: Arc<dyn JobStore>,
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        config: JobsConfig,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            catalog,
            sandbox,
            config,
            queue: Arc::default(),
            live: Live::default(),
            work: Notify::new(),
            running: TaskTracker::new(),
            leaving: CancellationToken::new(),
        }))
    }

    /// How many bytes the arguments take when they are written, which may be far more than they take in
    /// memory: what is shared there is written out in full.
    ///
    /// # Errors
    ///
    /// [`Kind::TooLarge`] where that is more than the host stores.
    pub fn written_size(&self, arguments: &Arguments) -> Result<usize, CallError> {
        let (size, limit) = (neutral::encoded_size(arguments), self.0.config.max_arguments);
        if size > limit { Err(too_large(size, limit)) } else { Ok(size) }
    }

    /// Queues a call, and gives the job as it is then. Once it has, the job survives the host.
    ///
    /// # Errors
    ///
    /// [`Kind::BadArguments`], [`Kind::Overloaded`] where the queue is full, [`Kind::Conflict`] where
    /// the key came before with another request, [`Kind::StorageFull`] and [`Kind::Unavailable`]
    /// where the job cannot be stored.
    pub async fn submit(
        &self,
        procedure: &Arc<Procedure>,
        arguments: Arguments,
        wish: Wish,
    ) -> Result<View, CallError> {
        let presentation = wish.presentation;
        let call = StoredCall { arguments, presentation, is_synchronous: false };
        let mut charge = self.0.sandbox.budget().charge(Purpose::Work);
        charge.take_soon(self.written_size(&call.arguments)?).await?;
        // Wrong arguments are the submitter's affair, now and not when the job's turn comes.
        let checked = self.0.sandbox.budget().charge(Purpose::Request);
        Call::within(Arc::clone(procedure), call.arguments.clone(), checked)?;
        let encoded = call.encode();
        let job = self.0.new_job(procedure, encoded, wish);
        let jobs = self.clone();
        unbroken(async move {
            let stored = jobs.store(job).await;
            drop(charge);
            stored
        })
        .await
    }

    async fn store(&self, job: NewJob) -> Result<View, CallError> {
        let mut queued = job.record(0);
        let id = job.id;
        let place = self.0.reserve();
        // Before anybody can find it in the store, so that whoever asks it to stop reaches it here.
        let live = self.0.live.insert(id, State::Queued, Vec::new());
        let submission = match (&place, &job.key) {
            // What was submitted before needs no room.
            (None, Some(key)) => self.0.store.known(key).await,
            (None, None) => Ok(None),
            (Some(_), _) => self.0.store.submit(job).await.map(Some),
        };
        if let Ok(Some(Submission::New(sequence))) = submission {
            queued.sequence = sequence;
            live.enter(State::Queued);
            self.0.enqueue(&queued, None).await;
            return Ok(self.with_news(queued));
        }
        self.0.live.remove(id);
        match submission.map_err(store_failure)? {
            Some(Submission::Known(id)) => self.view(id).await,
            Some(_) => Err(conflict()),
            None => Err(self.0.queue_is_full()),
        }
    }

    /// Asks a job to stop. A job that is running has stopped soon after; one that has ended stays as
    /// it is.
    ///
    /// # Errors
    ///
    /// [`Kind::NotFound`], [`Kind::Gone`], and where the store fails.
    pub async fn cancel(&self, id: JobId) -> Result<View, CallError> {
        let jobs = self.clone();
        unbroken(async move { jobs.stop(id).await }).await
    }

    async fn stop(&self, id: JobId) -> Result<View, CallError> {
        if self.0.store.ask_to_stop(id).await.map_err(store_failure)? {
            if let Some(job) = self.0.live.get(id) {
                job.ask_to_stop();
            }
            self.0.end_if_waiting(id).await.map_err(store_failure)?;
        }
        self.view(id).await
    }
}

impl Inner {
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
        CallError::new(Kind::Overloaded, message).retry_after(1)
    }

    /// A job to be stored: a call of the procedure in the version that it has now.
    fn new_job(&self, procedure: &Procedure, arguments: Vec<u8>, wish: Wish) -> NewJob {
        let policy = &procedure.jobs;
        let own = || Priority::new(policy.priority);
        NewJob {
            id: JobId::random(),
            procedure: Arc::clone(&procedure.name),
            file: procedure.source.file.as_str().into(),
            digest: procedure.source.digest.as_str().into(),
            arguments,
            priority: wish.priority.or_else(own).unwrap_or_default(),
            max_attempts: policy.max_attempts,
            backoff: policy.backoff,
            is_repeatable: policy.is_repeatable,
            suggested_wait: policy.suggested_wait,
            submitted: SystemTime::now(),
            begun: None,
            key: wish.key,
        }
    }

    /// Puts a job that is in the store as queued, and live, into the queue; or ends it, where it was
    /// asked to stop before it was there to be found.
    async fn enqueue(&self, job: &Job, not_before: Option<Instant>) {
        self.lock_queue().push(job.id, job.priority, job.sequence, not_before);
        self.work.notify_one();
        // Whoever asks it to stop says so here first, and looks into the queue then. If that was too
        // early, it is seen now.
        if self.live.get(job.id).is_some_and(|live| live.is_asked_to_stop()) {
            // If it cannot be recorded, whoever takes it up sees that it is to stop.
            let _ = self.end_if_waiting(job.id).await;
        }
    }

    /// Ends a job that is asked to stop and waits. One that a runner has taken is ended by that one.
    async fn end_if_waiting(&self, id: JobId) -> Result<(), StoreError> {
        let Some((priority, sequence)) = self.lock_queue().remove(id) else { return Ok(()) };
        // It is nobody's but ours now.
        let ended = self.end_unbegun(id).await;
        if ended.is_err() {
            self.lock_queue().push(id, priority, sequence, None);
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
    CallError::new(Kind::TooLarge, message)
}

/// Does what must not be left half done when its asker goes away, as when a connection is lost.
async fn unbroken<T: Send + 'static>(
    work: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    tokio::spawn(work).await.unwrap_or_else(|e| {
        Err(CallError::new(Kind::Internal, format!("the request failed inside the host: {e}")))
    })
}

/// The instant of a moment of the wall clock, at most `longest` from now.
fn instant(moment: SystemTime, longest: Duration) -> Instant {
    let wait = moment.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + wait.min(longest)
}

/// The refusal of a key that stands for another request.
fn conflict() -> CallError {
    CallError::new(
        Kind::Conflict,
        "the idempotency key came before, with another procedure or other arguments; use a new key for a new request",
    )
}

/// What a caller sees of the store's failures.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn store_failure(error: StoreError) -> CallError {
    let kind = match &error {
        StoreError::Full(_) => Kind::StorageFull,
        StoreError::Unavailable(_) => Kind::Unavailable,
    };
    CallError::new(kind, error.to_string())
}
