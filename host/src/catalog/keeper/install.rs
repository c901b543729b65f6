//! What the keeper does when it is asked to change the folder itself: it moves a version to its place and
//! publishes it in one step, so that no look at the folder comes in between.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::spawn_blocking;
use tracing::info;

use super::{File, Keeper, new_wants};
use crate::catalog::component::{Component, Version};
use crate::catalog::deploy::command::{Changes, Command, Install, Installed, Precondition};
use crate::catalog::deploy::name::ComponentName;
use crate::catalog::deploy::{Deployer, cannot_write, staging};
use crate::catalog::load::Loaded;
use crate::config::GrantsTable;
use crate::error::{CallError, ErrorKind};

impl Keeper {
    /// What changes the folder on behalf of others, once this keeper runs.
    #[must_use]
    pub fn deployer(&self) -> Deployer {
        let (sender, _) = &self.commands;
        let (lanes, versions) = (Arc::clone(&self.lanes), self.versions.clone());
        let is_locked = self.lock.is_some();
        Deployer::new(self.folder.clone(), self.catalog(), lanes, sender.clone(), versions)
            .locked(is_locked)
    }

    pub(super) async fn obey(&mut self, command: Command) {
        // Whoever has asked may have gone.
        match command {
            Command::Install(install, reply) => {
                let _ = reply.send(self.install(*install).await);
            }
            Command::Remove(name, precondition, reply) => {
                let _ = reply.send(self.remove(&name, &precondition).await);
            }
        }
    }

    async fn install(&mut self, install: Install) -> Result<Installed, CallError> {
        let Install { staged, mut loaded, precondition, may_grant } = install;
        let file = staged.name().file();
        self.check(&file, staged.name(), &precondition)?;
        let current = self.current(&file);
        let may_grant = may_grant || !staged.changes_sidecar();
        let has_these = current.is_some_and(|current| current.grants == loaded.grants);
        if !may_grant && !has_these && *loaded.grants != GrantsTable::default() {
            return Err(grants_refused());
        }
        self.check_names(&file, &loaded)?;
        let changes = Changes::between(current, &loaded);
        let previous = current.map(|current| current.component.version.clone());
        if let Some(current) = current {
            loaded.warnings.extend(new_wants(&current.access, &loaded.access));
        }
        let placed = spawn_blocking(move || staged.place());
        let found = placed.await.map_err(|_| failed())?.map_err(|error| cannot_write(&error))?;
        let found = Arc::new(found);
        let mut kept = File::new(Arc::clone(&found));
        kept.loaded = Some(loaded);
        kept.loaded_at = SystemTime::now();
        // The load of an older version that is under way ends with what is known of it.
        self.files.insert(file.clone(), kept);
        self.metrics.loaded(true);
        self.publish();
        let catalog = self.shared.load();
        let component = catalog.component(&file).cloned().ok_or_else(failed)?;
        let problems = catalog.problems().iter().filter(|problem| problem.file == file);
        let problems = problems.map(|problem| problem.message.clone()).collect();
        Ok(Installed { component, previous, changes, problems })
    }

    async fn remove(
        &mut self,
        name: &ComponentName,
        precondition: &Precondition,
    ) -> Result<Arc<Component>, CallError> {
        let file = name.file();
        self.check(&file, name, precondition)?;
        let (folder, its) = (self.folder.clone(), name.clone());
        let removed = spawn_blocking(move || staging::remove(&folder, &its)).await;
        let was_there = removed.map_err(|_| failed())?.map_err(|error| cannot_write(&error))?;
        let known = self.files.remove(&file);
        if !was_there && known.is_none() {
            let message =
                format!("there is no component {file}; `tarp versions` lists those that there are");
            return Err(CallError::new(ErrorKind::NotFound, message));
        }
        info!(file, "removed");
        self.publish();
        let loaded = known.and_then(|known| known.loaded);
        Ok(loaded.map_or_else(|| Arc::new(unloaded(file)), |loaded| loaded.component))
    }

    /// The version of a file that is served.
    fn current(&self, file: &str) -> Option<&Loaded> {
        let known = self.files.get(file).filter(|known| known.missing.is_none());
        known.and_then(|known| known.loaded.as_ref())
    }

    /// Lets a change through where the folder is known, and is what it must be.
    fn check(
        &self,
        file: &str,
        name: &ComponentName,
        precondition: &Precondition,
    ) -> Result<(), CallError> {
        if !self.complete {
            let message = "the host is still loading what is in its folder";
            return Err(CallError::new(ErrorKind::Overloaded, message).retry_after(1));
        }
        precondition.check(self.current(file).map(|current| &current.component.version))?;
        let known = self.files.get(file);
        let is_other = match precondition {
            Precondition::None => false,
            // A file that cannot be served is there, too.
            Precondition::Absent => known.is_some() || name.component_in(&self.folder).exists(),
            Precondition::Present | Precondition::Versions(_) => {
                known.is_none_or(|known| !known.found.is_there())
            }
        };
        if is_other {
            let there = "somebody has put another file into the folder; look at it first";
            return Err(Precondition::failed(there));
        }
        Ok(())
    }

    /// Refuses a version some of whose names another file has, unless that was so before.
    fn check_names(&self, file: &str, loaded: &Loaded) -> Result<(), CallError> {
        let (_, conflicts) = self.names(Some((file, loaded)));
        let before = self.shared.load();
        let is_known = |message: &str| {
            before.problems().iter().any(|known| known.file == file && known.message == message)
        };
        let new = conflicts.iter().filter(|problem| {
            problem.file == file && !problem.serving && !is_known(&problem.message)
        });
        let messages: Vec<_> = new.map(|problem| &*problem.message).collect();
        if messages.is_empty() {
            return Ok(());
        }
        let message =
            super::shortened(format!("{file}: {}; nothing was changed", messages.join("; ")));
        Err(CallError::new(ErrorKind::Conflict, message))
    }
}

/// A file of which nothing was served.
fn unloaded(file: String) -> Component {
    Component {
        file,
        version: Version { digest: String::new(), sidecar: None },
        modified: SystemTime::UNIX_EPOCH,
        procedures: Vec::new(),
        mount: None,
    }
}

fn grants_refused() -> CallError {
    let message = "the sidecar grants what the one that is in the folder does not, which needs the right `admin`; have its grants put into the folder by who runs the host, and deploy the component without a sidecar";
    CallError::new(ErrorKind::Forbidden, message)
}

fn failed() -> CallError {
    CallError::new(ErrorKind::Internal, "the host failed to do it; its log says more")
}
