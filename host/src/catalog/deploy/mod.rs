//! Puts components into the folder for those who deploy them from elsewhere, and returns to versions of before.
//!
//! A version is written beside its place ([`staging`]), loaded from there as a dropped file would be, and then
//! handed to the keeper ([`command`]), which moves it to its place and publishes it in one step: nothing that
//! cannot be served ever replaces what is. Which versions were served before, [`versions`](super::versions)
//! knows. Who may do this is not known here.

pub(super) mod command;
pub(super) mod name;
pub(super) mod staging;

use std::io::ErrorKind as IoErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking};
use tracing::{info, warn};

use super::Shared;
use super::component::{Component, Version};
use super::lanes::{Lanes, Ticket};
use super::load::{LoadError, Refusal};
use super::lock::LOCK_FILE;
use super::versions::{self, KeptVersion, Origin, Record, Versions};
use crate::budget::Charge;
use crate::error::{CallError, ErrorKind};
use command::{Command, Install, Installed, Precondition};
use name::ComponentName;
use staging::{Content, SidecarChange, Source, Staged};

/// Versions that are checked and put into the folder at once; others wait.
const MAX_AT_ONCE: usize = 4;

/// Changes the folder on behalf of those who may.
pub struct Deployer {
    shared: Arc<Inner>,
    /// Whether what is served may be changed by `tarp lock` only.
    is_locked: bool,
    /// Whoever has asked may go: what arrived whole is brought to its end, unless the host ends first.
    tasks: Mutex<JoinSet<()>>,
}

struct Inner {
    folder: PathBuf,
    catalog: Shared,
    lanes: Arc<Lanes>,
    commands: mpsc::Sender<Command>,
    /// `None` where the host keeps nothing.
    versions: Option<Arc<Versions>>,
    places: Semaphore,
}

/// Who asks for a change, and under which condition.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What must be there.
    pub precondition: Precondition,
    /// Whether a sidecar may grant what the one before did not.
    pub may_grant: bool,
    /// The name of the token.
    pub by: Option<String>,
}

/// What is to be put into the folder.
#[derive(Debug)]
pub struct Upload {
    /// The component; `None` where it stays as it is.
    pub component: Option<Bytes>,
    /// The text of its sidecar, empty for none from now on; `None` where it stays as it is.
    pub sidecar: Option<Bytes>,
    /// What the upload takes.
    pub charge: Charge,
}

impl Deployer {
    pub(super) fn new(
        folder: PathBuf,
        catalog: Shared,
        lanes: Arc<Lanes>,
        commands: mpsc::Sender<Command>,
        versions: Option<Arc<Versions>>,
    ) -> Self {
        let places = Semaphore::new(MAX_AT_ONCE);
        let shared = Inner { folder, catalog, lanes, commands, versions, places };
        Self { shared: Arc::new(shared), is_locked: false, tasks: Mutex::default() }
    }

    /// The same, which changes nothing where `is_locked` says so.
    pub(super) fn locked(self, is_locked: bool) -> Self {
        Self { is_locked, ..self }
    }

    /// Whether the host serves only what its lock file names.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Lets a change through where the host takes any.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] where it serves only what its lock file names.
    pub fn check_may_change(&self) -> Result<(), CallError> {
        if !self.is_locked {
            return Ok(());
        }
        let message = format!(
            "this host serves only what its {LOCK_FILE} names (--locked); put the component into its folder there, and run `tarp lock`"
        );
        Err(CallError::new(ErrorKind::Conflict, message))
    }

    /// The kept versions of a component, the newest first.
    #[must_use]
    pub fn versions(&self, file: &str) -> Vec<KeptVersion> {
        self.shared.versions.as_ref().map(|versions| versions.of(file)).unwrap_or_default()
    }

    /// Puts a version into the folder, and gives what is served when it is.
    ///
    /// # Errors
    ///
    /// Why not: [`ErrorKind::BadRequest`] for what cannot be served, [`ErrorKind::PreconditionFailed`],
    /// [`ErrorKind::Conflict`] where another file has the names, [`ErrorKind::Forbidden`] for grants, and where the
    /// folder cannot be written to. Nothing has changed then.
    pub async fn deploy(
        &self,
        name: ComponentName,
        upload: Upload,
        terms: Terms,
    ) -> Result<Installed, CallError> {
        name.check_is_flat()?;
        self.brought_to_its_end(|shared| async move { shared.deploy(name, upload, terms).await })
            .await
    }

    /// Returns to a version that is kept, by its tag or its component's digest; without one to that before the
    /// one that is served.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is none, and as [`Self::deploy`].
    pub async fn roll_back(
        &self,
        name: ComponentName,
        to: Option<String>,
        terms: Terms,
    ) -> Result<Installed, CallError> {
        self.brought_to_its_end(|shared| async move { shared.roll_back(name, to, terms).await })
            .await
    }

    /// Removes a component and its sidecar, and gives what was served when it is no longer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is none, [`ErrorKind::PreconditionFailed`], and where the folder
    /// cannot be written to.
    pub async fn remove(
        &self,
        name: ComponentName,
        terms: Terms,
    ) -> Result<Arc<Component>, CallError> {
        self.brought_to_its_end(|shared| async move { shared.remove(name, terms).await }).await
    }

    async fn brought_to_its_end<T, F>(
        &self,
        work: impl FnOnce(Arc<Inner>) -> F,
    ) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CallError>> + Send + 'static,
    {
        self.check_may_change()?;
        let work = work(Arc::clone(&self.shared));
        let (done, is_done) = oneshot::channel();
        {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                let _ = done.send(work.await);
            });
        }
        is_done.await.unwrap_or_else(|_| Err(failed()))
    }
}

impl Inner {
    async fn deploy(
        &self,
        name: ComponentName,
        upload: Upload,
        terms: Terms,
    ) -> Result<Installed, CallError> {
        let _place = self.places.acquire().await;
        let file = name.file();
        let by = terms.by.clone();
        terms.precondition.check(self.version(&file).as_ref())?;
        let Upload { component, sidecar, charge } = upload;
        let (folder, bytes, text) = (self.folder.clone(), component.clone(), sidecar.clone());
        let write = move || {
            let content = Content {
                component: bytes.as_deref().map(Source::Bytes),
                sidecar: match text.as_deref() {
                    None => SidecarChange::Keep,
                    Some([]) => SidecarChange::Remove,
                    Some(text) => SidecarChange::Replace(text),
                },
            };
            Staged::write(&folder, name, &content)
        };
        let is_kept = component.is_none();
        let staged = blocking(write).await?.map_err(|error| match error.kind() {
            IoErrorKind::NotFound if is_kept => CallError::new(
                ErrorKind::NotFound,
                "there is no such component, so the sidecar needs one beside it; send it as the part `component`",
            ),
            _ => cannot_write(&error),
        })?;
        let installed = self.install(staged, terms).await?;
        Ok(self.recorded(installed, component, sidecar, by, charge).await)
    }

    /// Keeps a version that has been deployed.
    async fn recorded(
        &self,
        mut installed: Installed,
        component: Option<Bytes>,
        sidecar: Option<Bytes>,
        by: Option<String>,
        charge: Charge,
    ) -> Installed {
        let Some(versions) = self.versions.clone() else { return installed };
        let (of, folder) = (Arc::clone(&installed.component), self.folder.clone());
        let record = move || {
            let _charge = charge;
            let path = folder.join(&of.file);
            let text = match (&sidecar, &of.version.sidecar) {
                (Some(text), _) => Some(String::from_utf8_lossy(text).into_owned()),
                (None, Some(_)) => Some(std::fs::read_to_string(path.with_extension("toml"))?),
                (None, None) => None,
            };
            versions.record(&Record {
                file: &of.file,
                version: &of.version,
                component: match &component {
                    Some(bytes) => versions::Bytes::InMemory(bytes),
                    None => versions::Bytes::InFile(&path),
                },
                sidecar: text.as_deref().filter(|text| !text.is_empty()),
                origin: Origin::Deploy,
                by: by.as_deref(),
                is_newest: true,
            })
        };
        if let Ok(Err(error)) = blocking(record).await {
            warn!(%error, file = installed.component.file, "a deployed version is not kept");
            installed
                .problems
                .push(format!("this version is served, but not kept to be returned to: {error}"));
        }
        installed
    }

    async fn roll_back(
        &self,
        name: ComponentName,
        to: Option<String>,
        terms: Terms,
    ) -> Result<Installed, CallError> {
        let _place = self.places.acquire().await;
        let file = name.file();
        let current = self.version(&file);
        terms.precondition.check(current.as_ref())?;
        let target = self.target(&file, current.as_ref(), to.as_deref())?;
        let versions = self.versions.clone().ok_or_else(|| no_version(&file, ""))?;
        let folder = self.folder.clone();
        let write = move || {
            let (component, sidecar) = versions.content(&file, &target)?;
            let content = Content {
                component: Some(Source::File(&component)),
                sidecar: match &sidecar {
                    None => SidecarChange::Remove,
                    Some(text) => SidecarChange::Replace(text.as_bytes()),
                },
            };
            Ok(Staged::write(&folder, name, &content).map_err(|error| cannot_write(&error)))
        };
        let staged = blocking(write).await?.map_err(|error: std::io::Error| {
            CallError::new(ErrorKind::NotFound, format!("this version is no longer kept: {error}"))
        })??;
        self.install(staged, terms).await
    }

    /// The kept version that is named, or the one before the current one.
    fn target(
        &self,
        file: &str,
        current: Option<&Version>,
        to: Option<&str>,
    ) -> Result<KeptVersion, CallError> {
        let versions = self.versions.as_ref();
        let Some(to) = to else {
            let before = versions.and_then(|versions| versions.before(file, current));
            return before.ok_or_else(|| no_version(file, " before the one that is served"));
        };
        let kept = versions.map(|versions| versions.of(file)).unwrap_or_default();
        // By the beginning too, as people write digests.
        const LEAST: usize = 8;
        let begins =
            |kept: &&KeptVersion| to.len() >= LEAST && kept.version.to_string().starts_with(to);
        let named = kept.iter().find(|kept| kept.version.is_named(to));
        named
            .or_else(|| kept.iter().find(begins))
            .cloned()
            .ok_or_else(|| no_version(file, " of that digest"))
    }

    async fn remove(&self, name: ComponentName, terms: Terms) -> Result<Arc<Component>, CallError> {
        let _place = self.places.acquire().await;
        self.keep_current(&name).await;
        let (reply, removed) = oneshot::channel();
        let command = Command::Remove(name.clone(), terms.precondition, reply);
        let removed = self.ask(command, removed).await?;
        self.sync(name).await;
        info!(file = removed.file, by = terms.by, "removed by a deployment");
        Ok(removed)
    }

    /// Loads a version from beside its place, and has it installed.
    async fn install(&self, staged: Staged, terms: Terms) -> Result<Installed, CallError> {
        let name = staged.name().clone();
        let file = name.file();
        let ticket = Ticket::default();
        let _cancel = CancelOnDrop(ticket.clone());
        let found = Arc::new(staged.found().clone());
        let loaded = Arc::clone(&self.lanes).load(found, ticket, || {}).await;
        let loaded = loaded.map_err(|error| refused(&file, &error))?;
        self.keep_current(&name).await;
        let Terms { precondition, may_grant, by } = terms;
        let install = Install { staged, loaded, precondition, may_grant };
        let (reply, installed) = oneshot::channel();
        let installed = self.ask(Command::Install(Box::new(install), reply), installed).await?;
        self.sync(name).await;
        info!(file, digest = installed.component.version.digest, by, "deployed");
        Ok(installed)
    }

    /// Keeps what is served now, before it is replaced.
    async fn keep_current(&self, name: &ComponentName) {
        let Some(versions) = self.versions.clone() else { return };
        let (file, folder) = (name.file(), self.folder.clone());
        let Some(version) = self.version(&file) else { return };
        if versions.has(&file, &version) {
            return;
        }
        let (component, sidecar) = (name.component_in(&folder), name.sidecar_in(&folder));
        let keep = move || versions.keep_file(&file, &version, &component, Some(&sidecar), true);
        if let Ok(Err(error)) = blocking(keep).await {
            warn!(%error, file = name.file(), "the version that is replaced is not kept");
        }
    }

    async fn ask<T>(
        &self,
        command: Command,
        reply: oneshot::Receiver<Result<T, CallError>>,
    ) -> Result<T, CallError> {
        self.commands.send(command).await.map_err(|_| failed())?;
        reply.await.unwrap_or_else(|_| Err(failed()))
    }

    /// Waits until the folder is on the disk.
    async fn sync(&self, name: ComponentName) {
        let folder = self.folder.clone();
        if let Ok(Err(error)) = blocking(move || staging::sync(&folder, &name)).await {
            warn!(%error, "cannot wait until the folder is on the disk");
        }
    }

    /// The version of a file that is served.
    fn version(&self, file: &str) -> Option<Version> {
        self.catalog.load().component(file).map(|component| component.version.clone())
    }
}

/// Ends a load that nobody waits for any more.
struct CancelOnDrop(Ticket);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CallError> {
    spawn_blocking(work).await.map_err(|_| failed())
}

/// Why a version is not served, for who deploys it.
fn refused(file: &str, error: &LoadError) -> CallError {
    let kind = match error {
        LoadError::Refused(Refusal::Failed) => ErrorKind::Internal,
        LoadError::Refused(_) => ErrorKind::BadRequest,
        LoadError::Unavailable(_) | LoadError::Stopped => ErrorKind::Unavailable,
    };
    CallError::new(kind, format!("{file}: {error}; nothing was changed"))
}

/// The folder cannot be written to.
pub(super) fn cannot_write(error: &std::io::Error) -> CallError {
    match error.kind() {
        IoErrorKind::StorageFull | IoErrorKind::QuotaExceeded | IoErrorKind::FileTooLarge => {
            let message = format!("there is no room in the host's folder: {error}");
            CallError::new(ErrorKind::StorageFull, message)
        }
        IoErrorKind::PermissionDenied | IoErrorKind::ReadOnlyFilesystem => {
            let message = format!(
                "the host cannot write to its folder: {error}; let its user write there, or copy the component there yourself"
            );
            CallError::new(ErrorKind::Forbidden, message)
        }
        _ => {
            let message = format!("the host cannot write to its folder: {error}");
            CallError::new(ErrorKind::Unavailable, message)
        }
    }
}

fn no_version(file: &str, which: &str) -> CallError {
    let message = format!(
        "no version of {file}{which} is kept; `tarp versions` lists those that are, and `keep_versions` of [loading] says how many"
    );
    CallError::new(ErrorKind::NotFound, message)
}

fn failed() -> CallError {
    CallError::new(ErrorKind::Unavailable, "the host stops, or failed to do it; its log says more")
}
