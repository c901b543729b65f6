//! A folder of the machine that a program sees: [`Folder`].

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, open};
use tracing::warn;

use super::super::hints::Hints;
use super::ledger::{Change, Ledger, Ledgers};
use crate::config::{FolderAccess, FolderGrant};
use crate::confinement::{check_writable, explained};

/// A folder that was granted.
pub(in crate::sandbox) struct Folder {
    host: PathBuf,
    guest: String,
    /// Bytes, where it can be written to.
    quota: Option<u64>,
    ledger: Arc<Ledger>,
    /// Where the host keeps what no guest may see.
    reserved: Arc<[PathBuf]>,
}

/// A folder cannot be opened. Where it is on the machine is no caller's affair.
#[derive(Debug, thiserror::Error)]
#[error(
    "the folder `{guest}` that it was granted cannot be opened ({reason}); whoever runs the host \
     has to make it, or to correct `host` in its sidecar"
)]
pub(in crate::sandbox) struct Unopened {
    guest: String,
    reason: io::Error,
}

/// A sidecar grants what is the host's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "its sidecar grants the folder {}, which meets {}, where the host keeps what is its own; grant \
     another folder",
    folder.display(),
    reserved.display()
)]
pub struct ReservedFolder {
    folder: PathBuf,
    reserved: PathBuf,
}

impl Folder {
    pub(in crate::sandbox) fn new(
        grant: &FolderGrant,
        ledgers: &Ledgers,
        reserved: &Arc<[PathBuf]>,
    ) -> Self {
        Self {
            host: grant.host.clone(),
            guest: grant.guest.clone(),
            quota: match grant.access {
                FolderAccess::Read => None,
                FolderAccess::Write { quota } => Some(quota),
            },
            ledger: ledgers.of(&grant.host),
            reserved: Arc::clone(reserved),
        }
    }

    /// Sees whether it can be opened now, and adds a warning where it cannot.
    ///
    /// # Errors
    ///
    /// Where it meets a directory that is the host's own.
    pub(in crate::sandbox) fn check(
        &self,
        warnings: &mut Vec<String>,
    ) -> Result<(), ReservedFolder> {
        match self.look() {
            Ok((_, None)) => {}
            Ok((_, Some(reserved))) => {
                return Err(ReservedFolder { folder: self.host.clone(), reserved });
            }
            Err(error) => warnings.push(format!(
                "the folder {} that its sidecar grants cannot be opened: {error}; calls that \
                 need it fail until it is there",
                self.host.display()
            )),
        }
        Ok(())
    }

    /// Opens it; blocks.
    pub(in crate::sandbox) fn open(&self) -> Result<File, Unopened> {
        let refused = |reason: io::Error| {
            warn!(folder = %self.host.display(), error = %reason, "a granted folder cannot be opened");
            Unopened { guest: self.guest.clone(), reason }
        };
        match self.look() {
            Ok((file, None)) => Ok(file),
            Ok((_, Some(_))) => Err(refused(io::Error::other("it is the host's own"))),
            Err(error) => Err(refused(error)),
        }
    }

    /// Opens it, with the directory of the host's own that it meets.
    fn look(&self) -> io::Result<(File, Option<PathBuf>)> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let file = open(&self.host, flags, Mode::empty());
        let file = File::from(file.map_err(|e| explained(&self.host, e.into()))?);
        // Where links have led, which may be elsewhere than where they lead by now.
        let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let reserved = self.reserved.iter().find(|reserved| meets(&opened, reserved));
        if reserved.is_none() && self.is_writable() {
            check_writable(&self.host)?;
        }
        Ok((file, reserved.cloned()))
    }

    pub(in crate::sandbox) fn is_writable(&self) -> bool {
        self.quota.is_some()
    }

    pub(in crate::sandbox) fn guest(&self) -> &str {
        &self.guest
    }

    pub(in crate::sandbox) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Begins a change, where it can be written to: until it is settled there is no other.
    pub(in crate::sandbox) async fn change(&self, hints: &Hints) -> io::Result<Option<Change>> {
        let Some(quota) = self.quota else { return Ok(None) };
        Change::begin(&self.ledger, quota, &self.guest, hints).await.map(Some)
    }
}

/// Whether one of two directories is, or is in, the other.
fn meets(opened: &Path, reserved: &Path) -> bool {
    let reserved = std::fs::canonicalize(reserved).unwrap_or_else(|_| reserved.to_owned());
    opened.starts_with(&reserved) || reserved.starts_with(opened)
}
