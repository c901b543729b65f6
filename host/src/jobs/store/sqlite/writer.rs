//! The one thread that writes. It takes all changes that wait, makes them in one transaction, and
//! acknowledges them when the transaction is on the disk: a wait for the disk serves many.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Result;
use tokio::sync::{mpsc, oneshot};

use super::fault::{fault, is_conflict};
use super::lock::Lock;
use super::session::Session;
use super::transaction::{Failure, Transactions};
use crate::jobs::store::StoreError;

/// How many changes go into one transaction, and how many may wait before more are held back.
const MOST: usize = 256;

/// With how many bytes of arguments and results.
const MOST_BYTES: usize = 8 << 20;

/// Where changes go.
pub(super) struct Writer {
    open: Mutex<Option<Open>>,
}

/// Until it is closed.
struct Open {
    changes: mpsc::Sender<Box<dyn Change>>,
    thread: JoinHandle<()>,
}

/// A change that waits for its commit.
pub(super) trait Change: Send {
    /// Makes the change within the transaction; again, if the last transaction was undone. An error
    /// is of the transaction, not of the change.
    fn apply(&mut self, session: &mut Session<'_>) -> Result<()>;

    /// Bytes to be written.
    fn size(&self) -> usize;

    /// Tells whoever asked for it: after the commit, or after the transaction was undone.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Waiting<T, F> {
    apply: F,
    size: usize,
    outcome: Option<Result<T, StoreError>>,
    asker: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Change for Waiting<T, F>
where
    T: Send,
    F: FnMut(&mut Session<'_>) -> Result<T> + Send,
{
    fn apply(&mut self, session: &mut Session<'_>) -> Result<()> {
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
    pub(super) fn start(path: PathBuf, lock: Arc<Lock>) -> Result<Self> {
        let transactions = Transactions::open(path)?;
        let (sender, receiver) = mpsc::channel(MOST);
        let body = move || {
            run(receiver, transactions);
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("job-store".into()).spawn(body);
        let open = Open { changes: sender, thread: thread.expect("a thread") };
        Ok(Self { open: Mutex::new(Some(open)) })
    }

    /// Has a change made, with `size` bytes to be written, and waits until it is on the disk.
    pub(super) async fn change<T, F>(&self, size: usize, apply: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        let ended = || StoreError::Unavailable("its writer has ended".into());
        let (asker, outcome) = oneshot::channel();
        let change = Box::new(Waiting { apply, size, outcome: None, asker });
        let changes = self.lock().as_ref().map(|open| open.changes.clone()).ok_or_else(ended)?;
        changes.send(change).await.map_err(|_| ended())?;
        outcome.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Waits until what was begun is on the disk and the file is closed. Later changes fail.
    pub(super) fn close(&self) {
        let open = self.lock().take();
        if let Some(Open { changes, thread }) = open {
            drop(changes);
            let _ = thread.join();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(mut changes: mpsc::Receiver<Box<dyn Change>>, mut transactions: Transactions) {
    let mut batch = Vec::with_capacity(MOST);
    while let Some(first) = changes.blocking_recv() {
        let mut bytes = first.size();
        batch.push(first);
        while batch.len() < MOST && bytes < MOST_BYTES {
            let Ok(next) = changes.try_recv() else { break };
            bytes += next.size();
            batch.push(next);
        }
        commit(&mut batch, &mut transactions);
        transactions.checkpoint(bytes);
    }
    transactions.close();
}

/// Commits the batch in one transaction. Where that fails, and one change may be the reason, each has
/// a transaction of its own: one that is too large for the disk must not take the others with it.
fn commit(batch: &mut Vec<Box<dyn Change>>, transactions: &mut Transactions) {
    match transactions.commit(batch) {
        Err(Failure { may_be_of_one: true, .. }) if batch.len() > 1 => {
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
}
