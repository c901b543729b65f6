//! An observer that keeps everything. Only for guests that say little.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tarp_host::sandbox::{Level, Observer, Progress, Streams};
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) progress: Mutex<Vec<Progress>>,
    pub(crate) log: Mutex<Vec<(Level, String)>>,
    pub(crate) fuel: Mutex<Vec<u64>>,
    pub(crate) output: Mutex<Option<Streams>>,
    pub(crate) cancelled: AtomicBool,
    /// The guest wants to know whether it should stop.
    pub(crate) asked: Notify,
}

impl Recorder {
    /// Itself, and itself as a call takes it.
    pub(crate) fn new() -> (Arc<Self>, Option<Arc<dyn Observer>>) {
        let recorder = Arc::new(Self::default());
        (Arc::clone(&recorder), Some(recorder))
    }
}

impl Observer for Recorder {
    fn started(&self, output: &Streams) {
        *self.output.lock().unwrap() = Some(output.clone());
    }

    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
    }

    fn log(&self, level: Level, message: String) {
        self.log.lock().unwrap().push((level, message));
    }

    fn is_cancelled(&self) -> bool {
        self.asked.notify_one();
        self.cancelled.load(Ordering::Relaxed)
    }

    fn fuel(&self, used: u64) {
        self.fuel.lock().unwrap().push(used);
    }
}
