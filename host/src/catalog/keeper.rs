//! Keeps the catalog true to the folder: looks, loads what changed, publishes the next catalog.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::{debug, error, info, warn};

use super::aliases::{Aliases, Wanted};
use super::folder::{Found, Scan, Settling, identity, scan};
use super::lanes::{Lanes, Ticket};
use super::load::{LoadError, Loaded, Loader};
use super::watch::Watch;
use super::{Catalog, Mount, Problem, Procedure, Source};
use crate::config::LoadingConfig;
use crate::metrics::Metrics;

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

/// A load under way.
struct Loading {
    /// Tells it from one of another version.
    number: u64,
    ticket: Ticket,
    since: SystemTime,
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
        }
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
        self.note_unreadable(std::mem::take(&mut scan.unreadable));
        self.settling.retain(&scan.components);
        self.note_missing(&scan);
        for found in std::mem::take(&mut scan.components).into_values() {
            self.consider(found, watch, loads);
        }
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
        let file = self.files.entry(name.clone()).or_insert_with(|| File {
            found: Arc::clone(&found),
            loading: None,
            loaded: None,
            problem: None,
            loaded_at: SystemTime::UNIX_EPOCH,
            missing: None,
            bare: None,
            retry: None,
        });
        if !file.found.is_same(&found) {
            file.retry = None;
        }
        file.found = Arc::clone(&found);
        file.bare = None;
        // What is loaded of an older version must not come after this one.
        file.cancel();
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
            Ok(loaded) => {
                self.metrics.loaded(true);
                info!(file = name, procedures = loaded.procedures.len(), "loaded");
                for warning in &loaded.warnings {
                    warn!(file = name, "{warning}");
                }
                file.loaded = Some(loaded);
                file.loaded_at = SystemTime::now();
                file.problem = None;
                return;
            }
            Err(LoadError::Refused(message)) => shortened(message),
            Err(LoadError::Unavailable(message)) => {
                let pause = last.map_or(RETRY[0], |(_, pause)| (2 * pause).min(RETRY[1]));
                let at = Instant::now() + pause;
                file.retry = Some((at, pause));
                self.next_look = Some(self.next_look.map_or(at, |other| other.min(at)));
                message
            }
        };
        self.metrics.loaded(false);
        if file.problem.as_ref().is_some_and(|problem| problem.message == message) {
            return;
        }
        let serving = file.loaded.is_some();
        let kept = if serving { "; the last good version is still served" } else { "" };
        warn!(file = name, "not loaded: {message}{kept}");
        file.problem = Some(Problem { file: name, message, since: SystemTime::now(), serving });
    }

    /// Makes the next catalog and swaps it in.
    fn publish(&mut self) {
        let start = Instant::now();
        let mut procedures: BTreeMap<Arc<str>, Arc<Procedure>> = BTreeMap::new();
        let mut mounts: BTreeMap<Arc<str>, Arc<Mount>> = BTreeMap::new();
        let mut problems: Vec<Problem> = self.unreadable.values().cloned().collect();
        let mut conflicts = Vec::new();
        let mut wanted = Vec::new();
        let before = self.shared.load();
        // While the host starts, who has a name depends on what was loaded first.
        let is_settled = before.complete;
        // A file that is gone gives way to those that are there: it may be one of them, renamed.
        let (gone, there): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|(_, file)| file.missing.is_some());
        for (name, file) in there {
            problems.extend(file.problem());
            let Some(loaded) = &file.loaded else { continue };
            let warnings = loaded.warnings.iter().map(|warning| Problem {
                file: name.clone(),
                message: warning.clone(),
                since: file.loaded_at,
                serving: true,
            });
            problems.extend(warnings);
            for procedure in &loaded.procedures {
                let owner = before.procedures.get(&procedure.name).filter(|_| is_settled);
                conflicts.extend(claim(&mut procedures, owner, procedure, file.loaded_at));
                wanted.extend(Wanted::by(procedure, file.loaded_at));
            }
            if let Some(mount) = &loaded.mount {
                let owner = before.mounts.get(&mount.name).filter(|_| is_settled);
                conflicts.extend(claim(&mut mounts, owner, mount, file.loaded_at));
            }
        }
        let mut leaving = Vec::new();
        for loaded in gone.into_iter().filter_map(|(_, file)| file.loaded.as_ref()) {
            for procedure in &loaded.procedures {
                let name = Arc::clone(&procedure.name);
                procedures.entry(name).or_insert_with(|| Arc::clone(procedure));
                leaving.push(procedure);
            }
            if let Some(mount) = &loaded.mount {
                mounts.entry(Arc::clone(&mount.name)).or_insert_with(|| Arc::clone(mount));
            }
        }
        let mut aliases = Aliases::new(wanted, &procedures, &mounts, |alias| {
            before.aliases.given(alias).filter(|_| is_settled).map(|owner| &*owner.source)
        });
        aliases.keep(leaving, &procedures, &mounts);
        conflicts.extend_from_slice(aliases.problems());
        report_new(&conflicts, before.problems());
        problems.extend(conflicts);
        self.shared.store(Arc::new(Catalog {
            version: version(&procedures, &mounts, &aliases),
            procedures,
            mounts,
            aliases,
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
    /// Ends the load that is under way.
    fn cancel(&mut self) {
        if let Some(loading) = self.loading.take() {
            loading.ticket.cancel();
        }
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

/// A message that a file's names made long, as listings have room for it.
fn shortened(mut message: String) -> String {
    const MOST: usize = 8 << 10;
    if message.len() > MOST {
        message.truncate(message.floor_char_boundary(MOST));
        message.push_str(" ...");
    }
    message
}

/// Whether the file, or a folder that it is in, is among what cannot be read.
fn is_covered(unreadable: &BTreeMap<String, Problem>, name: &str) -> bool {
    let mut folders = name.match_indices('/').map(|(at, _)| &name[..at]);
    unreadable.contains_key(name) || folders.any(|folder| unreadable.contains_key(folder))
}

/// What a file has under a name.
trait Claimant {
    fn name(&self) -> &Arc<str>;
    fn source(&self) -> &Source;
}

impl Claimant for Procedure {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn source(&self) -> &Source {
        &self.source
    }
}

impl Claimant for Mount {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn source(&self) -> &Source {
        &self.source
    }
}

/// Enters a claimant under its name. Where two files claim one name, whoever had it before, the owner,
/// keeps it; where neither did, the older file has it, so that a restart decides as before. The name
/// decides only between files of the same age. Gives the problem of whoever does not have it.
fn claim<T: Claimant>(
    claims: &mut BTreeMap<Arc<str>, Arc<T>>,
    owner: Option<&Arc<T>>,
    claimant: &Arc<T>,
    since: SystemTime,
) -> Option<Problem> {
    let Some(rival) = claims.get(claimant.name()) else {
        claims.insert(Arc::clone(claimant.name()), Arc::clone(claimant));
        return None;
    };
    let owner = owner.map(|owner| &*owner.source().file);
    let rank = |claimant: &Arc<T>| {
        let source = claimant.source();
        (owner != Some(&*source.file), source.modified, source.file.clone())
    };
    let (winner, loser) =
        if rank(rival) <= rank(claimant) { (rival, claimant) } else { (claimant, rival) };
    let problem = Problem {
        file: loser.source().file.clone(),
        message: format!(
            "`{}` is already served from {}; rename one of them, or set a prefix in a sidecar",
            claimant.name(),
            winner.source().file
        ),
        since,
        serving: false,
    };
    let winner = Arc::clone(winner);
    claims.insert(Arc::clone(claimant.name()), winner);
    Some(problem)
}

/// A hash of what callers can see, and of the code behind it.
fn version(
    procedures: &BTreeMap<Arc<str>, Arc<Procedure>>,
    mounts: &BTreeMap<Arc<str>, Arc<Mount>>,
    aliases: &Aliases,
) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |parts: [&str; 2]| {
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
    };
    for procedure in procedures.values() {
        add([&procedure.description(), &procedure.source.digest]);
    }
    for mount in mounts.values() {
        add([&mount.name, &mount.source.digest]);
    }
    for (alias, procedure) in aliases.all_given() {
        add([alias, &procedure.name]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Conflicts are found while publishing, again and again; they are logged once.
fn report_new(conflicts: &[Problem], known: &[Problem]) {
    let known: HashSet<_> = known.iter().map(|k| (&*k.file, &*k.message)).collect();
    let is_known = |problem: &Problem| known.contains(&(&*problem.file, &*problem.message));
    for problem in conflicts.iter().filter(|problem| !is_known(problem)) {
        warn!(file = problem.file, "{}", problem.message);
    }
}
