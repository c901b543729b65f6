//! A job that has not ended, as its host knows it: its state, progress, log and fuel, as they come. What
//! happens is published.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use super::live::{EventKind, MAX_EVENTS, Publisher};
use super::model::{Attempt, JobId, JobState, LogLine, Logs};
use super::place::Place;
use super::reason::WaitReason;
use crate::sandbox::{Level, Observer, Progress, Streams};

/// Bytes kept of a job's log; of a longer one the newest lines.
const MAX_LOG: usize = 256 << 10;

/// How often jobs have entered each state.
pub(super) type Entered = [AtomicU64; JobState::ALL.len()];

/// A job that has not ended.
pub(super) struct LiveJob {
    id: JobId,
    channel: Arc<dyn Publisher>,
    entered: Arc<Entered>,
    /// What it takes of the queue, while it waits.
    place: Mutex<Option<Place>>,
    fuel: AtomicU64,
    told: Mutex<Told>,
}

struct Told {
    state: JobState,
    /// Whether anything was published.
    is_announced: bool,
    /// What runs, while it does.
    attempt: Option<Attempt>,
    /// What it waits for but its turn, and since when.
    reason: Option<(WaitReason, Instant)>,
    progress: Option<Progress>,
    lines: VecDeque<LogLine>,
    lines_size: usize,
    lines_left_out: u64,
    streams: Option<Streams>,
}

impl LiveJob {
    /// In this state, of which nobody is told yet, with the lines that earlier attempts logged.
    pub(super) fn new(
        id: JobId,
        state: JobState,
        lines: Vec<LogLine>,
        channel: Arc<dyn Publisher>,
        entered: Arc<Entered>,
    ) -> Self {
        Self {
            id,
            channel,
            entered,
            place: Mutex::default(),
            fuel: AtomicU64::new(0),
            told: Mutex::new(Told {
                state,
                is_announced: false,
                attempt: None,
                reason: None,
                progress: None,
                lines_size: lines.iter().map(|line| line.message.len()).sum(),
                lines: lines.into(),
                lines_left_out: 0,
                streams: None,
            }),
        }
    }

    pub(super) fn id(&self) -> JobId {
        self.id
    }

    /// It is stored: tells of the state that it is in, unless somebody has gone on with it already.
    pub(super) fn announce(&self) {
        self.announce_first(&mut self.told());
    }

    fn announce_first(&self, told: &mut Told) {
        if !told.is_announced {
            self.publish_state(told);
        }
    }

    pub(super) fn enter(&self, state: JobState) {
        let mut told = self.told();
        told.enter(state, None);
        self.publish_state(&mut told);
    }

    /// This attempt runs.
    pub(super) fn run(&self, attempt: Attempt) {
        let mut told = self.told();
        // Whoever submitted it may not have come to it.
        self.announce_first(&mut told);
        told.enter(JobState::Running, Some(attempt));
        self.publish_state(&mut told);
    }

    fn publish_state(&self, told: &mut Told) {
        told.is_announced = true;
        self.entered[told.state as usize].fetch_add(1, Ordering::Relaxed);
        self.channel.publish(EventKind::State(told.state));
    }

    /// It waits, in this place.
    pub(super) fn wait(&self, place: Place) {
        *self.lock_place() = Some(place);
    }

    /// It waits no longer.
    pub(super) fn begin(&self) {
        *self.lock_place() = None;
    }

    fn lock_place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the job waits for; whether it did not wait for anything before.
    pub(super) fn wait_for(&self, reason: WaitReason) -> bool {
        let mut told = self.told();
        let since = told.reason.as_ref().map(|(_, since)| *since);
        told.reason = Some((reason, since.unwrap_or_else(Instant::now)));
        since.is_none()
    }

    /// What it waits for but its turn, and since when.
    pub(super) fn waits_for(&self) -> Option<(WaitReason, Instant)> {
        self.told().reason.clone()
    }

    /// The number of its newest event.
    pub(super) fn newest(&self) -> u64 {
        self.channel.newest()
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
        self.channel.stop().cancel();
    }

    pub(super) fn is_asked_to_stop(&self) -> bool {
        self.channel.stop().is_cancelled()
    }

    /// Completes when somebody asks it to stop.
    pub(super) async fn asked_to_stop(&self) {
        self.channel.stop().cancelled().await;
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn enter(&mut self, state: JobState, attempt: Option<Attempt>) {
        (self.state, self.attempt) = (state, attempt);
        if state != JobState::Queued {
            self.reason = None;
        }
    }
}

impl Observer for LiveJob {
    fn started(&self, output: &Streams) {
        self.told().streams = Some(output.clone());
    }

    fn progress(&self, progress: Progress) {
        let mut told = self.told();
        told.progress = Some(progress.clone());
        self.channel.publish(EventKind::Progress(progress));
    }

    fn log(&self, level: Level, message: String) {
        let mut told = self.told();
        let mut line = LogLine { number: 0, time: SystemTime::now(), level, message };
        line.number = self.channel.publish(EventKind::Log(line.clone()));
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
