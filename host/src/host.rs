//! Puts the stations together: [`Host`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::audit::{Audit, AuditError, Entry, Event};
use crate::auth::{Authenticator, FileTokenStore, Holder, TokenStoreError};
use crate::budget::MemoryBudget;
use crate::catalog::{Cache, CacheError, Catalog, Compiler, Keeper, Loader, LockError, Shared};
use crate::config::{CertificateTable, HostConfig, JobsConfig, StoreKind};
use crate::front::{Front, Parts, TlsError};
use crate::jobs::store::{OpenError, SqliteStore, StoreError};
use crate::jobs::{JobRuntime, Jobs, LocalChannel, Submitters};
use crate::metrics::Metrics;
use crate::sandbox::Sandbox;
use crate::shutdown::Shutdown;

/// How long the host waits, after its grace, until it is recorded what becomes of jobs that still ran.
const ABORT_GRACE: Duration = Duration::from_secs(2);

/// The directory for versions of components, in the data directory.
const VERSIONS: &str = "versions";

/// How often a store is tried again that could not be opened.
const REOPENED_EVERY: Duration = Duration::from_secs(1);

/// Why a host cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// wasmtime does not run here.
    #[error("the engine for WebAssembly cannot start on this machine: {0:#}")]
    Engine(wasmtime::Error),
    /// There are no threads for jobs.
    #[error("cannot start the threads that run jobs: {0}")]
    Threads(std::io::Error),
    /// The directory for compiled components.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The certificate or its key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The authorities that guests trust.
    #[error("the authorities in {} cannot be used: {source}", file.display())]
    Authorities {
        /// The file.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// What may be served.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The tokens of those who may call.
    #[error(transparent)]
    Tokens(#[from] TokenStoreError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The database with the jobs.
    #[error(transparent)]
    Jobs(#[from] OpenError),
    /// What is in that database.
    #[error("the jobs of before cannot be taken up: {0}")]
    Recovery(#[from] StoreError),
}

/// One whole host, ready to serve.
pub struct Host {
    keeper: Keeper,
    front: Front,
    metrics: Arc<Metrics>,
    authenticator: Arc<Authenticator>,
    audit: Option<Audit>,
    /// `None` where the host keeps no jobs.
    jobs: Option<JobService>,
    shutdown: Shutdown,
}

impl Host {
    /// Prepares a host: everything that can go wrong at a start goes wrong here.
    ///
    /// # Errors
    ///
    /// What cannot be used, and what to do about it.
    pub async fn new(config: HostConfig) -> Result<Self, StartError> {
        let job_runtime = match config.jobs.store {
            StoreKind::Sqlite => {
                Some(JobRuntime::new(config.jobs.places).map_err(StartError::Threads)?)
            }
            StoreKind::None => None,
        };
        let permits = config.server.max_calls + job_runtime.as_ref().map_or(0, JobRuntime::permits);
        let sandbox = Sandbox::new(permits).map_err(StartError::Engine)?;
        // A guest that reads or writes there would have tokens, jobs, or the code of others.
        let own = [&config.folder, &config.cache, &config.data].into_iter().chain(&config.tokens);
        let sandbox = sandbox.with_budget(config.server.budget()).with_reserved(own.cloned());
        let sandbox = match &config.outgoing.authorities {
            Some(file) => sandbox.with_authorities(authorities(file)?),
            None => sandbox,
        };
        let sandbox = Arc::new(sandbox);
        let authenticator = match &config.tokens {
            Some(directory) => Authenticator::new(Arc::new(FileTokenStore::new(directory))).await?,
            None => Authenticator::open_to_all(),
        };
        let holders = config.callers.certificate.iter().map(|table| {
            let CertificateTable { name, subject, allow, limits } = table.clone();
            Holder::new(name, subject.as_deref(), allow, limits)
        });
        let authenticator = Arc::new(authenticator.with_holders(holders.collect()));
        let audit = Audit::open(&config.audit)?;
        let submitters =
            Submitters { authenticator: Arc::clone(&authenticator), audit: audit.clone() };
        let metrics = Arc::<Metrics>::default();
        let loader = Loader {
            sandbox: Arc::clone(&sandbox),
            compiler: Compiler::new(config.compiler, &config.loading),
            cache: Cache::open(&config.cache, config.loading.cache_size as u64)?,
            limits: config.limits,
            job_limits: config.job_limits,
            metrics: Arc::clone(&metrics),
        };
        let is_locked = config.loading.locked;
        let mut keeper = Keeper::new(config.folder, loader, config.loading);
        if is_locked {
            keeper.follow_lock()?;
        }
        if !config.data.as_os_str().is_empty()
            && let Err(error) = keeper.keep_versions(config.data.join(VERSIONS))
        {
            warn!(%error, "no versions of components are kept");
        }
        let jobs = match job_runtime {
            Some(runtime) => {
                let (catalog, sandbox) = (keeper.catalog(), Arc::clone(&sandbox));
                let opening = JobService::new(
                    runtime,
                    config.data,
                    config.jobs,
                    (catalog, sandbox, submitters),
                );
                Some(opening.await?)
            }
            None => None,
        };
        let shutdown = Shutdown::new(config.server.grace);
        let parts = Parts {
            catalog: keeper.catalog(),
            catalog_changes: keeper.changes(),
            deployer: keeper.deployer(),
            sandbox,
            jobs: jobs.as_ref().map(|service| service.jobs.clone()),
            metrics: Arc::clone(&metrics),
            authenticator: Arc::clone(&authenticator),
            audit: audit.clone(),
            shutdown: shutdown.clone(),
        };
        let front = Front::new(parts, config.server, config.callers)?;
        Ok(Self { keeper, front, metrics, authenticator, audit, jobs, shutdown })
    }

    /// Serves on `listener` until `shutdown` completes, and then for as long as running calls take,
    /// up to the configured grace. Dropped before it completes, it ends everything at once.
    ///
    /// `ready` is called once, when all files that were in the folder at the start have been looked
    /// at; calls are answered before that too, as soon as their component is loaded.
    pub async fn serve(
        self,
        listener: TcpListener,
        ready: impl FnOnce(&Catalog) + Send + 'static,
        shutdown: impl Future<Output = ()>,
    ) {
        let Self { keeper, front, metrics, authenticator, audit, jobs, shutdown: phases } = self;
        let _aborting = phases.abort_on_drop();
        let catalog_changes = keeper.changes();
        let handle = jobs.as_ref().map(|service| service.jobs.clone());
        let standing = move || handle.as_ref().map(Jobs::standing).unwrap_or_default();
        // They have no end of their own: dropped with this, they are aborted.
        let mut tasks = JoinSet::new();
        if let Some(audit) = audit.clone() {
            audit.write(&Entry::new(Event::Started));
            let authenticator = Arc::clone(&authenticator);
            tasks.spawn(async move { audit.follow_tokens(&authenticator).await });
        }
        tasks.spawn(async move { authenticator.run().await });
        tasks.spawn(async move { metrics.sample(standing).await });
        tasks.spawn(keeper.run(ready));
        let working = async {
            let service = jobs?;
            let phases = phases.clone();
            let work = tokio::spawn(async move {
                service.run(catalog_changes, &phases).await;
                service
            });
            AbortOnDropHandle::new(work).await.ok()
        };
        let serving = async { tokio::join!(front.serve(listener), working).1 };
        // Requests may ask about jobs until the last one is answered.
        if let Some(service) = phases.conduct(shutdown, serving).await {
            service.close().await;
        }
        if let Some(audit) = audit {
            audit.write(&Entry::new(Event::Stopped));
            audit.close().await;
        }
    }
}

/// Jobs and where they run. Dropping it ends those that run; such as may be run twice are queued again.
struct JobService {
    jobs: Jobs,
    runtime: JobRuntime,
    late: Option<LateStore>,
}

impl JobService {
    /// With the jobs that are kept below `data`.
    ///
    /// # Errors
    ///
    /// Where they cannot be used, for a reason that does not pass by itself.
    async fn new(
        runtime: JobRuntime,
        data: PathBuf,
        config: JobsConfig,
        (catalog, sandbox, submitters): (Shared, Arc<Sandbox>, Submitters),
    ) -> Result<Self, StartError> {
        let quota = config.max_disk;
        let budget = sandbox.budget().clone();
        let channel = Arc::<LocalChannel>::default();
        match SqliteStore::open(&data) {
            Ok(store) => {
                let store = Arc::new(store.with_quota(quota).with_budget(&budget));
                let jobs = Jobs::new(store, channel, catalog, sandbox, config, submitters);
                jobs.recover().await?;
                Ok(Self { jobs, runtime, late: None })
            }
            Err(error) => {
                let Some(reason) = error.passing() else { return Err(error.into()) };
                warn!(%error, "there are no jobs until that passes; calls are served");
                let jobs = Jobs::unopened(reason, channel, catalog, sandbox, config, submitters);
                let late = LateStore { directory: data, quota, budget };
                Ok(Self { jobs, runtime, late: Some(late) })
            }
        }
    }

    /// Runs jobs until the host is asked to stop, and then lets those that run finish within the grace.
    async fn run(&self, catalog_changes: watch::Receiver<()>, shutdown: &Shutdown) {
        let Self { jobs, runtime, late } = self;
        let work = async {
            if let Some(late) = late {
                late.open(jobs).await;
            }
            // A job whose procedure is not loaded yet is parked until it is.
            jobs.run(runtime, catalog_changes, shutdown.stopping_token().clone()).await;
        };
        tokio::select! {
            () = work => {}
            () = shutdown.stopping() => {}
        }
        tokio::select! {
            () = jobs.finish() => return,
            () = shutdown.aborting() => {}
        }
        warn!("the grace is over; jobs that still run are interrupted");
        jobs.leave();
        let _ = tokio::time::timeout(ABORT_GRACE, jobs.finish()).await;
    }

    /// Closes the store.
    async fn close(&self) {
        if tokio::time::timeout(ABORT_GRACE, self.jobs.close()).await.is_err() {
            warn!("the job store was not closed in time; the next start checks it");
        }
    }
}

impl Drop for JobService {
    fn drop(&mut self) {
        self.jobs.leave();
    }
}

/// The certificates in a PEM file, of which there is one at least.
fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let refused = |source| StartError::Authorities { file: file.to_owned(), source };
    let read = CertificateDer::pem_file_iter(file).map_err(refused)?;
    let certificates = read.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    if certificates.is_empty() {
        return Err(refused(pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

/// A store that could not be opened at the start.
struct LateStore {
    directory: PathBuf,
    quota: Option<u64>,
    budget: MemoryBudget,
}

impl LateStore {
    /// Opens it, however often it must be tried, and lets the jobs have it.
    async fn open(&self, jobs: &Jobs) {
        loop {
            tokio::time::sleep(REOPENED_EVERY).await;
            let Self { directory, quota, budget } = self;
            let (directory, quota, budget) = (directory.clone(), *quota, budget.clone());
            let open = move || {
                let store = SqliteStore::open(&directory)?;
                Ok::<_, OpenError>(store.with_quota(quota).with_budget(&budget))
            };
            let reason = match tokio::task::spawn_blocking(open).await {
                Ok(Ok(store)) => match jobs.open(Arc::new(store)).await {
                    Ok(()) => {
                        info!("opened the job store");
                        return;
                    }
                    Err(error) => error,
                },
                Ok(Err(error)) => error.passing().unwrap_or_else(|| {
                    warn!(%error, "cannot open the job store; trying again");
                    StoreError::Unavailable("it cannot be opened; the host's log says why".into())
                }),
                Err(_) => StoreError::Unavailable("the host failed to open it".into()),
            };
            jobs.cannot_open(reason);
        }
    }
}
