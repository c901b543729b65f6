//! What a call has open: [`OpenFiles`], within bounds for each call and for all of them together.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Error;

use super::folder::Folder;
use super::ledger::Inode;
use crate::budget::{Charge, MemoryBudget, Purpose};

/// Files and folders that a call has open at once.
const MAX_OPEN: usize = 128;

/// What a call has open.
pub(in crate::sandbox) struct OpenFiles {
    /// By the numbers of their descriptors.
    pub(in crate::sandbox) files: HashMap<u32, Arc<OpenFile>>,
    /// What listings are charged with, by the numbers of their streams.
    pub(in crate::sandbox) listings: HashMap<u32, Charge>,
    budget: MemoryBudget,
    /// For the files of this call: those that streams alone keep open are not in `files`.
    own: OnceLock<Arc<Semaphore>>,
    /// For those of all calls.
    shared: Arc<Semaphore>,
}

/// A file or folder that a call has open, by a descriptor or by streams.
pub(in crate::sandbox) struct OpenFile {
    pub(in crate::sandbox) folder: Arc<Folder>,
    /// Of a file.
    pub(in crate::sandbox) inode: Option<Inode>,
    _permit: Permit,
}

/// Room for one more file or folder, of its call and of all calls.
pub(in crate::sandbox) struct Permit {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

impl OpenFile {
    pub(in crate::sandbox) fn new(
        folder: &Arc<Folder>,
        inode: Option<Inode>,
        permit: Permit,
    ) -> Self {
        if let Some(inode) = inode {
            folder.ledger().opened(inode);
        }
        Self { folder: Arc::clone(folder), inode, _permit: permit }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(inode) = self.inode {
            self.folder.ledger().closed(inode);
        }
    }
}

/// All calls together have as many files open as there may be.
#[derive(Debug, thiserror::Error)]
#[error("all calls together have as many files open as this host may; try again later")]
pub(in crate::sandbox) struct TooManyFiles;

impl OpenFiles {
    pub(in crate::sandbox) fn new(budget: &MemoryBudget, shared: &Arc<Semaphore>) -> Self {
        Self {
            files: HashMap::new(),
            listings: HashMap::new(),
            budget: budget.clone(),
            own: OnceLock::new(),
            shared: Arc::clone(shared),
        }
    }

    /// Room for one more.
    pub(in crate::sandbox) fn permit(&self) -> Result<Permit, Error> {
        let own = self.own.get_or_init(|| Arc::new(Semaphore::new(MAX_OPEN)));
        let own = Arc::clone(own).try_acquire_owned().map_err(|_| {
            let message =
                format!("it has {MAX_OPEN} files open, which is the most; it must close some");
            Error::msg(message)
        })?;
        let shared = Arc::clone(&self.shared).try_acquire_owned().map_err(|_| TooManyFiles)?;
        Ok(Permit { _own: own, _shared: shared })
    }

    pub(in crate::sandbox) fn charge(&self, bytes: usize) -> Result<Charge, Error> {
        let mut charge = self.budget.charge(Purpose::Work);
        charge.take(bytes)?;
        Ok(charge)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Ledgers;
    use super::*;
    use crate::config::{FolderAccess, FolderGrant};

    #[test]
    fn what_streams_alone_keep_open_counts_for_its_call() {
        let grant =
            FolderGrant { host: "/data".into(), guest: "/data".into(), access: FolderAccess::Read };
        let folder = Arc::new(Folder::new(&grant, &Ledgers::default(), &Arc::default()));
        let shared = Arc::new(Semaphore::new(2 * MAX_OPEN));
        let call = || OpenFiles::new(&MemoryBudget::unlimited(), &shared);
        let (greedy, other) = (call(), call());
        // A stream goes on when its descriptor is closed.
        let stream = || Arc::new(OpenFile::new(&folder, None, greedy.permit().unwrap()));
        let streams: Vec<_> = (0..MAX_OPEN).map(|_| stream()).collect();
        assert!(greedy.permit().err().unwrap().to_string().contains("128 files open"));
        assert!(other.permit().is_ok(), "other calls go on");
        drop(streams);
        assert!(greedy.permit().is_ok());
        assert_eq!(shared.available_permits(), 2 * MAX_OPEN);
    }
}
