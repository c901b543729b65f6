//! Checks a database through SQLite, without changing it or its log.

use std::fs;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Result};

use super::open_error::OpenError;
use super::paths::beside;
use super::schema;

/// Refuses what is damaged or too new.
pub(super) fn inspect(path: &Path) -> Result<(), OpenError> {
    // SQLite makes an empty log, and an index of it, where there are none.
    let made = ["-wal", "-shm"].map(|suffix| beside(path, suffix)).into_iter();
    let made: Vec<_> = made.filter(|path| !path.exists()).collect();
    let checked = check(path).map_err(|e| OpenError::of(path, &e)).and_then(|found| match found {
        Found { version, .. } if version > schema::VERSION => {
            Err(OpenError::Newer { path: path.into(), version })
        }
        Found { damage: Some(damage), .. } => Err(OpenError::Damaged { path: path.into(), damage }),
        Found { .. } => Ok(()),
    });
    if checked.is_err() {
        for path in made {
            let _ = fs::remove_file(path);
        }
    }
    checked
}

struct Found {
    version: i32,
    damage: Option<String>,
}

fn check(path: &Path) -> Result<Found> {
    let connection = schema::reading(path)?;
    // Else it would move the log into the database when it is closed.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The header was looked at; but what it says may be older than what the log says.
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let damage = if (1..=schema::VERSION).contains(&version) { damage(&connection)? } else { None };
    connection.close().map_err(|(_, e)| e)?;
    Ok(Found { version, damage })
}

fn damage(connection: &Connection) -> Result<Option<String>> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}
