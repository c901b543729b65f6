//! The one thread that writes. It takes all changes that wait, makes them in one transaction, and
//! acknowledges them when the transaction is on the disk: a wait for the disk serves many.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Result;
use tokio::sync::{mpsc, oneshot};

use super::disk::Disk;
use super::fault::{fault, is_conflict};
use super::lock::Lock;
use super::questions::Questions;
use super::session::Session;
use super::transaction::{Change, TransactionError, Transactions};
use crate::jobs::store::StoreError;

/// How many changes go into one transaction, and how many may wait before more are held back.
const MAX_BATCH: usize = 256;

/// With how many bytes of arguments and results.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// Where changes go.
pub(super) struct Writer {
    open: Mutex<Option<Open>>,
    disk: Arc<Disk>,
}

/// Until it is closed.
struct Open {
    changes: mpsc::Sender<Box<dyn Change>>,
    thread: JoinHandle<()>,
}

struct Waiting<T, F> {
    apply: F,
    size: usize,
    outcome: Option<Result<T, StoreError>>,
    asker: oneshot::Sender<Result<T, StoreError>>,
    /// Whoever asked for it was told that it is not made.
    is_withdrawn: Arc<AtomicBool>,
}

impl<T, F> Change for Waiting<T, F>
where
    T: Send,
    F: FnMut(&mut Session<'_>) -> Result<T> + Send,
{
    fn apply(&mut self, session: &mut Session<'_>) -> Result<()> {
        if self.is_withdrawn.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.outcome = Some(match (self.apply)(session) {
            Err(e) if is_conflict(&e) => Err(fault(&e)),
            outcome => Ok(outcome?),
        });
        Ok(())
    }

    fn size(&self) -> usize {
        self.size
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let nothing = || Err(StoreError::Unavailable("the change was not made".into()));
        let Self { outcome, asker, .. } = *self;
        // Whoever asked may have gone; the change stands all the same.
        let _ = asker.send(committed.and_then(|()| outcome.unwrap_or_else(nothing)));
    }
}

impl Writer {
    /// Starts the thread on the database at `path`.
    ///
    /// # Errors
    ///
    /// If the database cannot be opened. A thread that cannot be started panics, as everywhere.
    pub(super) fn start(path: PathBuf, lock: Arc<Lock>, questions: Arc<Questions>) -> Result<Self> {
        let transactions = Transactions::open(path, questions)?;
        let (sender, receiver) = mpsc::channel(MAX_BATCH);
        let disk = Arc::<Disk>::default();
        let seen = Arc::clone(&disk);
        let body = move || {
            run(receiver, transactions, &seen);
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("job-store".into()).spawn(body);
        let open = Open { changes: sender, thread: thread.expect("a thread") };
        Ok(Self { open: Mutex::new(Some(open)), disk })
    }

    /// Has a change made, with `size` bytes to be written, and waits until it is on the disk.
    pub(super) async fn change<T, F>(&self, size: usize, apply: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        self.ask(size, Arc::default(), apply).await
    }

    /// The same, unless the disk does not answer: then it fails, and the change is not made if it was not
    /// begun. If it was, `undo` is told what it gave once it is on the disk after all.
    pub(super) async fn change_soon<T, F>(
        self: &Arc<Self>,
        size: usize,
        apply: F,
        undo: impl FnOnce(&Arc<Self>, T) + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        self.disk.check()?;
        let is_withdrawn = Arc::<AtomicBool>::default();
        let writer = Arc::clone(self);
        let withdrawn = Arc::clone(&is_withdrawn);
        let mut asking = Box::pin(async move { writer.ask(size, withdrawn, apply).await });
        tokio::select! {
            outcome = &mut asking => outcome,
            error = self.disk.stalled() => {
                is_withdrawn.store(true, Ordering::Relaxed);
                let writer = Arc::clone(self);
                tokio::spawn(async move {
                    if let Ok(made) = asking.await {
                        undo(&writer, made);
                    }
                });
                Err(error)
            }
        }
    }

    async fn ask<T, F>(
        &self,
        size: usize,
        is_withdrawn: Arc<AtomicBool>,
        apply: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        let ended = || StoreError::Unavailable("its writer has ended".into());
        let (asker, outcome) = oneshot::channel();
        let change = Box::new(Waiting { apply, size, outcome: None, asker, is_withdrawn });
        let changes = self.lock().as_ref().map(|open| open.changes.clone()).ok_or_else(ended)?;
        changes.send(change).await.map_err(|_| ended())?;
        outcome.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Whether the last transaction was committed, and so lately.
    pub(super) fn wrote_within(&self, time: Duration) -> bool {
        self.disk.wrote_within(time)
    }

    /// Waits until what was begun is on the disk and the file is closed. Later changes fail.
    pub(super) fn close(&self) {
        let open = self.lock().take();
        if let Some(Open { changes, thread }) = open {
            drop(changes);
            let _ = thread.join();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(mut changes: mpsc::Receiver<Box<dyn Change>>, mut transactions: Transactions, disk: &Disk) {
    disk.follow_this_thread();
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while let Some(first) = changes.blocking_recv() {
        let mut bytes = first.size();
        batch.push(first);
        while batch.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES {
            let Ok(next) = changes.try_recv() else { break };
            bytes += next.size();
            batch.push(next);
        }
        disk.begin(bytes);
        let committed = commit(&mut batch, &mut transactions);
        disk.tell(committed);
        transactions.checkpoint(bytes);
        disk.end();
    }
    transactions.close();
}

/// Commits the batch in one transaction. Where that fails, and one change may be the reason, each has
/// a transaction of its own: one that is too large for the disk must not take the others with it.
/// Gives whether all went well.
fn commit(batch: &mut Vec<Box<dyn Change>>, transactions: &mut Transactions) -> bool {
    let all = transactions.commit(batch);
    let is_good = all.is_ok();
    match all {
        Err(TransactionError { may_be_of_one: true, .. }) if batch.len() > 1 => {
            for change in batch.drain(..) {
                let mut alone = [change];
                let committed = transactions.commit(&mut alone);
                let [change] = alone;
                change.answer(committed.map_err(|failure| failure.error));
            }
        }
        committed => {
            let committed = committed.map_err(|failure| failure.error);
            for change in batch.drain(..) {
                change.answer(committed.clone());
            }
        }
    }
    is_good
}
