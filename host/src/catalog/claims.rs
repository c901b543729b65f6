//! Who has which name in a catalog: procedures, mounts, and the aliases of procedures.
//!
//! Where two files claim one name, whoever had it before keeps it; where neither did, the older file has
//! it, so that a restart decides as before. The other file gets a problem. A file that is gone gives way to
//! those that are there: it may be one of them, renamed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::aliases::{Aliases, Wanted};
use super::load::Loaded;
use super::procedure::{Mount, Problem, Procedure, Source};

/// What has a name of its own, and the aliases that were given.
#[derive(Default)]
pub(super) struct Names {
    pub(super) procedures: BTreeMap<Arc<str>, Arc<Procedure>>,
    pub(super) mounts: BTreeMap<Arc<str>, Arc<Mount>>,
    pub(super) aliases: Aliases,
}

/// A file that is in the folder.
pub(super) struct Present<'a> {
    pub(super) loaded: &'a Loaded,
    /// When it was loaded.
    pub(super) since: SystemTime,
}

impl Names {
    /// Gives names to what the files have. `gone` are files that are served for a while yet; `before`
    /// says who had a name so far, where that is to count. Gives the problems of who does not get one.
    pub(super) fn give(
        present: &[Present<'_>],
        gone: &[&Loaded],
        before: Option<&Self>,
    ) -> (Self, Vec<Problem>) {
        let mut procedures = BTreeMap::new();
        let mut mounts = BTreeMap::new();
        let mut conflicts = Vec::new();
        let mut wanted = Vec::new();
        for Present { loaded, since } in present {
            for procedure in &loaded.procedures {
                let owner = before.and_then(|names| names.procedures.get(&procedure.name));
                conflicts.extend(claim(&mut procedures, owner, procedure, *since));
                wanted.extend(Wanted::by(procedure, *since));
            }
            if let Some(mount) = &loaded.mount {
                let owner = before.and_then(|names| names.mounts.get(&mount.name));
                conflicts.extend(claim(&mut mounts, owner, mount, *since));
            }
        }
        let mut leaving = Vec::new();
        for loaded in gone {
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
            before.and_then(|names| names.aliases.given(alias)).map(|owner| &*owner.source)
        });
        aliases.keep(leaving, &procedures, &mounts);
        conflicts.extend_from_slice(aliases.problems());
        (Self { procedures, mounts, aliases }, conflicts)
    }

    /// A hash of what callers can see, and of the code behind it.
    pub(super) fn version(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |parts: [&str; 2]| {
            for part in parts {
                hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
            }
        };
        for procedure in self.procedures.values() {
            add([&procedure.description(), &procedure.source.digest]);
        }
        for mount in self.mounts.values() {
            add([&mount.name, &mount.source.digest]);
        }
        for (alias, procedure) in self.aliases.all_given() {
            add([alias, &procedure.name]);
        }
        hasher.finalize().to_hex()[..16].to_owned()
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

/// Enters a claimant under its name, unless somebody else has it by right: the owner so far, or else
/// the older file. The file's name decides only between files of the same age. Gives the problem of
/// whoever does not have it.
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
