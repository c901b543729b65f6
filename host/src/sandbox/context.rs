//! What calls share: those of one program its [`Context`], and all of them the [`Room`].

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::engine::EXTRA_MEMORIES;
use super::fair::LongCalls;
use super::files::Ledgers;
use super::grants::Grants;
use super::outgoing::Connector;
use crate::budget::MemoryBudget;
use crate::machine;

/// Guests may open one part of so many of the files that the process may have open.
const FILES_SHARE: usize = 8;

/// What the calls of one program share.
pub(super) struct Context {
    pub(super) grants: Arc<Grants>,
    pub(super) budget: MemoryBudget,
    pub(super) room: Arc<Room>,
}

/// What all calls share.
pub(super) struct Room {
    pub(super) long_calls: LongCalls,
    /// Memories that components of several may take beyond their first.
    pub(super) extra_memories: Arc<Semaphore>,
    /// Files that guests may have open.
    pub(super) open_files: Arc<Semaphore>,
    /// Connects guests to the servers that they were granted.
    pub(super) connector: Arc<Connector>,
    /// What the folders take that guests may write to.
    pub(super) ledgers: Ledgers,
}

impl Room {
    /// Room for as much as the engine and this machine have.
    ///
    /// # Errors
    ///
    /// Where a thread cannot be started.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            long_calls: LongCalls::new()?,
            extra_memories: Arc::new(Semaphore::new(EXTRA_MEMORIES as usize)),
            open_files: Arc::new(Semaphore::new(max_open_files())),
            connector: Arc::new(Connector::new(Vec::new())),
            ledgers: Ledgers::default(),
        })
    }
}

/// How many files guests may have open, all of them together.
pub(crate) fn max_open_files() -> usize {
    machine::descriptors() / FILES_SHARE
}
