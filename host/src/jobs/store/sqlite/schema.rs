//! The tables, and how a connection is set up for them.
//!
//! What every listing reads, `jobs`, is apart from what only a look at one job reads, so that a
//! hundred thousand large results do not slow a listing. The indices are those that a method of
//! [`JobStore`](super::super::JobStore) needs, and no others: each costs every submission.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Result};
use tracing::{info, warn};

/// In the header of our files, so that no other program's database is taken for one: "TARP".
pub(super) const APPLICATION_ID: i32 = 0x5441_5250;

/// The schema's version. A host opens its own and older ones, which it changes first.
pub(super) const VERSION: i32 = 5;

/// From each version to the next, from the first on.
const MIGRATIONS: [&str; 4] = [
    "
    ALTER TABLE jobs ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0;
",
    "
    ALTER TABLE jobs ADD COLUMN owner TEXT;
    ALTER TABLE gone ADD COLUMN owner TEXT;
    CREATE INDEX jobs_by_owner ON jobs (owner, state, sequence) WHERE owner IS NOT NULL;
",
    "
    ALTER TABLE jobs ADD COLUMN peer TEXT;
",
    "
    ALTER TABLE jobs ADD COLUMN requires TEXT;
",
];

/// How long to wait for a lock that another program holds, such as one that makes a backup.
const BUSY: Duration = Duration::from_secs(5);

/// Times are nanoseconds since 1970 by the wall clock; `expires` and `clock`, and they alone, are
/// nanoseconds by the store's own clock. States are numbers, see `row`.
const TABLES: &str = "
    CREATE TABLE jobs (
        sequence INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        procedure TEXT NOT NULL,
        file TEXT NOT NULL,
        digest TEXT NOT NULL,
        state INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        max_attempts INTEGER NOT NULL,
        backoff INTEGER NOT NULL,
        is_repeatable INTEGER NOT NULL,
        suggested_wait INTEGER NOT NULL,
        submitted INTEGER NOT NULL,
        started INTEGER,
        ended INTEGER,
        expires INTEGER,
        not_before INTEGER,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        progress BLOB,
        fuel INTEGER NOT NULL DEFAULT 0,
        peak_memory INTEGER NOT NULL DEFAULT 0,
        instantiate INTEGER NOT NULL DEFAULT 0,
        run INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        crashes INTEGER NOT NULL DEFAULT 0,
        is_pinned INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        peer TEXT,
        -- Labels with commas between them, or NULL.
        requires TEXT
    ) STRICT;
    CREATE INDEX jobs_by_state ON jobs (state, sequence);
    CREATE INDEX jobs_by_procedure ON jobs (procedure, state, sequence);
    -- Hosts without tokens do not pay for it.
    CREATE INDEX jobs_by_owner ON jobs (owner, state, sequence) WHERE owner IS NOT NULL;
    CREATE INDEX jobs_by_expiry ON jobs (expires) WHERE expires IS NOT NULL;

    CREATE TABLE arguments (sequence INTEGER PRIMARY KEY, arguments BLOB NOT NULL) STRICT;
    CREATE TABLE results (sequence INTEGER PRIMARY KEY, result BLOB NOT NULL) STRICT;
    CREATE TABLE errors (
        sequence INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        value BLOB,
        backtrace TEXT,
        retry_after INTEGER
    ) STRICT;
    CREATE TABLE logs (
        sequence INTEGER PRIMARY KEY,
        stdout TEXT NOT NULL,
        stderr TEXT NOT NULL,
        lines BLOB NOT NULL
    ) STRICT;

    CREATE TABLE keys (
        key TEXT PRIMARY KEY,
        request BLOB NOT NULL,
        id BLOB NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX keys_by_expiry ON keys (expires);

    CREATE TABLE gone (
        id BLOB PRIMARY KEY,
        expires INTEGER NOT NULL,
        owner TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX gone_by_expiry ON gone (expires);

    CREATE TABLE store (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        clock INTEGER NOT NULL,
        -- At least as great as every sequence that was ever given away and is not in jobs any more.
        next_sequence INTEGER NOT NULL,
        -- Counts failed commits, see transaction, and looks whether it can be written.
        fence INTEGER NOT NULL
    ) STRICT;
    INSERT INTO store VALUES (1, 0, 1, 0);
";

/// Makes the tables in an empty file.
pub(super) fn create(path: &Path) -> Result<()> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Before there are tables: what is freed can be given back to the disk.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES}
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
    ))?;
    connection.close().map_err(|(_, e)| e)
}

/// Brings a database of an earlier host up to the present version: each step wholly or not at all.
pub(super) fn migrate(path: &Path) -> Result<()> {
    let connection = writing(path)?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version - 1).unwrap_or(0);
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let version = step + 2;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {sql} PRAGMA user_version = {version}; COMMIT;"
        ))?;
        info!(version, "brought the job store up to another version of its schema");
    }
    let vacuum: i32 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if done < MIGRATIONS.len() && vacuum == 0 {
        // Without it everything works, but the file never becomes smaller.
        let shrunk = connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;");
        if let Err(error) = shrunk {
            warn!(%error, "the file of the job store cannot give back space that is freed in it");
        }
    }
    connection.close().map_err(|(_, e)| e)
}

/// The one connection that writes.
///
/// The file is not mapped into memory: that made nothing faster, and a disk that fails would end the
/// host instead of a question.
pub(super) fn writing(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on the disk when it is acknowledged.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints are the writer's, at times of its own.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // In kibibytes, where negative: what one transaction changes stays in memory until its commit.
    // Submissions are as fast with 2 MiB.
    connection.pragma_update(None, "cache_size", -16_384)?;
    // After a checkpoint, what a burst made of the log is given back beyond this.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A connection that reads.
pub(super) fn reading(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -4_096)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
