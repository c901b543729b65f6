//! What can be told of a job before its end: its state, progress, log and fuel, as they come. Knows no
//! store; what is here is lost with the host.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::model::{Attempt, JobId, JobState, LogLine, Logs};
use super::pending::Pending;
use crate::sandbox::{Level, Observer, Progress, Streams};

/// Events that a follower who was away can catch up with.
const MAX_EVENTS: usize = 1000;

/// Bytes kept of a job's log; of a longer one the newest lines.
const MAX_LOG: usize = 256 << 10;

/// All jobs that have not ended.
#[derive(Default)]
pub(super) struct Live {
    jobs: Mutex<HashMap<JobId, Arc<LiveJob>>>,
    news: Arc<News>,
}

/// What is told of all jobs together.
#[derive(Default)]
struct News {
    /// How often jobs have entered each state.
    entered: [AtomicU64; JobState::ALL.len()],
    /// Something has happened to some job.
    changed: watch::Sender<()>,
}

impl Live {
    /// A job in this state, with the lines that earlier attempts logged. To be there before the store
    /// has it, so that whoever finds it in the store finds it here.
    pub(super) fn insert(&self, id: JobId, state: JobState, lines: Vec<LogLine>) -> Arc<LiveJob> {
        let job = Arc::new(LiveJob::new(id, state, lines, Arc::clone(&self.news)));
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
        std::array::from_fn(|i| self.news.entered[i].load(Ordering::Relaxed))
    }

    /// Something has happened to jobs that have ended.
    pub(super) fn note(&self) {
        self.news.changed.send_replace(());
    }

    /// Tells when something happens to some job.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.news.changed.subscribe()
    }

    pub(super) fn get(&self, id: JobId) -> Option<Arc<LiveJob>> {
        self.lock().get(&id).cloned()
    }

    /// The job has ended; those who follow it are told.
    pub(super) fn end(&self, id: JobId, state: JobState) {
        let job = self.lock().remove(&id);
        if let Some(job) = job {
            // Those who follow it may keep it for longer.
            job.begin();
            job.enter(state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Arc<LiveJob>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that has not ended.
pub(super) struct LiveJob {
    id: JobId,
    stop: CancellationToken,
    is_asked_to_stop: AtomicBool,
    /// What is needed to begin it, while it waits.
    pending: Mutex<Option<Arc<Pending>>>,
    fuel: AtomicU64,
    told: Mutex<Told>,
    /// The number of the newest event.
    newest: watch::Sender<u64>,
    news: Arc<News>,
}

struct Told {
    state: JobState,
    /// What runs, while it does.
    attempt: Option<Attempt>,
    /// What it waits for that is not there, and since when.
    missing: Option<(String, Instant)>,
    progress: Option<Progress>,
    lines: VecDeque<LogLine>,
    lines_size: usize,
    lines_left_out: u64,
    streams: Option<Streams>,
    events: VecDeque<Event>,
}

/// Something that happened to a job.
#[derive(Debug, Clone)]
pub struct Event {
    /// Counts up, also from one host to the next.
    pub number: u64,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// It entered another state.
    State(JobState),
    /// It said how far it has come.
    Progress(Progress),
    /// It logged something.
    Log(LogLine),
}

impl LiveJob {
    fn new(id: JobId, state: JobState, lines: Vec<LogLine>, news: Arc<News>) -> Self {
        Self {
            id,
            stop: CancellationToken::new(),
            is_asked_to_stop: AtomicBool::new(false),
            pending: Mutex::default(),
            fuel: AtomicU64::new(0),
            told: Mutex::new(Told {
                state,
                attempt: None,
                missing: None,
                progress: None,
                lines_size: lines.iter().map(|line| line.message.len()).sum(),
                lines: lines.into(),
                lines_left_out: 0,
                streams: None,
                events: VecDeque::new(),
            }),
            newest: watch::Sender::new(first_number()),
            news,
        }
    }

    pub(super) fn id(&self) -> JobId {
        self.id
    }

    pub(super) fn enter(&self, state: JobState) {
        self.enter_with(state, None);
    }

    /// This attempt runs.
    pub(super) fn run(&self, attempt: Attempt) {
        self.enter_with(JobState::Running, Some(attempt));
    }

    fn enter_with(&self, state: JobState, attempt: Option<Attempt>) {
        let mut told = self.told();
        (told.state, told.attempt) = (state, attempt);
        if state != JobState::Queued {
            told.missing = None;
        }
        self.news.entered[state as usize].fetch_add(1, Ordering::Relaxed);
        self.tell(&mut told, |_| EventKind::State(state));
    }

    /// It waits. To be said before it is in the queue.
    pub(super) fn wait(&self, pending: Pending) {
        *self.lock_pending() = Some(Arc::new(pending));
    }

    /// What is needed to begin it, if it waits.
    pub(super) fn pending(&self) -> Option<Arc<Pending>> {
        self.lock_pending().clone()
    }

    /// It waits no longer.
    pub(super) fn begin(&self) {
        *self.lock_pending() = None;
    }

    fn lock_pending(&self) -> MutexGuard<'_, Option<Arc<Pending>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the job waits for; whether that is news.
    pub(super) fn wait_for(&self, reason: String) -> bool {
        let mut told = self.told();
        let since = told.missing.as_ref().map(|(_, since)| *since);
        told.missing = Some((reason, since.unwrap_or_else(Instant::now)));
        since.is_none()
    }

    /// What it waits for that is not there, and since when.
    pub(super) fn waits_for(&self) -> Option<(String, Instant)> {
        self.told().missing.clone()
    }

    /// The number of its newest event.
    pub(super) fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    pub(super) fn state(&self) -> JobState {
        self.told().state
    }

    /// What runs, which the store may not know of yet.
    pub(super) fn attempt(&self) -> Option<Attempt> {
        self.told().attempt.clone()
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        self.told().progress.clone()
    }

    /// Units of fuel used so far.
    pub(super) fn fuel(&self) -> u64 {
        self.fuel.load(Ordering::Relaxed)
    }

    /// Everything that it wrote and logged so far.
    pub(super) fn logs(&self) -> Logs {
        let told = self.told();
        let output = told.streams.as_ref().map(Streams::text).unwrap_or_default();
        let left_out = (told.lines_left_out > 0).then(|| LogLine {
            number: told.lines.front().map_or(0, |line| line.number - 1),
            time: told.lines.front().map_or(SystemTime::UNIX_EPOCH, |line| line.time),
            level: Level::Warn,
            message: format!("[... {} lines left out ...]", told.lines_left_out),
        });
        let lines = left_out.into_iter().chain(told.lines.iter().cloned()).collect();
        Logs { stdout: output.stdout, stderr: output.stderr, lines }
    }

    pub(super) fn ask_to_stop(&self) {
        self.is_asked_to_stop.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    pub(super) fn is_asked_to_stop(&self) -> bool {
        self.is_asked_to_stop.load(Ordering::Relaxed)
    }

    /// Completes when somebody asks it to stop.
    pub(super) async fn asked_to_stop(&self) {
        self.stop.cancelled().await;
    }

    /// Waits for the end, for so long; whether it came.
    pub(super) async fn ended(&self, up_to: Duration) -> bool {
        let mut newest = self.newest.subscribe();
        let end = async {
            // The state is never looked at while the channel is locked: `tell` locks them the other
            // way round.
            while !self.state().is_terminal() && newest.changed().await.is_ok() {}
        };
        tokio::time::timeout(up_to, end).await.is_ok()
    }

    /// Makes an event of its number, under the lock, so that numbers are told in their order.
    fn tell(&self, told: &mut Told, event: impl FnOnce(u64) -> EventKind) {
        let number = *self.newest.borrow() + 1;
        let kind = event(number);
        // Of progress only the newest counts.
        if matches!((&kind, told.events.back()), (EventKind::Progress(_), Some(last)) if matches!(last.kind, EventKind::Progress(_)))
        {
            told.events.pop_back();
        }
        if told.events.len() == MAX_EVENTS {
            told.events.pop_front();
        }
        told.events.push_back(Event { number, kind });
        self.newest.send_replace(number);
        self.news.changed.send_replace(());
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for LiveJob {
    fn started(&self, output: &Streams) {
        self.told().streams = Some(output.clone());
    }

    fn progress(&self, progress: Progress) {
        let mut told = self.told();
        told.progress = Some(progress.clone());
        self.tell(&mut told, |_| EventKind::Progress(progress));
    }

    fn log(&self, level: Level, message: String) {
        let mut told = self.told();
        let mut line = LogLine { number: 0, time: SystemTime::now(), level, message };
        self.tell(&mut told, |number| {
            line.number = number;
            EventKind::Log(line.clone())
        });
        told.lines_size += line.message.len();
        told.lines.push_back(line);
        while told.lines_size > MAX_LOG || told.lines.len() > MAX_EVENTS {
            let Some(oldest) = told.lines.pop_front() else { break };
            told.lines_size -= oldest.message.len();
            told.lines_left_out += 1;
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_asked_to_stop()
    }

    fn fuel(&self, used: u64) {
        self.fuel.store(used, Ordering::Relaxed);
    }
}

/// Higher than any number that an earlier host gave to an event, as long as no job had more than a
/// thousand events a millisecond and the clock has not gone back.
fn first_number() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or_default()
}

/// Follows a job's events.
pub struct Follower {
    job: Arc<LiveJob>,
    newest: watch::Receiver<u64>,
    /// The number of the last event that was given.
    seen: u64,
}

impl Follower {
    /// Follows from the event after `seen` on.
    pub(super) fn new(job: Arc<LiveJob>, seen: u64) -> Self {
        let newest = job.newest.subscribe();
        Self { job, newest, seen }
    }

    /// The job that is followed.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.job.id
    }

    /// The next event; `None` after that of the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            self.newest.borrow_and_update();
            {
                let told = self.job.told();
                let next = told.events.iter().find(|event| event.number > self.seen);
                if let Some(event) = next {
                    self.seen = event.number;
                    return Some(event.clone());
                }
                if told.state.is_terminal() {
                    return None;
                }
            }
            // The sender lives as long as the job that we hold.
            self.newest.changed().await.ok()?;
        }
    }
}
