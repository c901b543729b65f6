//! Keeps the catalog true to the folder: looks, loads what changed, publishes the next catalog.

mod install;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{debug, error, info, warn};

use super::Catalog;
use super::claims::{Names, Present};
use super::deploy::command::Command;
use super::deploy::staging;
use super::folder::{Found, Scan, Settling, identity, scan};
use super::lanes::{Lanes, Ticket};
use super::load::{LoadError, Loaded, Loader};
use super::lock::{LOCK_FILE, Lock, LockError};
use super::procedure::Problem;
use super::versions::Versions;
use super::watch::Watch;
use crate::config::LoadingConfig;
use crate::metrics::Metrics;
use crate::sandbox::Access;

/// The catalog of this moment, for whoever starts a call.
pub type Shared = Arc<ArcSwap<Catalog>>;

/// Keeps a [`Shared`] catalog true to a folder.
pub struct Keeper {
    folder: PathBuf,
    config: LoadingConfig,
    shared: Shared,
    /// Told of each catalog that is published.
    published: watch::Sender<()>,
    metrics: Arc<Metrics>,
    lanes: Arc<Lanes>,
    files: BTreeMap<String, File>,
    settling: Settling,
    /// What of the folder cannot be read, by its name; `.` is the folder itself.
    unreadable: BTreeMap<String, Problem>,
    started: Instant,
    complete: bool,
    /// Something is not in the published catalog yet.
    is_stale: bool,
    /// When the next catalog may be made: making one takes time that others need as well.
    next_publication: Instant,
    has_looked: bool,
    /// Whether something was still changing at the last look.
    is_unsettled: bool,
    /// When to look at the folder again without a sign of a change.
    next_look: Option<Instant>,
    /// When to see whether the folder is still the one that is watched.
    next_check: Instant,
    /// Told when a file turns out to take long.
    slow: Arc<Notify>,
    /// Changes of the folder that it is asked for.
    commands: (mpsc::Sender<Command>, mpsc::Receiver<Command>),
    /// Keeps what was loaded, to be returned to.
    versions: Option<Arc<Versions>>,
    /// What may be served, where that is not everything.
    lock: Option<Lock>,
}

/// What is known of one file.
struct File {
    /// As it was when it was last loaded, or is being loaded.
    found: Arc<Found>,
    /// Set while it is being loaded.
    loading: Option<Loading>,
    /// The last good version.
    loaded: Option<Loaded>,
    /// Why the newest version is not served.
    problem: Option<Problem>,
    /// Since when there are warnings about the last good version.
    loaded_at: SystemTime,
    /// Since when it is not in the folder any more.
    missing: Option<Instant>,
    /// Since when its sidecar says nothing any more.
    bare: Option<Instant>,
    /// Another attempt to load what could not be read: when, and how long after the last one.
    retry: Option<(Instant, Duration)>,
}

/// A load under way. Dropping it says that the load is not wanted any more.
struct Loading {
    /// Tells it from one of another version.
    number: u64,
    ticket: Ticket,
    since: SystemTime,
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.ticket.cancel();
    }
}

/// A load that has ended.
struct Finished {
    name: String,
    number: u64,
    result: Result<Loaded, LoadError>,
}

/// How often it is asked whether the folder's path still leads to the folder that is watched.
const SAME_FOLDER: Duration = Duration::from_secs(1);

/// How long after a read error it is tried again at first, and at the most.
const RETRY: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];

/// Changes of the folder that wait for their turn.
const COMMANDS: usize = 16;

/// Making catalogs takes at most one part of so many of the time.
const PUBLISHING_SHARE: u32 = 10;

impl Keeper {
    /// Prepares to keep a catalog, still empty, of the components in `folder`.
    pub fn new(folder: PathBuf, loader: Loader, config: LoadingConfig) -> Self {
        let now = Instant::now();
        Self {
            folder,
            config,
            shared: Shared::default(),
            published: watch::Sender::new(()),
            metrics: Arc::clone(&loader.metrics),
            lanes: Arc::new(Lanes::new(Arc::new(loader))),
            files: BTreeMap::new(),
            settling: Settling::default(),
            unreadable: BTreeMap::new(),
            started: now,
            complete: false,
            is_stale: false,
            next_publication: now,
            has_looked: false,
            is_unsettled: false,
            next_look: None,
            next_check: now,
            slow: Arc::default(),
            commands: mpsc::channel(COMMANDS),
            versions: None,
            lock: None,
        }
    }

    /// Serves only what the folder's `components.lock` names.
    ///
    /// # Errors
    ///
    /// Where there is none that can be used.
    pub fn follow_lock(&mut self) -> Result<(), LockError> {
        self.lock = Some(Lock::open(&self.folder)?);
        Ok(())
    }

    /// Keeps what is loaded in this directory as well, so that it can be returned to.
    ///
    /// # Errors
    ///
    /// Where the directory cannot be used.
    pub fn keep_versions(&mut self, directory: PathBuf) -> std::io::Result<()> {
        let versions = Versions::open(directory, self.config.keep_versions)?;
        self.versions = Some(Arc::new(versions));
        Ok(())
    }

    /// The catalog that is kept.
    pub fn catalog(&self) -> Shared {
        Arc::clone(&self.shared)
    }

    /// Tells of each catalog that is published from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.published.subscribe()
    }

    /// Keeps the catalog for as long as it is polled. `ready` is called once, when all files that
    /// were there at the start have been looked at, but for those that take long to compile.
    pub async fn run(mut self, ready: impl FnOnce(&Catalog)) {
        let folder = self.folder.clone();
        let _ = tokio::task::spawn_blocking(move || staging::recover(&folder)).await;
        // Before the first look, so that nothing can change unnoticed between the two.
        let mut watch = Watch::new(&self.folder);
        let mut loads = JoinSet::<Finished>::new();
        let mut ready = Some(ready);
        self.started = Instant::now();
        self.next_look = Some(self.started);
        loop {
            self.see_to(&mut watch).await;
            let now = Instant::now();
            if self.next_look.is_some_and(|at| at <= now) && watch.next_look() <= now {
                self.next_look = None;
                self.look(&mut watch, &mut loads).await;
            }
            if !self.complete && self.is_ready(&loads) {
                self.complete = true;
                self.publish();
                if let Some(ready) = ready.take() {
                    ready(&self.shared.load());
                }
            }
            if self.is_stale && (self.next_publication <= Instant::now() || loads.is_empty()) {
                self.publish();
            }
            let wake = self.next_wake(&watch);
            let slow = Arc::clone(&self.slow);
            tokio::select! {
                Some(finished) = loads.join_next() => match finished {
                    Ok(finished) => self.finish(finished),
                    Err(e) => error!(error = %e, "loading a component failed inside the host"),
                },
                Some(command) = self.commands.1.recv() => self.obey(command).await,
                () = slow.notified() => self.is_stale = true,
                () = watch.changed() => self.next_look = Some(Instant::now()),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    /// Whether all that was there at the start has been looked at, or what is left takes long.
    fn is_ready(&self, loads: &JoinSet<Finished>) -> bool {
        if loads.is_empty() && self.has_looked && !self.is_unsettled {
            return true;
        }
        let mut loading = self.files.values().filter_map(|file| file.loading.as_ref());
        self.started.elapsed() >= self.config.start_wait && loading.all(|l| l.ticket.is_slow())
    }

    /// When there is something to do without a sign of it.
    fn next_wake(&self, watch: &Watch) -> Instant {
        let look = self.next_look.map(|at| at.max(watch.next_look()));
        let publication = self.is_stale.then_some(self.next_publication);
        let start = (!self.complete).then(|| self.started.checked_add(self.config.start_wait));
        let start = start.flatten().filter(|at| *at > Instant::now());
        [look, publication, start]
            .into_iter()
            .flatten()
            .min()
            .map_or(self.next_check, |at| at.min(self.next_check))
    }

    /// Watches the folder that the path leads to: it may be a link that leads elsewhere by now, or
    /// the folder may have been made anew.
    async fn see_to(&mut self, watch: &mut Watch) {
        if Instant::now() < self.next_check {
            return;
        }
        self.next_check = Instant::now() + SAME_FOLDER;
        let folder = self.folder.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || identity(&folder)).await else { return };
        if now == watch.identity {
            return;
        }
        // While there is none, there is nothing to watch.
        watch.identity = now;
        if now.is_some() {
            *watch = Watch::new(&self.folder);
        }
        self.next_look = Some(Instant::now());
    }

    /// Has the folder looked at no later than then.
    fn look_by(&mut self, at: Instant) {
        self.next_look = Some(self.next_look.map_or(at, |other| other.min(at)));
    }

    /// Compares the folder with what is known.
    async fn look(&mut self, watch: &mut Watch, loads: &mut JoinSet<Finished>) {
        let folder = self.folder.clone();
        let start = Instant::now();
        self.has_looked = true;
        self.is_unsettled = false;
        let scanned = tokio::task::spawn_blocking(move || scan(&folder)).await;
        debug!(took = ?start.elapsed(), "looked at the folder");
        let mut scan = match scanned {
            Ok(Ok(scan)) => scan,
            Ok(Err(e)) => {
                watch.looked(start.elapsed(), HashSet::new());
                self.note_unreadable([(".".to_owned(), e.to_string())].into());
                // Nobody knows what is in it now.
                self.files.values_mut().for_each(|file| file.missing = None);
                return;
            }
            Err(e) => {
                error!(error = %e, "looking at the folder failed inside the host");
                return;
            }
        };
        watch.looked(start.elapsed(), std::mem::take(&mut scan.directories));
        self.refresh_lock();
        self.note_unreadable(std::mem::take(&mut scan.unreadable));
        self.settling.retain(&scan.components);
        self.note_missing(&scan);
        for found in std::mem::take(&mut scan.components).into_values() {
            self.consider(found, watch, loads);
        }
    }

    /// Reads the lock file again where it has changed, and has everything judged anew by it.
    fn refresh_lock(&mut self) {
        let Some(lock) = self.lock.as_mut().filter(|lock| lock.is_other()) else { return };
        lock.read();
        match &lock.fault {
            None => info!(components = lock.says.len(), "following another {LOCK_FILE}"),
            Some(fault) => warn!("{fault}; what the last good one says still holds"),
        }
        let now = Instant::now();
        for (name, file) in &mut self.files {
            // What is named in another version is served until that one is loaded, or cannot be.
            file.loaded.take_if(|_| lock.says.refusal_of(name).is_some());
            file.retry = Some((now, RETRY[0]));
        }
        self.is_stale = true;
    }

    /// What of the folder cannot be read now, and why.
    fn note_unreadable(&mut self, now: BTreeMap<String, String>) {
        if !now.keys().eq(self.unreadable.keys()) {
            self.is_stale = true;
        }
        let mut before = std::mem::take(&mut self.unreadable);
        for (name, cause) in now {
            let problem = before.remove(&name).unwrap_or_else(|| {
                let what = if name == "." { "the folder" } else { "it" };
                let message = format!(
                    "{what} cannot be read: {cause}; what was loaded before is still served"
                );
                warn!(file = name, "{message}");
                let is_below = |file: &String| {
                    name == "."
                        || file
                            .strip_prefix(&name)
                            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                let serving =
                    self.files.iter().any(|(file, f)| is_below(file) && f.loaded.is_some());
                Problem { file: name.clone(), message, since: SystemTime::now(), serving }
            });
            self.unreadable.insert(name, problem);
        }
    }

    /// Lets go of files that have been gone for the grace. What cannot be read is not gone.
    fn note_missing(&mut self, scan: &Scan) {
        let now = Instant::now();
        let grace = self.config.removal_grace;
        let mut look_at = None;
        let unreadable = &self.unreadable;
        let before = self.files.len();
        let mut is_stale = false;
        self.files.retain(|name, file| {
            if scan.components.contains_key(name) || is_covered(unreadable, name) {
                is_stale |= file.missing.take().is_some();
                return true;
            }
            let since = *file.missing.get_or_insert_with(|| {
                is_stale = true;
                now
            });
            let end = since + grace;
            if file.loaded.is_some() && now < end {
                look_at = Some(look_at.map_or(end, |at: Instant| at.min(end)));
                return true;
            }
            file.cancel();
            if file.loaded.is_some() {
                info!(file = name, "removed");
            }
            false
        });
        self.is_stale |= is_stale || self.files.len() != before;
        if let Some(at) = look_at {
            self.look_by(at);
        }
    }

    /// Loads a file if it is new or has changed, and is whole.
    fn consider(&mut self, found: Found, watch: &Watch, loads: &mut JoinSet<Finished>) {
        let now = Instant::now();
        let grace = self.config.removal_grace;
        let mut wait = None;
        match self.files.get_mut(&found.name) {
            Some(file) if file.found.is_same(&found) => {
                file.bare = None;
                match file.retry {
                    Some((at, _)) if at > now => self.look_by(at),
                    Some(_) if file.loading.is_none() => self.load(found, loads),
                    _ => {}
                }
                return;
            }
            Some(file) if found.lacks_sidecar_of(&file.found) => {
                wait = Some(*file.bare.get_or_insert(now) + grace);
            }
            Some(file) => file.bare = None,
            // It may be one that is gone, under another name, and its sidecar may follow.
            None if found.sidecar.is_none() => {
                let gone = |file: &File| file.missing.filter(|_| file.found.sidecar.is_some());
                wait = self.files.values().filter_map(gone).min().map(|since| since + grace / 2);
            }
            None => {}
        }
        if let Some(until) = wait.filter(|until| *until > now) {
            return self.look_by(until);
        }
        let written = |path: &PathBuf| watch.is_being_written(path);
        if written(&found.path)
            || found.sidecar.as_ref().is_some_and(written)
            || !self.settling.has_settled(&found)
        {
            self.is_unsettled = true;
            return self.look_by(now + Settling::TIME);
        }
        self.load(found, loads);
    }

    fn load(&mut self, found: Found, loads: &mut JoinSet<Finished>) {
        let found = Arc::new(found);
        let name = found.name.clone();
        let file = self.files.entry(name.clone()).or_insert_with(|| File::new(Arc::clone(&found)));
        if !file.found.is_same(&found) {
            file.retry = None;
        }
        file.found = Arc::clone(&found);
        file.bare = None;
        // What is loaded of an older version must not come after this one.
        file.cancel();
        if let Some(refusal) = self.lock.as_ref().and_then(|lock| lock.says.refusal_of(&name)) {
            file.retry = None;
            self.is_stale = true;
            return file.refuse(refusal);
        }
        let (number, ticket) = (NUMBER.fetch_add(1, Ordering::Relaxed), Ticket::default());
        let since = SystemTime::now();
        file.loading = Some(Loading { number, ticket: ticket.clone(), since });
        let slow = Arc::clone(&self.slow);
        let load = Arc::clone(&self.lanes).load(found, ticket, move || slow.notify_one());
        loads.spawn(async move { Finished { name, number, result: load.await } });
    }

    fn finish(&mut self, finished: Finished) {
        let Finished { name, number, result } = finished;
        // It is gone, or a newer version of it is being loaded.
        let Some(file) = self.files.get_mut(&name) else { return };
        if file.loading.as_ref().is_none_or(|loading| loading.number != number) {
            return;
        }
        file.loading = None;
        self.is_stale = true;
        let last = file.retry.take();
        let message = match result {
            Err(LoadError::Stopped) => return,
            Ok(loaded) if let Some(refusal) = lock_refusal(self.lock.as_ref(), &name, &loaded) => {
                refusal
            }
            Ok(mut loaded) => {
                self.metrics.loaded(true);
                if let Some(before) = &file.loaded {
                    loaded.warnings.extend(new_wants(&before.access, &loaded.access));
                }
                info!(file = name, procedures = loaded.procedures.len(), "loaded");
                for warning in &loaded.warnings {
                    warn!(file = name, "{warning}");
                }
                if let Some(versions) = &self.versions {
                    let (component, found) = (Arc::clone(&loaded.component), &file.found);
                    // At the start nobody knows what came first.
                    versions.note(
                        component,
                        found.path.clone(),
                        found.sidecar.clone(),
                        self.complete,
                    );
                }
                file.loaded = Some(loaded);
                file.loaded_at = SystemTime::now();
                file.problem = None;
                return;
            }
            Err(LoadError::Refused(refusal)) => shortened(refusal.to_string()),
            Err(LoadError::Unavailable(reason)) => {
                let pause = last.map_or(RETRY[0], |(_, pause)| (2 * pause).min(RETRY[1]));
                let at = Instant::now() + pause;
                file.retry = Some((at, pause));
                self.next_look = Some(self.next_look.map_or(at, |other| other.min(at)));
                reason.to_string()
            }
        };
        self.metrics.loaded(false);
        file.loaded.take_if(|loaded| lock_refusal(self.lock.as_ref(), &name, loaded).is_some());
        file.refuse(message);
    }

    /// Who has which name, and the problems of those who do not get one; `instead` is what one file is to
    /// have in place of what it has.
    fn names(&self, instead: Option<(&str, &Loaded)>) -> (Names, Vec<Problem>) {
        let (mut present, mut gone) = (Vec::new(), Vec::new());
        for (name, file) in &self.files {
            if instead.is_some_and(|(its, _)| its == name) {
                continue;
            }
            let Some(loaded) = &file.loaded else { continue };
            if file.missing.is_some() {
                gone.push(loaded);
            } else {
                present.push(Present { loaded, since: file.loaded_at });
            }
        }
        present.extend(instead.map(|(_, loaded)| Present { loaded, since: SystemTime::now() }));
        let before = self.shared.load();
        // While the host starts, who has a name depends on what was loaded first.
        let owners = before.complete.then_some(&before.names);
        Names::give(&present, &gone, owners)
    }

    /// Makes the next catalog and swaps it in.
    fn publish(&mut self) {
        let start = Instant::now();
        let mut problems: Vec<Problem> = self.unreadable.values().cloned().collect();
        problems.extend(self.lock.as_ref().and_then(Lock::problem));
        let mut components = Vec::new();
        for (name, file) in self.files.iter().filter(|(_, file)| file.missing.is_none()) {
            problems.extend(file.problem());
            let Some(loaded) = &file.loaded else { continue };
            let warnings = loaded.warnings.iter().map(|warning| Problem {
                file: name.clone(),
                message: warning.clone(),
                since: file.loaded_at,
                serving: true,
            });
            problems.extend(warnings);
            components.push(Arc::clone(&loaded.component));
        }
        let (names, conflicts) = self.names(None);
        report_new(&conflicts, self.shared.load().problems());
        problems.extend(conflicts);
        self.shared.store(Arc::new(Catalog {
            version: names.version(),
            names,
            components,
            problems,
            complete: self.complete,
        }));
        self.published.send_replace(());
        self.is_stale = false;
        self.next_publication = Instant::now() + start.elapsed() * PUBLISHING_SHARE;
        debug!(took = ?start.elapsed(), "published the catalog");
    }
}

/// The numbers of loads.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl File {
    fn new(found: Arc<Found>) -> Self {
        Self {
            found,
            loading: None,
            loaded: None,
            problem: None,
            loaded_at: SystemTime::UNIX_EPOCH,
            missing: None,
            bare: None,
            retry: None,
        }
    }

    /// Notes why its newest version is not served.
    fn refuse(&mut self, message: String) {
        let name = &self.found.name;
        if self.problem.as_ref().is_some_and(|problem| problem.message == message) {
            return;
        }
        let serving = self.loaded.is_some();
        let kept = if serving { "; the last good version is still served" } else { "" };
        warn!(file = name, "not loaded: {message}{kept}");
        let (file, since) = (name.clone(), SystemTime::now());
        self.problem = Some(Problem { file, message, since, serving });
    }

    /// Ends the load that is under way.
    fn cancel(&mut self) {
        self.loading = None;
    }

    /// What its owner should know, beside its warnings.
    fn problem(&self) -> Option<Problem> {
        let slow = self.loading.as_ref().filter(|loading| loading.ticket.is_slow());
        slow.map(|loading| Problem {
            file: self.found.name.clone(),
            message: "is still being compiled; that takes long".into(),
            since: loading.since,
            serving: self.loaded.is_some(),
        })
        .or_else(|| self.problem.clone())
    }
}

/// Why a version is not to be served by the lock file.
fn lock_refusal(lock: Option<&Lock>, name: &str, loaded: &Loaded) -> Option<String> {
    lock?.says.refusal(name, &loaded.component.version)
}

/// What a new version might want that is not granted, and the one before did not want.
fn new_wants(before: &Access, now: &Access) -> Option<String> {
    let new: Vec<_> = now.missing().filter(|want| !before.wants.contains(want)).collect();
    if new.is_empty() {
        return None;
    }
    let names: Vec<_> = new.iter().map(|want| want.name()).collect();
    let lines: Vec<_> = new.iter().filter_map(|want| want.grant()).collect();
    let cure = match lines.as_slice() {
        [] => String::new(),
        lines => format!("; under `[grants]` of its sidecar, `{}` grants it", lines.join("`, `")),
    };
    Some(format!(
        "this version might want {}, which the one before did not; calls that need it fail{cure}",
        names.join(", ")
    ))
}

/// A message that a file's names made long, as listings have room for it.
fn shortened(mut message: String) -> String {
    const MAX_BYTES: usize = 8 << 10;
    if message.len() > MAX_BYTES {
        message.truncate(message.floor_char_boundary(MAX_BYTES));
        message.push_str(" ...");
    }
    message
}

/// Whether the file, or a folder that it is in, is among what cannot be read.
fn is_covered(unreadable: &BTreeMap<String, Problem>, name: &str) -> bool {
    let mut folders = name.match_indices('/').map(|(at, _)| &name[..at]);
    unreadable.contains_key(name) || folders.any(|folder| unreadable.contains_key(folder))
}

/// Conflicts are found while publishing, again and again; they are logged once.
fn report_new(conflicts: &[Problem], known: &[Problem]) {
    let known: HashSet<_> = known.iter().map(|k| (&*k.file, &*k.message)).collect();
    let is_known = |problem: &Problem| known.contains(&(&*problem.file, &*problem.message));
    for problem in conflicts.iter().filter(|problem| !is_known(problem)) {
        warn!(file = problem.file, "{}", problem.message);
    }
}
