//! Connections that read, a few, each used by one question at a time on a thread that may block.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Result};
use tokio::sync::Semaphore;

use super::fault::fault;
use super::lock::Lock;
use super::questions::Questions;
use super::schema;
use crate::jobs::store::StoreError;

/// How many questions are answered at once. They wait for the disk at worst, and each connection has
/// a cache of its own.
const READERS: usize = 4;

/// The connections.
#[derive(Clone)]
pub(super) struct Readers {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    questions: Arc<Questions>,
    /// Nobody else has the file before the last connection is closed.
    _lock: Arc<Lock>,
}

impl Readers {
    /// Opens none yet.
    pub(super) fn new(path: PathBuf, lock: Arc<Lock>, questions: Arc<Questions>) -> Self {
        let shared = Shared { path, idle: Mutex::default(), questions, _lock: lock };
        Self { shared: Arc::new(shared), permits: Arc::new(Semaphore::new(READERS)) }
    }

    /// Closes what is open and not in use.
    pub(super) fn close(&self) {
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Answers a question.
    pub(super) async fn read<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let unavailable = |e: &dyn ToString| StoreError::Unavailable(e.to_string());
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|e| unavailable(&e))?;
        let shared = Arc::clone(&self.shared);
        let answer = tokio::task::spawn_blocking(move || {
            let answer = shared.answer(question);
            drop(permit);
            answer
        });
        answer.await.map_err(|e| unavailable(&e))?.map_err(|e| fault(&e))
    }
}

impl Shared {
    fn answer<T>(&self, question: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| schema::reading(&self.path), Ok)?;
        let asked = self.questions.begin(&connection);
        // A transaction, so that all queries of a question see the same state.
        let transaction = connection.unchecked_transaction()?;
        let answer = question(&transaction)?;
        transaction.finish()?;
        drop(asked);
        // Where anything went wrong the connection is not used again.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(answer)
    }
}
