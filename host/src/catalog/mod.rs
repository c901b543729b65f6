//! What can be called: an immutable [`Catalog`] of every loaded [`Procedure`], swapped whole when the
//! folder changes.
//!
//! The way of a file: [`watch`] notices it, [`folder`] finds it settled, [`load`] reflects and
//! links what [`compile`] makes of it, when [`lanes`] says so, [`claims`] says
//! who has which name, and [`keeper`] publishes the next catalog. A call keeps the procedure that it
//! started with, so a reload never disturbs it. [`deploy`] puts files into the folder for others,
//! [`versions`] keeps those that were served, and [`lock`] says which may be.

mod aliases;
mod author;
mod cache;
mod claims;
mod compile;
mod component;
mod deploy;
mod folder;
mod inspect;
mod keeper;
mod lanes;
mod load;
mod lock;
mod metadata;
mod names;
mod procedure;
mod reflect;
mod sidecars;
mod versions;
mod watch;

use std::sync::Arc;

pub use cache::{Cache, CacheError};
use claims::Names;
pub use compile::{Compiler, compile_from_stdin};
pub use component::{Component, Version};
pub use deploy::command::{Changes, Installed, Precondition};
pub use deploy::name::ComponentName;
pub use deploy::{Deployer, Terms, Upload};
pub use inspect::{InspectError, Inspection};
pub use keeper::{Keeper, Shared};
pub use load::Loader;
pub use lock::{LOCK_FILE, LockError, LockFile};
pub use procedure::{JobPolicy, Mount, Problem, Procedure, Source};
pub use sidecars::{Sidecars, sidecars};
pub use versions::{KeptVersion, Origin};

/// Every procedure that can be called at one moment.
#[derive(Default)]
pub struct Catalog {
    names: Names,
    /// By their files.
    components: Vec<Arc<Component>>,
    problems: Vec<Problem>,
    complete: bool,
    version: String,
}

impl Catalog {
    /// The procedure of that name, or of that alias.
    pub fn find(&self, name: &str) -> Option<&Arc<Procedure>> {
        self.names.procedures.get(name).or_else(|| self.names.aliases.find(name))
    }

    /// The further names that the procedure answers to; `a_b` for `a/b` is none of them.
    pub fn aliases_of<'a>(&'a self, procedure: &'a Procedure) -> impl Iterator<Item = &'a str> {
        procedure.further_names().map(|alias| &**alias).filter(|alias| {
            self.names.aliases.given(alias).is_some_and(|owner| std::ptr::eq(&**owner, procedure))
        })
    }

    /// All procedures, by name.
    pub fn procedures(&self) -> impl Iterator<Item = &Procedure> {
        self.names.procedures.values().map(|procedure| &**procedure)
    }

    /// All components that answer requests themselves, by name.
    pub fn mounts(&self) -> impl Iterator<Item = &Mount> {
        self.names.mounts.values().map(|mount| &**mount)
    }

    /// The component that is mounted under that name.
    pub fn mount(&self, name: &str) -> Option<&Arc<Mount>> {
        self.names.mounts.get(name)
    }

    /// The files that are served, by name.
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().map(|component| &**component)
    }

    /// What is served of that file.
    pub fn component(&self, file: &str) -> Option<&Arc<Component>> {
        let at = self.components.binary_search_by(|component| component.file.as_str().cmp(file));
        at.ok().map(|at| &self.components[at])
    }

    /// Differs from that of any catalog with other procedures, or other versions of them.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What is wrong with files of the folder.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether all files that were there at the start have been looked at.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}
