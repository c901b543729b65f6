//! Notices that something in the folder may have changed; what it was, the scan finds out.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tracing::warn;

use super::folder::identity;
use super::lock::LOCK_FILE;

/// How often the folder is looked at where no events come.
const POLL: Duration = Duration::from_millis(500);

/// How often it is looked at besides, for what events do not tell: files behind links, a lost event.
const RESCAN_INTERVAL: Duration = Duration::from_secs(5);

/// A look at a large folder takes its time, so patrols are so many times as far apart.
const IDLE_SHARE: u32 = 400;

/// Looks for which there is a reason leave so much more time to others.
const BUSY_SHARE: u32 = 10;

/// A writer that is silent for so long has gone without closing its file.
const SILENCE: Duration = Duration::from_secs(10);

/// Watches a folder.
pub(super) struct Watch {
    shared: Arc<Shared>,
    /// `None` where events cannot be had, and the folder is polled.
    _watcher: Option<RecommendedWatcher>,
    interval: Duration,
    /// Which directory is watched: another may have the name by now.
    pub(super) identity: Option<(u64, u64)>,
    /// When the last look ended, and how long it took.
    last: (Instant, Duration),
}

#[derive(Default)]
struct Shared {
    changed: Notify,
    /// Files that were written to and not closed since, with the time of the last write.
    being_written: Mutex<HashMap<PathBuf, Instant>>,
    /// The folder, and all folders that were in it at the last look.
    directories: Mutex<HashSet<PathBuf>>,
    folder: PathBuf,
}

impl Watch {
    /// Watches by events, or where there are none by polling, and says so.
    pub(super) fn new(folder: &Path) -> Self {
        let shared = Arc::new(Shared { folder: folder.to_path_buf(), ..Shared::default() });
        let identity = identity(folder);
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
        let interval = if watcher.is_some() { RESCAN_INTERVAL } else { POLL };
        Self {
            shared,
            _watcher: watcher,
            interval,
            identity,
            last: (Instant::now(), Duration::ZERO),
        }
    }

    /// Is told of each look, how long it took and what folders it found.
    pub(super) fn looked(&mut self, took: Duration, directories: HashSet<PathBuf>) {
        *self.shared.directories.lock().unwrap_or_else(PoisonError::into_inner) = directories;
        self.last = (Instant::now(), took);
    }

    /// When the next look may be, if there is a reason for one.
    pub(super) fn next_look(&self) -> Instant {
        self.last.0 + self.last.1 * BUSY_SHARE
    }

    /// Waits until something has changed, or so much time has passed that something might have.
    pub(super) async fn changed(&self) {
        let (end, took) = self.last;
        let patrol = end + self.interval.max(took * IDLE_SHARE);
        let _ = tokio::time::timeout_at(patrol.into(), self.shared.changed.notified()).await;
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
        // Reading, our own included, changes nothing.
        if matches!(event.kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
        {
            return;
        }
        let mut matters = event.paths.is_empty() || event.need_rescan();
        for path in event.paths {
            if self.is_hidden(&path) {
                continue;
            }
            if path.file_name().is_some_and(|name| name == LOCK_FILE) {
                matters = true;
            } else if path.extension().is_some_and(|e| e == "wasm" || e == "toml") {
                matters = true;
                match event.kind {
                    EventKind::Modify(ModifyKind::Data(_)) => {
                        self.being_written().insert(path, Instant::now());
                    }
                    EventKind::Access(_)
                    | EventKind::Remove(_)
                    | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
                        self.being_written().remove(&path);
                    }
                    _ => {}
                }
            } else {
                matters |= self.is_directory(event.kind, &path);
            }
        }
        if matters {
            self.changed.notify_one();
        }
    }

    /// Whether what happened may have brought or taken a folder: one that other programs write their
    /// own files to is no reason to look.
    fn is_directory(&self, kind: EventKind, path: &Path) -> bool {
        let may_concern_folders = !matches!(
            kind,
            EventKind::Access(_)
                | EventKind::Modify(ModifyKind::Data(_))
                | EventKind::Create(CreateKind::File)
                | EventKind::Remove(RemoveKind::File)
        );
        let was_directory =
            || self.directories.lock().unwrap_or_else(PoisonError::into_inner).contains(path);
        may_concern_folders && (was_directory() || path.is_dir())
    }

    fn is_hidden(&self, path: &Path) -> bool {
        let below = path.strip_prefix(&self.folder).unwrap_or(path);
        below.iter().any(|part| part.to_string_lossy().starts_with('.'))
    }
}

fn watcher(folder: &Path, shared: &Arc<Shared>) -> notify::Result<RecommendedWatcher> {
    let shared = Arc::clone(shared);
    let mut watcher = notify::recommended_watcher(
        move |event: notify::Result<Event>| match event {
            Ok(event) => shared.note(event),
            Err(e) => {
                warn!(error = %e, "the folder may not be watched whole; it is looked at every {RESCAN_INTERVAL:?} besides");
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
