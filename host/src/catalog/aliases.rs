//! Who answers to a name that is no procedure's own: aliases that authors and owners give, and `a_b` for
//! `a/b`.
//!
//! A procedure's own name beats an alias, a mounted component too. An alias that two files claim stays
//! with the one that had it, as names do. Whoever does not get one is told. The snake_case form of a
//! procedure's name is an alias as well, which gives way to all others in silence, and is nobody's where
//! two share it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use super::metadata::Metadata;
use super::names::flat;
use super::procedure::{Mount, Problem, Procedure, Source};
use super::reflect::Export;
use crate::config::{Sidecar, check_alias};

/// The aliases of one file's procedures, none of which two of them have.
pub(super) struct FileAliases<'a> {
    sidecar: &'a Sidecar,
    /// Own names, and the aliases of the sidecar.
    taken: HashSet<String>,
    /// What is wrong with the author's.
    pub(super) warnings: Vec<String>,
}

/// A sidecar gives an alias that the file has as a name already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its sidecar's alias `{alias}` of `{procedure}`: the file has that name already")]
pub(super) struct AliasTaken {
    alias: String,
    procedure: String,
}

impl<'a> FileAliases<'a> {
    /// # Errors
    ///
    /// What is wrong with the owner's: a sidecar's fault is always an error.
    pub(super) fn of(exports: &[Export], sidecar: &'a Sidecar) -> Result<Self, AliasTaken> {
        let mut taken: HashSet<_> = exports.iter().map(|export| export.name.clone()).collect();
        for (name, table) in &sidecar.procedures {
            for alias in table.aliases.iter().flatten() {
                if !taken.insert(alias.clone()) {
                    return Err(AliasTaken { alias: alias.clone(), procedure: name.clone() });
                }
            }
        }
        Ok(Self { sidecar, taken, warnings: Vec::new() })
    }

    /// Those of one procedure: the owner's, or else the author's that are sound.
    pub(super) fn take(&mut self, export: &Export, metadata: &Metadata) -> Vec<String> {
        let name = &*export.name;
        if let Some(table) = self.sidecar.procedures.get(name)
            && let Some(aliases) = &table.aliases
        {
            return aliases.clone();
        }
        let mut sound = Vec::new();
        for alias in metadata.table(export).iter().flat_map(|table| &table.aliases) {
            let reason = match check_alias(alias) {
                Ok(()) if self.taken.insert(alias.clone()) => {
                    sound.push(alias.clone());
                    continue;
                }
                Ok(()) => "the file has that name already".to_owned(),
                Err(invalid) => invalid.to_string(),
            };
            self.warnings.push(format!(
                "the alias `{alias}` of `{name}` in the component is not served: {reason}"
            ));
        }
        sound
    }
}

/// The aliases of one catalog.
#[derive(Default)]
pub(super) struct Aliases {
    given: BTreeMap<Arc<str>, Arc<Procedure>>,
    /// `a_b` for `a/b`, where nothing else has that very name.
    flat: HashMap<String, Arc<Procedure>>,
    problems: Vec<Problem>,
}

/// An alias that a procedure is to have.
pub(super) struct Wanted<'a> {
    alias: &'a Arc<str>,
    procedure: &'a Arc<Procedure>,
    /// Whether nobody gave it: the snake_case form of a name.
    is_implied: bool,
    /// When its file was loaded.
    since: SystemTime,
}

impl<'a> Wanted<'a> {
    /// All that a procedure is to have.
    pub(super) fn by(
        procedure: &'a Arc<Procedure>,
        since: SystemTime,
    ) -> impl Iterator<Item = Self> {
        let given = procedure.aliases.iter().map(|alias| (alias, false));
        let implied = procedure.snake_name.iter().map(|alias| (alias, true));
        let all = given.chain(implied);
        all.map(move |(alias, is_implied)| Self { alias, procedure, is_implied, since })
    }

    /// The problem of who does not get it.
    fn refused(&self, owner: &str) -> Problem {
        Problem {
            file: self.procedure.source.file.clone(),
            message: format!(
                "the alias `{}` of `{}` is not served: it is {owner}; choose another one, or set a prefix in a sidecar",
                self.alias, self.procedure.name
            ),
            since: self.since,
            serving: true,
        }
    }
}

impl Aliases {
    /// Gives procedures that are served under their own names the aliases that they want. `before`
    /// says who had one so far.
    pub(super) fn new<'a>(
        wanted: Vec<Wanted<'_>>,
        procedures: &BTreeMap<Arc<str>, Arc<Procedure>>,
        mounts: &BTreeMap<Arc<str>, Arc<Mount>>,
        before: impl Fn(&str) -> Option<&'a Source>,
    ) -> Self {
        let mut aliases =
            Self { flat: flat_names(procedures.values().map(own)), ..Self::default() };
        let mut claims: BTreeMap<&str, Vec<Wanted<'_>>> = BTreeMap::new();
        for wanted in wanted {
            let name = &wanted.procedure.name;
            let is_served = procedures.get(name).is_some_and(|p| Arc::ptr_eq(p, wanted.procedure));
            if !is_served {
                continue;
            }
            let alias = &**wanted.alias;
            let flat =
                aliases.flat.get(alias).filter(|owner| !Arc::ptr_eq(owner, wanted.procedure));
            let owner = if let Some(owner) = procedures.get(alias) {
                format!("a procedure of {}", owner.source.file)
            } else if let Some(owner) = mounts.get(alias) {
                format!("where {} is mounted", owner.source.file)
            } else if let Some(owner) = flat {
                format!("what the original client calls `{}`", owner.name)
            } else {
                claims.entry(alias).or_default().push(wanted);
                continue;
            };
            if !wanted.is_implied {
                aliases.problems.push(wanted.refused(&owner));
            }
        }
        for (alias, mut rivals) in claims {
            let implied = rivals.iter().filter(|rival| rival.is_implied).count();
            if implied < rivals.len() || implied > 1 {
                rivals.retain(|rival| !rival.is_implied);
            }
            let had_it = before(alias).map(|source| &*source.file);
            rivals.sort_by_key(|rival| {
                let source = &rival.procedure.source;
                (had_it != Some(&*source.file), source.modified, source.file.clone())
            });
            let mut rivals = rivals.into_iter();
            let Some(winner) = rivals.next() else { continue };
            let owner = format!("one of {}", winner.procedure.source.file);
            aliases.problems.extend(rivals.map(|rival| rival.refused(&owner)));
            aliases.given.insert(Arc::clone(winner.alias), Arc::clone(winner.procedure));
        }
        let given = flat_names(aliases.given.iter().map(|(alias, owner)| (&**alias, owner)));
        for (alias, owner) in given {
            if !aliases.given.contains_key(&*alias) {
                aliases.flat.entry(alias).or_insert(owner);
            }
        }
        aliases.flat.retain(|alias, _| !procedures.contains_key(&**alias));
        aliases
    }

    /// Leaves procedures whose file is gone what nobody else has by now, for as long as they are served.
    pub(super) fn keep(
        &mut self,
        leaving: Vec<&Arc<Procedure>>,
        procedures: &BTreeMap<Arc<str>, Arc<Procedure>>,
        mounts: &BTreeMap<Arc<str>, Arc<Mount>>,
    ) {
        for procedure in leaving {
            let is_served = procedures
                .get(&procedure.name)
                .is_some_and(|served| Arc::ptr_eq(served, procedure));
            for alias in procedure.further_names().filter(|_| is_served) {
                if !procedures.contains_key(alias) && !mounts.contains_key(alias) {
                    self.given.entry(Arc::clone(alias)).or_insert_with(|| Arc::clone(procedure));
                }
            }
        }
    }

    /// Who answers to a name that is nobody's own.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Procedure>> {
        self.given.get(name).or_else(|| self.flat.get(name))
    }

    /// Who was given this alias.
    pub(super) fn given(&self, alias: &str) -> Option<&Arc<Procedure>> {
        self.given.get(alias)
    }

    /// All that were given, with those who have them.
    pub(super) fn all_given(&self) -> impl Iterator<Item = (&str, &Procedure)> {
        self.given.iter().map(|(alias, owner)| (&**alias, &**owner))
    }

    /// Who does not get an alias, and why.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

fn own(procedure: &Arc<Procedure>) -> (&str, &Arc<Procedure>) {
    (&procedure.name, procedure)
}

/// `a_b` for each `a/b`, where that is so for one alone.
fn flat_names<'a>(
    names: impl Iterator<Item = (&'a str, &'a Arc<Procedure>)>,
) -> HashMap<String, Arc<Procedure>> {
    let mut all: HashMap<String, Option<Arc<Procedure>>> = HashMap::new();
    for (name, procedure) in names {
        if let Some(flat) = flat(name) {
            all.entry(flat)
                .and_modify(|shared| *shared = None)
                .or_insert_with(|| Some(Arc::clone(procedure)));
        }
    }
    all.into_iter().filter_map(|(flat, procedure)| Some((flat, procedure?))).collect()
}
