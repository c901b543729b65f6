//! All jobs of this host that have not ended.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::live::LiveChannel;
use super::live_job::{Entered, LiveJob};
use super::model::{JobId, JobState, LogLine};

/// All jobs that have not ended.
pub(super) struct LiveJobs {
    jobs: Mutex<HashMap<JobId, Arc<LiveJob>>>,
    channel: Arc<dyn LiveChannel>,
    entered: Arc<Entered>,
}

impl LiveJobs {
    /// None yet; what happens to them is published there.
    pub(super) fn new(channel: Arc<dyn LiveChannel>) -> Self {
        Self { jobs: Mutex::default(), channel, entered: Arc::default() }
    }

    /// A job in this state, with the lines that earlier attempts logged. To be there before the store
    /// has it, so that whoever finds it in the store finds it here.
    pub(super) fn insert(&self, id: JobId, state: JobState, lines: Vec<LogLine>) -> Arc<LiveJob> {
        let entered = Arc::clone(&self.entered);
        let job = Arc::new(LiveJob::new(id, state, lines, self.channel.open(id), entered));
        self.lock().insert(id, Arc::clone(&job));
        job
    }

    /// A job that was not stored after all.
    pub(super) fn remove(&self, id: JobId) {
        self.lock().remove(&id);
    }

    /// How many jobs have not ended.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// How often jobs have entered each state, in the order of [`JobState::ALL`].
    pub(super) fn entered(&self) -> [u64; JobState::ALL.len()] {
        std::array::from_fn(|i| self.entered[i].load(Ordering::Relaxed))
    }

    pub(super) fn get(&self, id: JobId) -> Option<Arc<LiveJob>> {
        self.lock().get(&id).cloned()
    }

    /// The job has ended; those who follow it are told.
    pub(super) fn end(&self, id: JobId, state: JobState) {
        let job = self.lock().remove(&id);
        if let Some(job) = job {
            // Somebody may keep it for longer.
            job.begin();
            job.enter(state);
        }
    }

    /// Where they are followed and asked to stop.
    pub(super) fn channel(&self) -> &dyn LiveChannel {
        &*self.channel
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Arc<LiveJob>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
