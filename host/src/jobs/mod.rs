//! Asynchronous calls: durable jobs with handles.
//!
//! A job stands beside the way of a synchronous call and enters it at the same narrow waist,
//! [`execute`](crate::call::execute). The way of a job: [`Jobs::submit`] stores it, [`queue`] says
//! when it is its turn, [`runner`] runs it, [`live`] tells of it meanwhile, [`store`] keeps what
//! came of it. It knows no HTTP.

mod live;
pub mod model;
mod queue;
mod recover;
mod runner;
pub mod store;
mod view;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::call::Call;
use crate::catalog::{Procedure, Shared};
use crate::codec::neutral;
use crate::codec::types::Arguments;
use crate::config::JobsConfig;
use crate::error::{CallError, Kind};
use crate::sandbox::Sandbox;
use crate::value::Value;

use live::Live;
pub use live::{Event, EventKind, Follower};
use model::{IdempotencyKey, JobId, NewJob, Presentation, Priority, State};
use queue::Queue;
pub use runner::Workshop;
use store::{JobStore, StoreError, Submission};
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
    /// The host goes down, and no longer waits for what runs.
    leaving: CancellationToken,
}

/// What a submitter may say besides the call itself.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// How urgent; where it is not said, the procedure's own priority.
    pub priority: Option<Priority>,
    /// Makes the submission repeatable.
    pub key: Option<String>,
    /// How the submitter can take the result.
    pub presentation: Presentation,
}

/// A call as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredCall {
    arguments: Arguments,
    presentation: Presentation,
}

/// A result as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredResult {
    value: Value,
    presentation: Presentation,
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
            leaving: CancellationToken::new(),
        }))
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
        let call = StoredCall { arguments, presentation: wish.presentation };
        let encoded = neutral::encode(&call);
        // Wrong arguments are the submitter's affair, now and not when the job's turn comes.
        Call::new(Arc::clone(procedure), call.arguments)?;
        let policy = &procedure.jobs;
        let id = JobId::random();
        let request = *blake3::Hasher::new()
            .update(procedure.name.as_bytes())
            .update(&[0])
            .update(&encoded)
            .finalize()
            .as_bytes();
        let priority = wish.priority.or_else(|| Priority::new(policy.priority)).unwrap_or_default();
        let job = NewJob {
            id,
            procedure: Arc::clone(&procedure.name),
            file: procedure.source.file.as_str().into(),
            digest: procedure.source.digest.as_str().into(),
            arguments: encoded,
            priority,
            max_attempts: policy.max_attempts,
            backoff: policy.backoff,
            is_repeatable: policy.is_repeatable,
            suggested_wait: policy.suggested_wait,
            submitted: SystemTime::now(),
            key: wish.key.map(|key| IdempotencyKey { key: key.into(), request }),
        };
        let jobs = self.clone();
        unbroken(async move { jobs.store(job).await }).await
    }

    async fn store(&self, job: NewJob) -> Result<View, CallError> {
        let mut queued = job.queued(0);
        let (id, priority) = (job.id, job.priority);
        let place = self.0.reserve();
        let submission = match (&place, &job.key) {
            // What was submitted before needs no room.
            (None, Some(key)) => self.0.store.known(key).await,
            (None, None) => Ok(None),
            (Some(_), _) => self.0.store.submit(job).await.map(Some),
        };
        match submission.map_err(store_failure)?.ok_or_else(|| self.0.queue_is_full())? {
            Submission::New(sequence) => {
                queued.sequence = sequence;
                self.0.live.insert(id, State::Queued, Vec::new());
                self.0.enqueue(id, priority, sequence, None);
                Ok(self.with_news(queued))
            }
            Submission::Known(id) => self.view(id).await,
            Submission::Conflict => Err(CallError::new(
                Kind::Conflict,
                "the idempotency key came before, with another procedure or other arguments; use a new key for a new request",
            )),
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
            let waiting = self.0.lock_queue().remove(id);
            if let Some(place) = waiting {
                // It is nobody's but ours now.
                if let Err(error) = self.0.end_unbegun(id).await {
                    // Whoever takes it up sees that it is to stop.
                    self.0.enqueue(id, place.0, place.1, None);
                    return Err(store_failure(error));
                }
            }
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

    fn enqueue(&self, id: JobId, priority: Priority, sequence: u64, not_before: Option<Instant>) {
        self.lock_queue().push(id, priority, sequence, not_before);
        self.work.notify_one();
    }
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

/// What a caller sees of the store's failures.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn store_failure(error: StoreError) -> CallError {
    let kind = match &error {
        StoreError::Full(_) => Kind::StorageFull,
        StoreError::Unavailable(_) => Kind::Unavailable,
    };
    CallError::new(kind, error.to_string())
}
