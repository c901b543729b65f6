//! Transactions on the writing connection, and what is to be done when one fails.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, Result};

use super::checkpoint::Checkpoints;
use super::clean;
use super::fault::fault;
use super::questions::Questions;
use super::schema;
use super::session::{Session, State};
use crate::jobs::store::StoreError;

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

/// Makes transactions.
pub(super) struct Transactions {
    path: PathBuf,
    /// `None` where it failed in a way that it did not recover from.
    open: Option<(Connection, State)>,
    /// Whether the log may hold a whole transaction that was refused.
    has_residue: bool,
    checkpoints: Checkpoints,
}

/// A transaction that was undone.
pub(super) struct TransactionError {
    /// Why.
    pub(super) error: StoreError,
    /// Whether one of its changes may be the reason: a statement failed, or there was no room.
    pub(super) may_be_of_one: bool,
}

impl TransactionError {
    fn new(error: &rusqlite::Error, may_be_of_one: bool) -> Self {
        let error = fault(error);
        let is_full = matches!(error, StoreError::Full(_));
        Self { error, may_be_of_one: may_be_of_one || is_full }
    }
}

impl Transactions {
    /// On the database at `path`, about which `questions` are asked.
    pub(super) fn open(path: PathBuf, questions: Arc<Questions>) -> Result<Self> {
        let open = Some(connect(&path)?);
        let checkpoints = Checkpoints::start(&path, questions)?;
        Ok(Self { path, open, has_residue: false, checkpoints })
    }

    /// Makes all changes of a batch, or none, and returns when they are on the disk.
    pub(super) fn commit(&mut self, batch: &mut [Box<dyn Change>]) -> Result<(), TransactionError> {
        let of_all = |e: rusqlite::Error| TransactionError::new(&e, false);
        if self.has_residue {
            self.fence().map_err(of_all)?;
        }
        let (connection, state) = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(connect(&self.path).map_err(of_all)?),
        };
        let mut session = Session::new(connection, *state);
        let made = begin(connection)
            .map_err(of_all)
            .and_then(|()| {
                batch
                    .iter_mut()
                    .try_for_each(|change| change.apply(&mut session))
                    .map_err(|e| TransactionError::new(&e, true))
            })
            .and_then(|()| {
                let committed = run(connection, "COMMIT");
                self.has_residue = committed.is_err();
                committed.map_err(of_all)
            });
        match made {
            Ok(()) => *state = session.state,
            Err(_) => self.undo(),
        }
        made
    }

    /// Leaves the connection without a transaction, or closes it.
    fn undo(&mut self) {
        if let Some((connection, _)) = &self.open {
            // SQLite undoes by itself what fails badly, and then has nothing to roll back.
            let undone = connection.is_autocommit() || run(connection, "ROLLBACK").is_ok();
            if !undone {
                self.open = None;
            }
        }
        if self.has_residue {
            // Before anybody is told of the refusal.
            let _ = self.fence();
        }
    }

    /// Sees to it that a refused transaction stays refused.
    ///
    /// Where only the sync of the log failed, all of the transaction may be in the log, and after a
    /// crash SQLite would find it there and take it as committed. So another, of one page, is written
    /// over its beginning: what follows does not fit its checksums then, and is never read.
    fn fence(&mut self) -> Result<()> {
        let (connection, _) = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(connect(&self.path)?),
        };
        run(connection, "UPDATE store SET fence = fence + 1")?;
        self.has_residue = false;
        Ok(())
    }

    /// Moves all of the log into the database, for the last time, and notes that it ended in good order.
    pub(super) fn close(mut self) {
        self.checkpoints.stop();
        let Some((connection, _)) = self.open else { return };
        let moved =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        let is_closed = connection.close().is_ok();
        if is_closed && !self.has_residue && matches!(moved, Ok(0)) {
            clean::remember(&self.path);
        }
    }

    /// Sees to it that the log is moved into the database, after a commit of so many bytes.
    pub(super) fn checkpoint(&mut self, bytes: usize) {
        if let Some((connection, _)) = &self.open {
            self.checkpoints.after_commit(connection, bytes);
        }
    }
}

fn connect(path: &std::path::Path) -> Result<(Connection, State)> {
    let connection = schema::writing(path)?;
    let state = State::read(&connection)?;
    Ok((connection, state))
}

fn begin(connection: &Connection) -> Result<()> {
    run(connection, "BEGIN IMMEDIATE")
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
