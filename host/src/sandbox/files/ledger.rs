//! How much a folder takes, and how much more it may: [`Ledger`].
//!
//! Each file, folder and link counts [`ENTRY`] bytes, and a file its length as well. A folder is counted
//! when a call first changes it, and from then on what calls change is added; it is counted again after a
//! while, since others may write to it too, and before anything is refused.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use rustix::io::Errno;
use tokio::sync::OwnedMutexGuard;
use walkdir::WalkDir;

use super::super::hints::Hints;

/// Bytes that a file, folder or link counts beside the length of a file.
pub(in crate::sandbox) const ENTRY: u64 = 4 << 10;

/// What a folder that is counted may have in it.
const MAX_ENTRIES: usize = 1_000_000;

/// How long a count holds, and how long before something is refused.
const HOLDS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(1)];

/// Counting takes at most one part of so many of the time.
const COUNTING_SHARE: u32 = 20;

/// Tells one file from all others.
pub(in crate::sandbox) type Inode = (u64, u64);

/// The ledgers of all folders, each by its path, so that all who may write to one share it.
#[derive(Default)]
pub(in crate::sandbox) struct Ledgers(Mutex<HashMap<PathBuf, Weak<Ledger>>>);

impl Ledgers {
    pub(in crate::sandbox) fn of(&self, path: &Path) -> Arc<Ledger> {
        let mut ledgers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ledgers.retain(|_, ledger| ledger.strong_count() > 0);
        if let Some(ledger) = ledgers.get(path).and_then(Weak::upgrade) {
            return ledger;
        }
        let ledger = Arc::new(Ledger {
            path: path.to_owned(),
            counted: Arc::default(),
            open: Mutex::default(),
        });
        ledgers.insert(path.to_owned(), Arc::downgrade(&ledger));
        ledger
    }
}

/// What one folder takes.
pub(in crate::sandbox) struct Ledger {
    path: PathBuf,
    /// Locked for as long as a change takes. `None` where it must be counted first.
    counted: Arc<tokio::sync::Mutex<Option<Count>>>,
    open: Mutex<Open>,
}

struct Count {
    used: u64,
    at: Instant,
    took: Duration,
}

/// The files that calls have open: what is removed while it is open takes its bytes all the same.
#[derive(Default)]
struct Open {
    files: HashMap<Inode, OpenInode>,
    /// Bytes of those removed ones that were closed since anybody looked.
    freed: u64,
}

#[derive(Default)]
struct OpenInode {
    times: usize,
    /// Bytes, once it is removed.
    removed: Option<u64>,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::sandbox) fn opened(&self, inode: Inode) {
        self.lock().files.entry(inode).or_default().times += 1;
    }

    pub(in crate::sandbox) fn closed(&self, inode: Inode) {
        let mut open = self.lock();
        let Some(file) = open.files.get_mut(&inode) else { return };
        file.times -= 1;
        if file.times == 0 {
            let removed = open.files.remove(&inode).and_then(|file| file.removed);
            open.freed += removed.unwrap_or(0);
        }
    }
}

/// A change to a folder, of which there is one at a time. Where it is dropped before it is settled, nobody
/// knows what became of it, and the folder is counted again.
pub(in crate::sandbox) struct Change {
    ledger: Arc<Ledger>,
    count: OwnedMutexGuard<Option<Count>>,
    quota: u64,
    guest: String,
    hints: Hints,
    is_settled: bool,
}

impl Drop for Change {
    fn drop(&mut self) {
        if !self.is_settled {
            *self.count = None;
        }
    }
}

impl Change {
    pub(in crate::sandbox) async fn begin(
        ledger: &Arc<Ledger>,
        quota: u64,
        guest: &str,
        hints: &Hints,
    ) -> io::Result<Self> {
        let count = Arc::clone(&ledger.counted).lock_owned().await;
        let (ledger, guest, hints) = (Arc::clone(ledger), guest.to_owned(), hints.clone());
        let change = Self { ledger, count, quota, guest, hints, is_settled: false };
        if change.is_older_than(HOLDS[0]) {
            return change.elsewhere(Self::recount).await;
        }
        Ok(change)
    }

    fn is_older_than(&self, age: Duration) -> bool {
        let old = |count: &Count| count.at.elapsed() >= age.max(COUNTING_SHARE * count.took);
        self.count.as_ref().is_none_or(old)
    }

    /// Does something that blocks.
    async fn elsewhere(
        mut self,
        work: impl FnOnce(&mut Self) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let work = move || work(&mut self).map(|()| self);
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }

    /// Counts the folder; blocks.
    fn recount(&mut self) -> io::Result<()> {
        let start = Instant::now();
        let mut used = 0_u64;
        for (number, entry) in WalkDir::new(&self.ledger.path).min_depth(1).into_iter().enumerate()
        {
            if number >= MAX_ENTRIES {
                self.hints.add(format!(
                    "the folder `{}` has more than {MAX_ENTRIES} files, too many to keep to its quota",
                    self.guest
                ));
                return Err(Errno::NOSPC.into());
            }
            // What is gone by now takes nothing.
            let Ok(metadata) = entry.and_then(|entry| entry.metadata()) else { continue };
            let length = if metadata.is_file() { metadata.len() } else { 0 };
            used = used.saturating_add(ENTRY).saturating_add(length);
        }
        let mut open = self.ledger.lock();
        open.freed = 0;
        let removed: u64 = open.files.values().filter_map(|file| file.removed).sum();
        drop(open);
        let used = used.saturating_add(removed);
        *self.count = Some(Count { used, at: start, took: start.elapsed() });
        Ok(())
    }

    fn used(&mut self) -> u64 {
        let freed = std::mem::take(&mut self.ledger.lock().freed);
        let Some(count) = self.count.as_mut() else { return u64::MAX };
        count.used = count.used.saturating_sub(freed);
        count.used
    }

    fn has_room(&mut self, bytes: u64) -> bool {
        self.used().checked_add(bytes).is_some_and(|used| used <= self.quota)
    }

    /// Sees that there is room for so many bytes more; blocks.
    ///
    /// # Errors
    ///
    /// As a disk that is full.
    pub(in crate::sandbox) fn require(&mut self, bytes: u64) -> io::Result<()> {
        if bytes == 0 || self.has_room(bytes) {
            return Ok(());
        }
        if self.is_older_than(HOLDS[1]) {
            self.recount()?;
            if self.has_room(bytes) {
                return Ok(());
            }
        }
        self.hints.add(format!(
            "the folder `{}` has no room for more within its quota of {}; remove files, or raise \
             `quota` in its sidecar",
            self.guest,
            ByteSize(self.quota).display().iec()
        ));
        self.is_settled = true;
        Err(Errno::NOSPC.into())
    }

    /// The same, without blocking.
    pub(in crate::sandbox) async fn require_soon(mut self, bytes: u64) -> io::Result<Self> {
        if self.has_room(bytes) {
            return Ok(self);
        }
        self.elsewhere(move |change| change.require(bytes)).await
    }

    pub(in crate::sandbox) fn added(&mut self, bytes: u64) {
        if let Some(count) = self.count.as_mut() {
            count.used = count.used.saturating_add(bytes);
        }
    }

    pub(in crate::sandbox) fn freed(&mut self, bytes: u64) {
        if let Some(count) = self.count.as_mut() {
            count.used = count.used.saturating_sub(bytes);
        }
    }

    /// A file has another length now.
    pub(in crate::sandbox) fn resized(&mut self, inode: Option<Inode>, before: u64, now: u64) {
        self.freed(before);
        self.added(now);
        let mut open = self.ledger.lock();
        let file = inode.and_then(|inode| open.files.get_mut(&inode));
        if let Some(removed) = file.and_then(|file| file.removed.as_mut()) {
            *removed = removed.saturating_sub(before).saturating_add(now);
        }
    }

    /// A name of something is gone that had so many names. What is open goes with its last descriptor.
    pub(in crate::sandbox) fn removed(&mut self, inode: Inode, cost: u64, links: u64) {
        if links <= 1
            && let Some(file) = self.ledger.lock().files.get_mut(&inode)
        {
            file.removed = Some(cost);
            return;
        }
        self.freed(cost);
    }

    /// The change is made, or nothing was changed.
    pub(in crate::sandbox) fn settle(mut self) {
        self.is_settled = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn change(ledger: &Arc<Ledger>, quota: u64) -> Change {
        Change::begin(ledger, quota, "/data", &Hints::default()).await.unwrap()
    }

    #[tokio::test]
    async fn a_folder_counts_what_is_in_it_whoever_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), [0; 100]).unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::fs::write(folder.path().join("b/c"), []).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("d")).unwrap();
        let ledgers = Ledgers::default();
        let ledger = ledgers.of(folder.path());
        let used = 4 * ENTRY + 100;
        let mut first = change(&ledger, used + 10).await;
        assert_eq!(first.used(), used, "links are not followed");
        first.require(10).unwrap();
        assert!(first.require(11).is_err());
        first.added(10);
        first.settle();
        let same = ledgers.of(folder.path());
        let mut second = change(&same, used + 10).await;
        assert!(second.require(1).is_err(), "all who write to it share the ledger");
        second.settle();
        drop(change(&ledger, used).await);
        assert_eq!(change(&ledger, used).await.used(), used, "what was not settled is counted");
    }

    #[tokio::test]
    async fn what_is_removed_while_it_is_open_counts_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [0; 100]).unwrap();
        let ledger = Ledgers::default().of(folder.path());
        let inode = (1, 2);
        ledger.opened(inode);
        ledger.opened(inode);
        let mut writing = change(&ledger, 1 << 20).await;
        std::fs::remove_file(&path).unwrap();
        writing.removed(inode, ENTRY + 100, 1);
        assert_eq!(writing.used(), ENTRY + 100);
        writing.resized(Some(inode), 100, 300);
        assert_eq!(writing.used(), ENTRY + 300);
        writing.recount().unwrap();
        assert_eq!(writing.used(), ENTRY + 300);
        ledger.closed(inode);
        assert_eq!(writing.used(), ENTRY + 300);
        ledger.closed(inode);
        assert_eq!(writing.used(), 0);
        writing.settle();
    }
}
