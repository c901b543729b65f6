//! Keeps the catalog true to the folder: looks, loads what changed, publishes the next catalog.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::folder::{Found, Settling, scan};
use super::load::{Loaded, Loader};
use super::names::alias;
use super::watch::Watch;
use super::{Catalog, Mount, Problem, Procedure, Source};

/// The catalog of this moment, for whoever starts a call.
pub type Shared = Arc<ArcSwap<Catalog>>;

/// Keeps a [`Shared`] catalog true to a folder.
pub struct Keeper {
    folder: PathBuf,
    shared: Shared,
    /// Told of each catalog that is published.
    published: watch::Sender<()>,
    loader: Arc<Loader>,
    /// Compiling takes a core and memory, so there is one at a time for each core.
    compiling: Arc<Semaphore>,
    files: BTreeMap<String, File>,
    settling: Settling,
    /// The folder cannot be read, since when.
    unreadable: Option<Problem>,
    complete: bool,
}

/// What is known of one file.
struct File {
    /// As it was when it was last loaded, or is being loaded.
    found: Found,
    loading: bool,
    /// The last good version.
    loaded: Option<Loaded>,
    /// Why the newest version is not served.
    problem: Option<Problem>,
    /// Since when there are warnings about the last good version.
    loaded_at: SystemTime,
}

/// A load that has ended.
type Finished = (Found, Result<Loaded, String>);

impl Keeper {
    /// Prepares to keep a catalog, still empty, of the components in `folder`.
    pub fn new(folder: PathBuf, loader: Loader) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            folder,
            shared: Shared::default(),
            published: watch::Sender::new(()),
            loader: Arc::new(loader),
            compiling: Arc::new(Semaphore::new(cores)),
            files: BTreeMap::new(),
            settling: Settling::default(),
            unreadable: None,
            complete: false,
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
    /// were there at the start have been looked at.
    pub async fn run(mut self, ready: impl FnOnce(&Catalog)) {
        // Before the first look, so that nothing can change unnoticed between the two.
        let watch = Watch::new(&self.folder);
        let mut loads = JoinSet::<Finished>::new();
        let mut ready = Some(ready);
        loop {
            let unsettled = self.look(&watch, &mut loads).await;
            if !self.complete && !unsettled && loads.is_empty() {
                self.complete = true;
                self.publish();
                if let Some(ready) = ready.take() {
                    ready(&self.shared.load());
                }
            }
            tokio::select! {
                Some(finished) = loads.join_next() => match finished {
                    Ok((found, result)) => self.finish(found, result),
                    Err(e) => error!(error = %e, "loading a component failed inside the host"),
                },
                () = tokio::time::sleep(Settling::TIME), if unsettled => {}
                () = watch.changed() => {}
            }
        }
    }

    /// Compares the folder with what is known. Returns whether some file is still changing.
    async fn look(&mut self, watch: &Watch, loads: &mut JoinSet<Finished>) -> bool {
        let folder = self.folder.clone();
        let scanned = tokio::task::spawn_blocking(move || scan(&folder)).await;
        let found = match scanned {
            Ok(Ok(found)) => found,
            Ok(Err(e)) => {
                self.folder_unreadable(&e);
                return false;
            }
            Err(e) => {
                error!(error = %e, "looking at the folder failed inside the host");
                return false;
            }
        };
        let mut changed = self.unreadable.take().is_some();
        self.settling.retain(&found);
        let before = self.files.len();
        self.files.retain(|name, file| {
            let kept = found.contains_key(name);
            if !kept && file.loaded.is_some() {
                info!(file = name, "removed");
            }
            kept
        });
        changed |= self.files.len() != before;
        if changed {
            self.publish();
        }
        let mut unsettled = false;
        for found in found.into_values() {
            let known = self.files.get(&found.name);
            if known.is_some_and(|file| file.loading || file.found.is_same(&found)) {
                continue;
            }
            let written = |path: &PathBuf| watch.is_being_written(path);
            if written(&found.path)
                || found.sidecar.as_ref().is_some_and(written)
                || !self.settling.has_settled(&found)
            {
                unsettled = true;
                continue;
            }
            self.load(found, loads);
        }
        unsettled
    }

    fn load(&mut self, found: Found, loads: &mut JoinSet<Finished>) {
        let file = self.files.entry(found.name.clone()).or_insert_with(|| File {
            found: found.clone(),
            loading: false,
            loaded: None,
            problem: None,
            loaded_at: SystemTime::UNIX_EPOCH,
        });
        file.found = found.clone();
        file.loading = true;
        let (loader, compiling) = (Arc::clone(&self.loader), Arc::clone(&self.compiling));
        loads.spawn(async move {
            let _place = compiling.acquire_owned().await;
            let name = found.name.clone();
            let result = tokio::task::spawn_blocking(move || {
                let result = loader.load(&found);
                (found, result)
            });
            result.await.unwrap_or_else(|e| {
                error!(file = name, error = %e, "loading failed inside the host");
                std::panic::resume_unwind(e.into_panic())
            })
        });
    }

    fn finish(&mut self, found: Found, result: Result<Loaded, String>) {
        // It was deleted while it was being loaded.
        let Some(file) = self.files.get_mut(&found.name) else { return };
        file.loading = false;
        self.loader.metrics.loaded(result.is_ok());
        match result {
            Ok(loaded) => {
                info!(file = found.name, procedures = loaded.procedures.len(), "loaded");
                for warning in &loaded.warnings {
                    warn!(file = found.name, "{warning}");
                }
                file.loaded = Some(loaded);
                file.loaded_at = SystemTime::now();
                file.problem = None;
            }
            Err(message) => {
                let serving = file.loaded.is_some();
                let kept = if serving { "; the last good version is still served" } else { "" };
                warn!(file = found.name, "not loaded: {message}{kept}");
                file.problem =
                    Some(Problem { file: found.name, message, since: SystemTime::now(), serving });
            }
        }
        self.publish();
    }

    fn folder_unreadable(&mut self, e: &std::io::Error) {
        if self.unreadable.is_none() {
            warn!(error = %e, "the folder cannot be read; what was loaded is still served");
            let message =
                format!("the folder cannot be read: {e}; what was loaded is still served");
            let serving = !self.files.is_empty();
            self.unreadable =
                Some(Problem { file: ".".into(), message, since: SystemTime::now(), serving });
            self.publish();
        }
    }

    /// Makes the next catalog and swaps it in.
    fn publish(&self) {
        let mut procedures: BTreeMap<Arc<str>, Arc<Procedure>> = BTreeMap::new();
        let mut mounts: BTreeMap<Arc<str>, Arc<Mount>> = BTreeMap::new();
        let mut problems: Vec<Problem> = self.unreadable.iter().cloned().collect();
        let mut conflicts = Vec::new();
        let before = self.shared.load();
        // While the host starts, who has a name depends on what was loaded first.
        let is_settled = before.complete;
        for (name, file) in &self.files {
            problems.extend(file.problem.clone());
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
            }
            if let Some(mount) = &loaded.mount {
                let owner = before.mounts.get(&mount.name).filter(|_| is_settled);
                conflicts.extend(claim(&mut mounts, owner, mount, file.loaded_at));
            }
        }
        report_new(&conflicts, before.problems());
        problems.extend(conflicts);
        let aliases = aliases(&procedures);
        self.shared.store(Arc::new(Catalog {
            version: version(&procedures, &mounts),
            procedures,
            mounts,
            aliases,
            problems,
            complete: self.complete,
        }));
        self.published.send_replace(());
    }
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
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Conflicts are found while publishing, again and again; they are logged once.
fn report_new(conflicts: &[Problem], known: &[Problem]) {
    let is_known = |problem: &Problem| {
        known.iter().any(|k| k.file == problem.file && k.message == problem.message)
    };
    for problem in conflicts.iter().filter(|problem| !is_known(problem)) {
        warn!(file = problem.file, "{}", problem.message);
    }
}

/// Each alias that belongs to one procedure alone and is no procedure's own name.
fn aliases(procedures: &BTreeMap<Arc<str>, Arc<Procedure>>) -> HashMap<String, Arc<Procedure>> {
    let mut aliases: HashMap<String, Option<Arc<Procedure>>> = HashMap::new();
    for (name, procedure) in procedures {
        if let Some(alias) = alias(name).filter(|alias| !procedures.contains_key(alias.as_str())) {
            aliases
                .entry(alias)
                .and_modify(|shared| *shared = None)
                .or_insert_with(|| Some(Arc::clone(procedure)));
        }
    }
    aliases.into_iter().filter_map(|(alias, procedure)| Some((alias, procedure?))).collect()
}
