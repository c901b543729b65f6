//! Whether the disk answers, by how long the writer has waited for it: time that it had a core, or waited
//! for one, is not the disk's.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::jobs::store::StoreError;

/// How long the disk may take over a transaction, besides the time for its bytes, before it counts as
/// one that does not answer.
const STALLED: Duration = Duration::from_secs(5);

/// Bytes a second that the slowest disk takes.
const SLOW_DISK: f64 = (4 << 20) as f64;

/// How often whoever waits looks whether the disk answers.
const LOOK: Duration = Duration::from_millis(100);

/// What the last transactions say of the disk.
#[derive(Default)]
pub(super) struct Disk {
    seen: Mutex<Seen>,
    writer: OnceLock<Scheduled>,
}

#[derive(Default)]
struct Seen {
    /// When a transaction was committed, where none has failed since.
    written: Option<Instant>,
    under_way: Option<UnderWay>,
}

/// A transaction that is not on the disk yet.
struct UnderWay {
    begun: Instant,
    /// What [`Scheduled::time`] was then.
    scheduled: Duration,
    /// How long the disk may take.
    allowed: Duration,
}

impl UnderWay {
    /// Whether the disk has had more than that, where the writer had or wanted a core for so long by now.
    fn is_stalled(&self, now: Instant, scheduled: Duration) -> bool {
        let others = scheduled.saturating_sub(self.scheduled);
        now.duration_since(self.begun).saturating_sub(others) > self.allowed
    }
}

impl Disk {
    /// The calling thread is the one that writes.
    pub(super) fn follow_this_thread(&self) {
        if let Some(scheduled) = Scheduled::of_this_thread() {
            let _ = self.writer.set(scheduled);
        }
    }

    pub(super) fn begin(&self, bytes: usize) {
        let allowed = STALLED + Duration::from_secs_f64(bytes as f64 / SLOW_DISK);
        let scheduled = self.scheduled();
        self.lock().under_way = Some(UnderWay { begun: Instant::now(), scheduled, allowed });
    }

    pub(super) fn end(&self) {
        self.lock().under_way = None;
    }

    pub(super) fn tell(&self, committed: bool) {
        self.lock().written = committed.then(Instant::now);
    }

    /// Whether the last transaction was committed, and so lately.
    pub(super) fn wrote_within(&self, time: Duration) -> bool {
        self.lock().written.is_some_and(|written| written.elapsed() < time)
    }

    /// Why nothing can be stored now, where the disk does not answer.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let seen = self.lock();
        let now = Instant::now();
        let is_stalled = seen.under_way.as_ref().is_some_and(|under_way| {
            // Not before the time is up in any case, since it takes some microseconds to ask.
            under_way.is_stalled(now, under_way.scheduled)
                && under_way.is_stalled(now, self.scheduled())
        });
        if !is_stalled {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!("its disk has not answered for more than {STALLED:?}")))
    }

    /// Completes when the disk does not answer.
    pub(super) async fn stalled(&self) -> StoreError {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.check() {
                return error;
            }
        }
    }

    fn scheduled(&self) -> Duration {
        self.writer.get().and_then(Scheduled::time).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the kernel says of a thread's time.
struct Scheduled(File);

impl Scheduled {
    /// `None` where the kernel does not say.
    fn of_this_thread() -> Option<Self> {
        File::open("/proc/thread-self/schedstat").ok().map(Self)
    }

    /// How long the thread has had a core, or could have used one.
    fn time(&self) -> Option<Duration> {
        let mut text = [0; 64];
        let length = self.0.read_at(&mut text, 0).ok()?;
        // Nanoseconds on a core, nanoseconds waiting for one, and how often.
        let mut words = std::str::from_utf8(&text[..length]).ok()?.split_ascii_whitespace();
        let mut nanoseconds = || words.next()?.parse::<u64>().ok();
        Some(Duration::from_nanos(nanoseconds()?.saturating_add(nanoseconds()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_the_writer_wants_a_core_is_not_the_disks() {
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let under_way = UnderWay { begun, scheduled: 100 * second, allowed: STALLED };
        let later = begun + 8 * second;
        assert!(under_way.is_stalled(later, 100 * second));
        assert!(under_way.is_stalled(later, 102 * second));
        assert!(!under_way.is_stalled(later, 103 * second));
        assert!(!under_way.is_stalled(begun + STALLED, 100 * second));
    }

    #[test]
    fn the_kernel_tells_a_thread_that_works_from_one_that_sleeps() {
        let scheduled = Scheduled::of_this_thread().expect("a kernel that says");
        let before = scheduled.time().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let slept = scheduled.time().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(200) {
            std::hint::spin_loop();
        }
        let worked = scheduled.time().unwrap();
        assert!(worked - slept > Duration::from_millis(150), "{:?}", worked - slept);
        assert!(slept - before < worked - slept, "{:?}", slept - before);
    }
}
