//! Synchronous calls with an idempotency key: each runs once, and whoever sends it again gets what came
//! of it. Such a call is a job that begins at once, with a permit for calls and within their limits, so that
//! the store keeps the promise as it does for jobs.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::runtime::Handle;

use super::claimed::Claimed;
use super::failure::{conflict, run_to_completion, store_failure};
use super::model::{IdempotencyKey, Job, JobId, JobState};
use super::state::Jobs;
use super::store::Submission;
use super::stored::StoredCall;
use super::submit::SubmitOptions;
use crate::budget::Purpose;
use crate::call::Call;
use crate::catalog::Procedure;
use crate::codec::types::Arguments;
use crate::error::CallError;

/// What runs for a key.
#[derive(Debug, Clone, Copy)]
pub struct Once {
    /// The job that keeps what comes of it.
    pub id: JobId,
    /// Whether this request began it.
    pub is_new: bool,
}

impl Jobs {
    /// Begins a call, unless its key came before. It goes on when its sender goes away. `permit` is
    /// waited for before anything is stored, and held until the guest has ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadArguments`](crate::error::ErrorKind::BadArguments),
    /// [`ErrorKind::Conflict`](crate::error::ErrorKind::Conflict) where the key came before with another request,
    /// what `permit` fails with, and where the store fails. Nothing has run then.
    pub async fn once<P: Send + 'static>(
        &self,
        procedure: &Arc<Procedure>,
        arguments: Arguments,
        key: IdempotencyKey,
        options: SubmitOptions,
        permit: impl Future<Output = Result<P, CallError>> + Send,
    ) -> Result<Once, CallError> {
        let stored =
            StoredCall { arguments, presentation: options.presentation, is_synchronous: true };
        let mut charge = self.0.sandbox.budget().charge(Purpose::Work);
        charge.take_soon(self.written_size(&stored.arguments)?).await?;
        let encoded = stored.encode();
        let checked = self.0.sandbox.budget().charge(Purpose::Request);
        let call = Call::within(Arc::clone(procedure), stored.arguments, checked)?;
        // What came before needs no permit.
        if let Some(known) = self.0.known(&key).await.map_err(store_failure)? {
            return known_or_conflict(&known);
        }
        let permit = permit.await?;
        let presentation = options.presentation;
        let mut job =
            self.0.new_job(procedure, encoded, SubmitOptions { key: Some(key), ..options });
        job.begun = Some(SystemTime::now());
        // Who waits for the reply decides whether it is worth another attempt.
        job.max_attempts = 1;
        let jobs = self.clone();
        run_to_completion(async move {
            let id = job.id;
            let live = jobs.0.live.insert(id, JobState::Running, Vec::new());
            let record = job.record(0);
            let submission = jobs.0.submit(job).await;
            drop(charge);
            match submission {
                Ok(Submission::New(sequence)) => {
                    live.announce();
                    let job = Job { sequence, ..record };
                    let claimed = Claimed { job, call: Ok(call), presentation, unclaimed: None };
                    let inner = Arc::clone(&jobs.0);
                    jobs.0.running.spawn(async move {
                        inner.run_claimed(claimed, &live, &Handle::current(), permit).await;
                    });
                    Ok(Once { id, is_new: true })
                }
                other => {
                    jobs.0.live.remove(id);
                    known_or_conflict(&other.map_err(store_failure)?)
                }
            }
        })
        .await
    }
}

fn known_or_conflict(submission: &Submission) -> Result<Once, CallError> {
    match submission {
        Submission::Known(id) => Ok(Once { id: *id, is_new: false }),
        _ => Err(conflict()),
    }
}
