//! Notices that something in the folder may have changed; what it was, the scan finds out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tracing::warn;

/// How often the folder is looked at where no events come.
const POLL: Duration = Duration::from_millis(500);

/// How often it is looked at besides, for what events do not tell: files behind links, a lost event.
const PATROL: Duration = Duration::from_secs(5);

/// A writer that is silent for so long has gone without closing its file.
const SILENCE: Duration = Duration::from_secs(10);

/// Watches a folder.
pub(super) struct Watch {
    shared: Arc<Shared>,
    /// `None` where events cannot be had, and the folder is polled.
    _watcher: Option<RecommendedWatcher>,
    interval: Duration,
}

#[derive(Default)]
struct Shared {
    changed: Notify,
    /// Files that were written to and not closed since, with the time of the last write.
    being_written: Mutex<HashMap<PathBuf, Instant>>,
}

impl Watch {
    /// Watches by events, or where there are none by polling, and says so.
    pub(super) fn new(folder: &Path) -> Self {
        let shared = Arc::new(Shared::default());
        let watcher = if let Some(kind) = file_system_without_events(folder) {
            warn!(
                "{kind} tells nobody of changes made elsewhere; looking every {POLL:?} instead of waiting for events"
            );
            None
        } else {
            match watcher(folder, &shared) {
                Ok(watcher) => Some(watcher),
                Err(e) => {
                    warn!(error = %e, "cannot wait for changes of the folder, so looking every {POLL:?}; if it is inotify that is exhausted, raise fs.inotify.max_user_watches or fs.inotify.max_user_instances with sysctl");
                    None
                }
            }
        };
        let interval = if watcher.is_some() { PATROL } else { POLL };
        Self { shared, _watcher: watcher, interval }
    }

    /// Waits until something may have changed.
    pub(super) async fn changed(&self) {
        // The interval passing is as good a reason to look as an event.
        let _ = tokio::time::timeout(self.interval, self.shared.changed.notified()).await;
    }

    /// Whether somebody has the file open and writes to it.
    pub(super) fn is_being_written(&self, path: &Path) -> bool {
        let mut being_written = self.shared.being_written();
        being_written.retain(|_, last| last.elapsed() < SILENCE);
        being_written.contains_key(path)
    }
}

impl Shared {
    fn being_written(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Instant>> {
        self.being_written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: Event) {
        let is_watched =
            |path: &PathBuf| path.extension().is_some_and(|e| e == "wasm" || e == "toml");
        let paths = event.paths.into_iter().filter(is_watched);
        match event.kind {
            // Reading, our own included, changes nothing.
            EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write) => return,
            EventKind::Modify(ModifyKind::Data(_)) => {
                self.being_written().extend(paths.map(|path| (path, Instant::now())));
            }
            EventKind::Access(_)
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
                let mut being_written = self.being_written();
                paths.for_each(|path| {
                    being_written.remove(&path);
                });
            }
            _ => {}
        }
        self.changed.notify_one();
    }
}

fn watcher(folder: &Path, shared: &Arc<Shared>) -> notify::Result<RecommendedWatcher> {
    let shared = Arc::clone(shared);
    let mut watcher = notify::recommended_watcher(
        move |event: notify::Result<Event>| match event {
            Ok(event) => shared.note(event),
            Err(e) => {
                warn!(error = %e, "the folder may not be watched whole; it is looked at every {PATROL:?} besides");
                shared.changed.notify_one();
            }
        },
    )?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Network and virtual file systems, by the numbers in Linux' `statfs(2)`, whose changes made on
/// another machine raise no events here.
fn file_system_without_events(folder: &Path) -> Option<&'static str> {
    const KINDS: [(u64, &str); 7] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9P"),
        (0x6573_5546, "FUSE"),
        (0x786f_4256, "a VirtualBox shared folder"),
    ];
    let kind = u64::try_from(rustix::fs::statfs(folder).ok()?.f_type).ok()?;
    KINDS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}
