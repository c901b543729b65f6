//! What a change works with: the writing connection, and what the writer knows by heart.

use rusqlite::{Connection, Params, Result};

/// Within a transaction.
pub(super) struct Session<'a> {
    pub(super) connection: &'a Connection,
    pub(super) state: State,
}

/// What only the writer changes, and so need not read again. Undone with the transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// The next job's place in the order of submission.
    pub(super) next_sequence: i64,
    /// The store's clock, in nanoseconds.
    pub(super) clock: i64,
}

impl State {
    /// As the file says.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        connection.query_row(
            "SELECT max(next_sequence, coalesce((SELECT max(sequence) + 1 FROM jobs), 1)), clock
             FROM store",
            [],
            |row| Ok(Self { next_sequence: row.get(0)?, clock: row.get(1)? }),
        )
    }
}

impl Session<'_> {
    /// Runs a statement, compiled once. Gives how many rows it changed.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }
}
