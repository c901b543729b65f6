//! What a change works with: the writing connection, and what the writer knows by heart.

use rusqlite::{Connection, Params, Result};

/// Within a transaction.
pub(super) struct Session<'a> {
    pub(super) connection: &'a Connection,
    pub(super) state: State,
    /// About how many bytes the jobs take, where the transaction has looked.
    used: Option<u64>,
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

impl<'a> Session<'a> {
    pub(super) fn new(connection: &'a Connection, state: State) -> Self {
        Self { connection, state, used: None }
    }

    /// Counts so many bytes as taken, and others as free, if the jobs take no more than the quota
    /// then. Else gives how many they take now.
    pub(super) fn take(&mut self, quota: u64, more: u64, freed: u64) -> Result<Result<(), u64>> {
        let then = |used: u64| used.saturating_sub(freed).saturating_add(more);
        let mut used = match self.used {
            Some(used) => used,
            None => self.measure()?,
        };
        if then(used) > quota {
            // It may be less than what was counted so far.
            used = self.measure()?;
        }
        let fits = then(used) <= quota;
        self.used = Some(if fits { then(used) } else { used });
        Ok(if fits { Ok(()) } else { Err(used) })
    }

    fn measure(&self) -> Result<u64> {
        let ask = |sql| -> Result<u64> {
            let mut pragma = self.connection.prepare_cached(sql)?;
            pragma.query_row([], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        };
        let pages = ask("PRAGMA page_count")?.saturating_sub(ask("PRAGMA freelist_count")?);
        Ok(pages * ask("PRAGMA page_size")?)
    }

    /// Runs a statement, compiled once. Gives how many rows it changed.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }
}
