//! Stores a call as a job.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::failure::{conflict, queue_is_full, run_to_completion, store_failure, too_large};
use super::model::{IdempotencyKey, JobId, JobState, NewJob, Presentation, Priority};
use super::place::Place;
use super::state::{Inner, Jobs};
use super::store::{StoreError, Submission};
use super::stored::StoredCall;
use super::view::View;
use crate::budget::Purpose;
use crate::call::Call;
use crate::catalog::Procedure;
use crate::codec::neutral;
use crate::codec::types::Arguments;
use crate::error::CallError;

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
    /// How many bytes the arguments take when they are written, which may be far more than they take in
    /// memory: what is shared there is written out in full.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`](crate::error::ErrorKind::TooLarge) where that is more than the host stores.
    pub fn written_size(&self, arguments: &Arguments) -> Result<usize, CallError> {
        let (size, limit) = (neutral::encoded_size(arguments), self.0.config.max_arguments);
        if size > limit { Err(too_large(size, limit)) } else { Ok(size) }
    }

    /// Queues a call, and gives the job as it is then. Once it has, the job survives the host.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadArguments`](crate::error::ErrorKind::BadArguments),
    /// [`ErrorKind::Overloaded`](crate::error::ErrorKind::Overloaded) where the queue is full,
    /// [`ErrorKind::TooManyRequests`](crate::error::ErrorKind::TooManyRequests) where the submitter's share of it is,
    /// [`ErrorKind::Conflict`](crate::error::ErrorKind::Conflict) where the key came before with another request,
    /// [`ErrorKind::StorageFull`](crate::error::ErrorKind::StorageFull) and
    /// [`ErrorKind::Unavailable`](crate::error::ErrorKind::Unavailable) where the job cannot be stored.
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
        let id = job.id;
        let place = self.0.place(&job);
        // Before anybody can find it in the store, so that whoever asks it to stop reaches it here.
        let live = self.0.live.insert(id, JobState::Queued, Vec::new());
        let (refusal, submission) = match place {
            Ok(place) => {
                live.wait(place);
                (None, self.0.submit(job).await.map(Some))
            }
            // What was submitted before needs no room.
            Err(full) => match &job.key {
                Some(key) => (Some(full), self.0.known(key).await),
                None => (Some(full), Ok(None)),
            },
        };
        if let (None, Ok(Some(Submission::New(sequence)))) = (&refusal, &submission) {
            queued.sequence = *sequence;
            live.announce();
            // Whoever asks it to stop says so first, and then looks whether it waits. If that was too
            // early, it is seen now; if it cannot be recorded, whoever takes it up sees it.
            if live.is_asked_to_stop() {
                let _ = self.0.end_if_waiting(id).await;
            }
            return Ok(self.with_news(queued));
        }
        self.0.live.remove(id);
        match submission.map_err(store_failure)? {
            Some(Submission::Known(id)) => self.view(id).await,
            Some(_) => Err(conflict()),
            None => Err(refusal.unwrap_or_else(|| queue_is_full(self.0.config.max_queue))),
        }
    }
}

impl Inner {
    /// A place among the jobs that wait, for a new job.
    fn place(&self, job: &NewJob) -> Result<Place, CallError> {
        let max = self.config.max_queue;
        let share = self.waiting_share(job)?;
        Place::new(&self.queued, max, share).ok_or_else(|| queue_is_full(max))
    }

    pub(super) async fn known(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<Submission>, StoreError> {
        self.store()?.known(key).await
    }

    pub(super) async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        self.store()?.submit(job).await
    }

    /// A job to be stored: a call of the procedure in the version that it has now.
    pub(super) fn new_job(
        &self,
        procedure: &Procedure,
        arguments: Vec<u8>,
        options: SubmitOptions,
    ) -> NewJob {
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
            requires: policy.requires.clone(),
        }
    }
}
