//! Puts lines into the file, on a thread of its own: a disk that is full or does not answer holds up nobody
//! who has something to tell.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use tracing::{error, info};

use super::entry::{Entry, Event};
use super::file::LogFile;

/// Bytes of lines that may wait.
const MAX_WAITING: usize = 4 << 20;

/// How long lines are gathered that are written at once: to wake the thread costs more than a line.
const GATHERED_FOR: Duration = Duration::from_millis(10);

/// After the file could not be written, before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes lines.
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// There is a line, or there will be no more.
    changed: Condvar,
    /// The thread has done all that it can.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// Bytes of all lines, also of those that are being written.
    size: usize,
    /// Lines dropped since the start, and how many of them the log has been told of.
    dropped: u64,
    told: u64,
    /// Whether the thread has nothing to do.
    is_idle: bool,
    is_closing: bool,
    has_ended: bool,
}

impl Writer {
    /// One that writes to this file.
    pub(super) fn start(file: LogFile) -> io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let thread = std::thread::Builder::new().name("tarp-audit".into()).spawn({
            let queue = Arc::clone(&queue);
            move || {
                queue.write_to(file);
                queue.lock().has_ended = true;
                queue.ended.notify_all();
            }
        })?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Writes a line soon, or drops it where too many wait.
    pub(super) fn push(&self, line: Vec<u8>) {
        let mut state = self.queue.lock();
        if state.is_closing || state.size + line.len() > MAX_WAITING {
            state.dropped += 1;
            return;
        }
        state.size += line.len();
        state.lines.push_back(line);
        let is_urgent = state.is_idle || state.size > MAX_WAITING / 2;
        drop(state);
        if is_urgent {
            self.queue.changed.notify_one();
        }
    }

    /// Lines dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.queue.lock().dropped
    }

    /// Writes what waits, as far as that is possible, and takes no more. Whether it was done within this time.
    pub(super) fn close(&self, timeout: Duration) -> bool {
        let mut state = self.queue.lock();
        state.is_closing = true;
        self.queue.changed.notify_all();
        let waited = self.queue.ended.wait_timeout_while(state, timeout, |state| !state.has_ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.has_ended && state.lines.is_empty()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.lock().is_closing = true;
        self.queue.changed.notify_all();
        // A thread whose disk does not answer cannot be waited for.
        drop(self.thread.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next lines, and how many were dropped before them; `None` where there will be no more.
    fn next(&self) -> Option<(VecDeque<Vec<u8>>, u64)> {
        let is_idle = |state: &mut State| {
            state.is_idle =
                state.lines.is_empty() && state.dropped == state.told && !state.is_closing;
            state.is_idle
        };
        let waited = self.changed.wait_while(self.lock(), is_idle);
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        let is_gathering = |state: &mut State| state.size <= MAX_WAITING / 2 && !state.is_closing;
        let waited = self.changed.wait_timeout_while(state, GATHERED_FOR, is_gathering);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut state.lines);
        let dropped = state.dropped - state.told;
        (!lines.is_empty() || dropped > 0).then_some((lines, dropped))
    }

    fn write_to(&self, mut file: LogFile) {
        while let Some((mut lines, dropped)) = self.next() {
            while !lines.is_empty() {
                match self.insist(&mut file, &lines) {
                    Ok(count) => {
                        let size: usize = lines.drain(..count).map(|line| line.len()).sum();
                        self.lock().size -= size;
                    }
                    Err(error) => {
                        error!(%error, lines = lines.len(), "the last lines of the audit log are lost");
                        self.lock().lines = lines;
                        return;
                    }
                }
            }
            // After those that were waiting when they were dropped.
            if dropped > 0 {
                let entry = Entry { lines: Some(dropped), ..Entry::new(Event::Dropped) };
                let line = entry.line(SystemTime::now());
                if self.insist(&mut file, &[line].into()).is_err() {
                    return;
                }
                self.lock().told += dropped;
            }
        }
        if let Err(error) = file.sync() {
            error!(%error, "the last lines of the audit log may be lost");
        }
    }

    /// Writes the first of these lines, and more if that can be done at once, however long it takes, but for the
    /// end of the host. Gives how many it wrote.
    fn insist(&self, file: &mut LogFile, lines: &VecDeque<Vec<u8>>) -> io::Result<usize> {
        let lines = || lines.iter().map(Vec::as_slice);
        let mut failing_since = None;
        loop {
            // Where there is no room for all of them, there may be for one.
            let appended = match failing_since {
                None => file.append(lines()),
                Some(_) => file.append(lines().take(1)),
            };
            match appended {
                Ok(count) => {
                    if failing_since.is_some() {
                        info!("the audit log is written again");
                    }
                    return Ok(count);
                }
                Err(error) => {
                    if failing_since.is_none() {
                        error!(%error, "cannot write the audit log; lines wait, and are dropped and counted where they are too many");
                    }
                    failing_since.get_or_insert_with(Instant::now);
                    let waited = self
                        .changed
                        .wait_timeout_while(self.lock(), PAUSE, |state| !state.is_closing);
                    if waited.unwrap_or_else(PoisonError::into_inner).0.is_closing {
                        // What has passed by now is not lost.
                        return file.append(lines().take(1));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn line(number: usize) -> Vec<u8> {
        format!("{{\"number\":{number}}}\n").into_bytes()
    }

    #[test]
    fn lines_are_written_in_order_and_the_last_ones_too() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        let writer = Writer::start(LogFile::open(&path, 1 << 20, 1).unwrap()).unwrap();
        (0..1000).for_each(|number| writer.push(line(number)));
        assert!(writer.close(PATIENCE));
        let expected: Vec<u8> = (0..1000).flat_map(line).collect();
        assert_eq!(fs::read(&path).unwrap(), expected);
        writer.push(line(1000));
        assert_eq!(writer.dropped(), 1, "it is closed");
    }

    #[test]
    fn while_nothing_can_be_written_lines_wait_and_then_are_dropped_and_counted() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("logs");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("audit.jsonl");
        // The first line fills a file, so that the next one needs another.
        let writer = Writer::start(LogFile::open(&path, 1, 0).unwrap()).unwrap();
        writer.push(line(0));
        while fs::read(&path).unwrap().is_empty() {
            std::thread::yield_now();
        }
        fs::remove_dir_all(&folder).unwrap();
        fs::write(&folder, "in its place").unwrap();
        let long = vec![b'x'; 1 << 20];
        (0..10).for_each(|_| writer.push(long.clone()));
        assert!((6..=7).contains(&writer.dropped()), "{}", writer.dropped());
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        let told = || {
            let text = fs::read_to_string(&path).unwrap_or_default();
            text.contains("\"event\":\"dropped\"") && text.contains("\"lines\":")
        };
        let start = Instant::now();
        while !told() {
            assert!(start.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(writer.close(PATIENCE));
    }

    #[test]
    fn a_file_that_cannot_be_written_does_not_hold_up_the_end() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        let writer = Writer::start(LogFile::open(&path, 1, 0).unwrap()).unwrap();
        writer.push(line(0));
        while fs::read(&path).unwrap().is_empty() {
            std::thread::yield_now();
        }
        drop(home);
        fs::write(path.parent().unwrap(), "in its place").unwrap();
        writer.push(line(1));
        assert!(!writer.close(PATIENCE));
        fs::remove_file(path.parent().unwrap()).unwrap();
    }
}
