//! [`MemoryStore`]: the promises of a store, as directly as they can be written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tarp_host::config::Labels;
use tarp_host::jobs::model::{
    Attempt, Completion, FailureCause, IdempotencyKey, Job, JobId, JobState, Logs, NewJob, Version,
};
use tarp_host::jobs::store::{
    Fence, Filter, JobStore, KEPT_ARGUMENTS, Lookup, MAX_COUNTED, Page, StoreError, Submission,
    Turn,
};
use tarp_host::sandbox::{Progress, Receipt};
use tokio::sync::Notify;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) type Kept = Arc<Mutex<Data>>;

/// What outlives a store.
#[derive(Default)]
pub(super) struct Data {
    clock: Duration,
    submitted: u64,
    /// By the order of submission.
    jobs: BTreeMap<u64, Entry>,
    keys: HashMap<Box<str>, ([u8; 32], JobId, Duration)>,
    /// Whose they were, and until when that is known.
    gone: HashMap<JobId, (Option<Arc<str>>, Duration)>,
}

struct Entry {
    job: Job,
    arguments: Option<Vec<u8>>,
    result: Option<Vec<u8>>,
    logs: Option<Logs>,
    expires: Option<Duration>,
}

/// What no runner has, and from when on it may be begun.
type Offers = HashMap<JobId, Option<SystemTime>>;

pub(super) struct MemoryStore {
    kept: Kept,
    offers: Mutex<Offers>,
    offered: Notify,
}

impl MemoryStore {
    pub(super) fn open(kept: Kept) -> Self {
        Self { kept, offers: Mutex::default(), offered: Notify::new() }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.kept.lock().unwrap()
    }

    fn offer(&self, id: JobId, not_before: Option<SystemTime>) {
        self.offers.lock().unwrap().insert(id, not_before);
        self.offered.notify_waiters();
    }

    /// What is offered, in the order of its turns.
    fn in_order(&self) -> Vec<Job> {
        let offers = self.offers.lock().unwrap().clone();
        let data = self.data();
        let mut jobs: Vec<Job> = data
            .jobs
            .values()
            .filter(|entry| offers.contains_key(&entry.job.id))
            .map(|entry| entry.job.clone())
            .collect();
        jobs.sort_by_key(|job| (offers[&job.id], job.priority, job.sequence));
        jobs
    }
}

impl MemoryStore {
    fn hand_out(&self, capacity: usize, labels: &Labels) -> Vec<Turn> {
        let now = SystemTime::now();
        let jobs = self.in_order();
        let mut offers = self.offers.lock().unwrap();
        let mut is_handed_out = |job: &Job| {
            let is_due = offers.get(&job.id).is_some_and(|from| from.is_none_or(|t| t <= now));
            is_due && labels.cover(&job.requires) && offers.remove(&job.id).is_some()
        };
        let turns = jobs.into_iter().filter(|job| is_handed_out(job)).map(Turn::new);
        turns.take(capacity).collect()
    }
}

impl Data {
    fn find(&mut self, id: JobId) -> Option<&mut Entry> {
        self.jobs.values_mut().find(|entry| entry.job.id == id)
    }

    /// The job that is queued, or in that attempt, or queued before it.
    fn unfinished(&mut self, id: JobId, fence: Fence) -> Option<&mut Entry> {
        self.find(id).filter(|Entry { job, .. }| match (fence, job.state) {
            (Fence::Queued, JobState::Queued) => true,
            (Fence::Attempt(number), JobState::Queued) => number == job.attempts + 1,
            (Fence::Attempt(number), JobState::Running) => number == job.attempts,
            _ => false,
        })
    }

    fn known(&self, key: &IdempotencyKey) -> Option<Submission> {
        let (request, id, expires) = self.keys.get(&key.key)?;
        (*expires > self.clock).then(|| match *request == key.request {
            true => Submission::Known(*id),
            false => Submission::Conflict,
        })
    }

    fn forget(&mut self, sequence: u64) {
        if let Some(Entry { job, .. }) = self.jobs.remove(&sequence) {
            self.gone.insert(job.id, (job.owner, self.clock + 30 * DAY));
        }
    }

    fn view(&self, entry: &Entry) -> Job {
        let kept_for = entry.expires.map(|expires| expires.saturating_sub(self.clock));
        Job { kept_for, ..entry.job.clone() }
    }
}

fn begin(job: &mut Job, attempt: &Attempt) {
    let Attempt { number, version: Version { file, digest, is_repeatable }, started } = attempt;
    (job.attempts, job.started, job.is_repeatable) = (*number, Some(*started), *is_repeatable);
    (job.file, job.digest) = (Arc::clone(file), Arc::clone(digest));
}

#[async_trait]
impl JobStore for MemoryStore {
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        let mut data = self.data();
        if let Some(known) = job.key.as_ref().and_then(|key| data.known(key)) {
            return Ok(known);
        }
        if data.find(job.id).is_some() {
            return Err(StoreError::Unavailable("the handle is there".into()));
        }
        data.submitted += 1;
        let sequence = data.submitted;
        if let Some(IdempotencyKey { key, request }) = &job.key {
            let expires = data.clock + DAY;
            data.keys.insert(key.clone(), (*request, job.id, expires));
        }
        let record = job.record(sequence);
        let (id, state) = (record.id, record.state);
        let arguments = Some(job.arguments);
        let entry = Entry { job: record, arguments, result: None, logs: None, expires: None };
        data.jobs.insert(sequence, entry);
        drop(data);
        if state == JobState::Queued {
            self.offer(id, None);
        }
        Ok(Submission::New(sequence))
    }

    async fn known(&self, key: &IdempotencyKey) -> Result<Option<Submission>, StoreError> {
        Ok(self.data().known(key))
    }

    async fn next(&self, capacity: usize, labels: &Labels) -> Result<Vec<Turn>, StoreError> {
        loop {
            let mut offered = std::pin::pin!(self.offered.notified());
            offered.as_mut().enable();
            let turns = self.hand_out(capacity, labels);
            if !turns.is_empty() {
                return Ok(turns);
            }
            // What is offered for later is looked for again then, or a little after.
            let _ = tokio::time::timeout(Duration::from_millis(5), offered).await;
        }
    }

    fn release(&self, turn: Turn, not_before: Option<SystemTime>) {
        self.offer(turn.job.id, not_before);
    }

    async fn take(&self, id: JobId) -> Option<Turn> {
        self.offers.lock().unwrap().remove(&id)?;
        self.data().find(id).map(|entry| Turn::new(entry.job.clone()))
    }

    fn position(&self, id: JobId) -> Option<usize> {
        self.in_order().iter().position(|job| job.id == id).map(|before| before + 1)
    }

    async fn claim(&self, id: JobId, attempt: Attempt) -> Result<bool, StoreError> {
        let mut data = self.data();
        let Some(Entry { job, .. }) = data.unfinished(id, Fence::Attempt(attempt.number)) else {
            return Ok(false);
        };
        if job.state == JobState::Queued {
            begin(job, &attempt);
            job.state = JobState::Running;
            (job.not_before, job.progress, job.error) = (None, None, None);
            job.receipt = Receipt::default();
        }
        Ok(true)
    }

    /// It ends with its host.
    fn mark(&self, _number: u32, _id: JobId, _attempt: u32) {}

    fn wrote_lately(&self) -> bool {
        true
    }

    async fn note(
        &self,
        id: JobId,
        attempt: u32,
        progress: Option<Progress>,
        logs: Logs,
    ) -> Result<bool, StoreError> {
        let mut data = self.data();
        let running = data.unfinished(id, Fence::Attempt(attempt));
        let Some(entry) = running.filter(|entry| entry.job.state == JobState::Running) else {
            return Ok(false);
        };
        (entry.job.progress, entry.logs) = (progress, Some(logs));
        Ok(true)
    }

    async fn finish(
        &self,
        id: JobId,
        fence: Fence,
        completion: Completion,
    ) -> Result<bool, StoreError> {
        let mut data = self.data();
        let clock = data.clock;
        let Some(entry) = data.unfinished(id, fence) else { return Ok(false) };
        let job = &mut entry.job;
        if let Fence::Attempt(number) = fence {
            job.attempts = number;
            if let Some(attempt) = &completion.attempt {
                begin(job, attempt);
            }
        }
        job.state = completion.state;
        job.failures += u32::from(completion.fault == FailureCause::Attempt);
        job.crashes += u32::from(completion.fault == FailureCause::Crash);
        (job.receipt, job.progress, job.error) =
            (completion.receipt, completion.progress, completion.error);
        entry.logs = Some(completion.logs);
        if job.state.is_terminal() {
            (job.ended, job.not_before) = (Some(completion.ended), None);
            entry.expires = Some(clock.saturating_add(completion.keep_for));
            entry.arguments.take_if(|arguments| arguments.len() > KEPT_ARGUMENTS);
        } else {
            job.not_before = completion.not_before;
        }
        if job.state == JobState::Succeeded {
            entry.result = completion.result.map(|result| result.to_vec());
        }
        drop(data);
        self.offers.lock().unwrap().remove(&id);
        Ok(true)
    }

    async fn remove(&self, id: JobId) -> Result<bool, StoreError> {
        let mut data = self.data();
        let ended = data.find(id).filter(|entry| entry.job.state.is_terminal());
        let Some(sequence) = ended.map(|entry| entry.job.sequence) else { return Ok(false) };
        data.forget(sequence);
        Ok(true)
    }

    async fn ask_to_stop(&self, id: JobId) -> Result<bool, StoreError> {
        let mut data = self.data();
        let found = data.find(id).filter(|entry| !entry.job.state.is_terminal());
        let Some(entry) = found else { return Ok(false) };
        entry.job.cancel_requested = true;
        Ok(true)
    }

    async fn get(&self, id: JobId) -> Result<Lookup, StoreError> {
        let data = self.data();
        if let Some(entry) = data.jobs.values().find(|entry| entry.job.id == id) {
            return Ok(Lookup::Found(Box::new(data.view(entry))));
        }
        let gone = data.gone.get(&id);
        Ok(gone.map_or(Lookup::Unknown, |(owner, _)| Lookup::Gone { owner: owner.clone() }))
    }

    async fn result(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.data().find(id).and_then(|entry| entry.result.clone()))
    }

    async fn arguments(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.data().find(id).and_then(|entry| entry.arguments.clone()))
    }

    async fn counts(
        &self,
        procedure: Option<&str>,
        owner: Option<&str>,
    ) -> Result<[u64; JobState::ALL.len()], StoreError> {
        let data = self.data();
        Ok(JobState::ALL.map(|state| {
            let jobs = data.jobs.values().map(|entry| &entry.job).filter(|job| {
                job.state == state
                    && procedure.is_none_or(|procedure| procedure == &*job.procedure)
                    && owner.is_none_or(|owner| job.owner.as_deref() == Some(owner))
            });
            (jobs.count() as u64).min(MAX_COUNTED)
        }))
    }

    async fn logs(&self, id: JobId) -> Result<Option<Logs>, StoreError> {
        Ok(self.data().find(id).and_then(|entry| entry.logs.clone()))
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        let data = self.data();
        let states: HashSet<usize> = filter.states.iter().map(|state| *state as usize).collect();
        let mut jobs: Vec<Job> = data
            .jobs
            .values()
            .rev()
            .map(|entry| data.view(entry))
            .filter(|job| {
                (states.is_empty() || states.contains(&(job.state as usize)))
                    && filter.procedure.as_deref().is_none_or(|name| name == &*job.procedure)
                    && filter.owner.as_ref().is_none_or(|owner| job.owner.as_ref() == Some(owner))
                    && filter.since.is_none_or(|since| job.submitted >= since)
                    && filter.until.is_none_or(|until| job.submitted < until)
                    && filter.before.is_none_or(|before| job.sequence < before)
            })
            .collect();
        let is_more = jobs.len() > filter.limit;
        jobs.truncate(filter.limit);
        let next = jobs.last().filter(|_| is_more).map(|job| job.sequence);
        Ok(Page { jobs, next })
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}

    async fn unfinished(&self) -> Result<Vec<Job>, StoreError> {
        let data = self.data();
        let jobs = data.jobs.values().map(|entry| data.view(entry));
        Ok(jobs.filter(|job| !job.state.is_terminal()).collect())
    }

    async fn prune(&self, elapsed: Duration) -> Result<usize, StoreError> {
        let mut data = self.data();
        let clock = data.clock.saturating_add(elapsed);
        let is_over = |entry: &Entry| entry.expires.is_some_and(|expires| expires <= clock);
        let over: Vec<u64> =
            data.jobs.iter().filter(|(_, entry)| is_over(entry)).map(|(n, _)| *n).collect();
        data.clock = clock;
        for sequence in &over {
            data.forget(*sequence);
        }
        data.keys.retain(|_, (_, _, expires)| *expires > clock);
        data.gone.retain(|_, (_, expires)| *expires > clock);
        Ok(over.len())
    }
}
