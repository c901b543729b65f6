//! How the guest of a job ended, and what is recorded of that.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::live_job::LiveJob;
use super::model::{Completion, FailureCause, Job, JobState, Presentation};
use super::state::Inner;
use super::stored::StoredResult;
use super::verdict::ShutdownKind;
use crate::budget::Charge;
use crate::error::{CallError, ErrorKind};
use crate::sandbox::Receipt;
use crate::value::Value;

/// After there was no room for a guest, before it is tried again; doubles up to 16 times as long.
const NO_ROOM: Duration = Duration::from_millis(250);

/// How the guest of a job ended.
pub(super) enum AttemptOutcome {
    Returned(Value, Receipt),
    Failed(Box<CallError>, Receipt),
    /// Asked to stop; with its receipt if it stopped by itself.
    Stopped(Option<Receipt>),
    /// The host goes down and waits no longer.
    Left,
}

impl Inner {
    /// What is to be recorded of an attempt. `held` is what holds room for its result.
    pub(super) fn completion(
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
