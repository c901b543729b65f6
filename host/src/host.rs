//! Puts the stations together: [`Host`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::catalog::{Cache, CacheError, Catalog, Compiler, Keeper, Loader};
use crate::config::{HostConfig, StoreKind};
use crate::front::{Front, Parts, TlsError};
use crate::jobs::store::{OpenError, SqliteStore, StoreError};
use crate::jobs::{Jobs, Workshop};
use crate::metrics::Metrics;
use crate::sandbox::Sandbox;

/// How long the host waits, after its grace, until it is recorded what becomes of jobs that still ran.
const LEAVING: Duration = Duration::from_secs(2);

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
    /// Jobs and where they run; `None` where the host keeps none.
    jobs: Option<(Jobs, Workshop, Option<LateStore>)>,
    grace: Duration,
}

impl Host {
    /// Prepares a host: everything that can go wrong at a start goes wrong here.
    ///
    /// # Errors
    ///
    /// What cannot be used, and what to do about it.
    pub async fn new(config: HostConfig) -> Result<Self, StartError> {
        let workshop = match config.jobs.store {
            StoreKind::Sqlite => {
                Some(Workshop::new(config.jobs.places).map_err(StartError::Threads)?)
            }
            StoreKind::None => None,
        };
        let places = config.server.max_calls + workshop.as_ref().map_or(0, Workshop::places);
        let sandbox = Sandbox::new(places).map_err(StartError::Engine)?;
        let sandbox = Arc::new(sandbox.with_budget(config.server.budget()));
        let metrics = Arc::<Metrics>::default();
        let loader = Loader {
            sandbox: Arc::clone(&sandbox),
            compiler: Compiler::new(config.compiler, &config.loading),
            cache: Cache::open(&config.cache, config.loading.cache_size as u64)?,
            limits: config.limits,
            job_limits: config.job_limits,
            metrics: Arc::clone(&metrics),
        };
        let keeper = Keeper::new(config.folder, loader, config.loading);
        let jobs = match workshop {
            Some(workshop) => {
                let quota = config.jobs.max_disk;
                let (catalog, sandbox) = (keeper.catalog(), Arc::clone(&sandbox));
                match SqliteStore::open(&config.data) {
                    Ok(store) => {
                        let store = Arc::new(store.with_quota(quota));
                        let jobs = Jobs::new(store, catalog, sandbox, config.jobs);
                        jobs.recover().await?;
                        Some((jobs, workshop, None))
                    }
                    Err(error) => {
                        let Some(reason) = error.passing() else { return Err(error.into()) };
                        warn!(%error, "there are no jobs until that passes; calls are served");
                        let jobs = Jobs::unopened(reason, catalog, sandbox, config.jobs);
                        let late = LateStore { directory: config.data, quota };
                        Some((jobs, workshop, Some(late)))
                    }
                }
            }
            None => None,
        };
        let handle = jobs.as_ref().map(|(jobs, ..)| jobs.clone());
        let grace = config.server.grace;
        let parts = Parts {
            catalog: keeper.catalog(),
            catalog_changes: keeper.changes(),
            sandbox,
            jobs: handle,
            metrics: Arc::clone(&metrics),
        };
        let front = Front::new(parts, config.server)?;
        Ok(Self { keeper, front, metrics, jobs, grace })
    }

    /// Serves on `listener` until `shutdown` completes, and then for as long as running calls take,
    /// up to the configured grace.
    ///
    /// `ready` is called once, when all files that were in the folder at the start have been looked
    /// at; calls are answered before that too, as soon as their component is loaded.
    pub async fn serve(
        self,
        listener: TcpListener,
        ready: impl FnOnce(&Catalog) + Send + 'static,
        shutdown: impl Future<Output = ()>,
    ) {
        let Self { keeper, front, metrics, jobs, grace } = self;
        let sampling = tokio::spawn({
            let jobs = jobs.as_ref().map(|(jobs, ..)| jobs.clone());
            async move {
                metrics.sample(|| jobs.as_ref().map(Jobs::standing).unwrap_or_default()).await;
            }
        });
        let changes = keeper.changes();
        let keeping = tokio::spawn(keeper.run(ready));
        let stopping = CancellationToken::new();
        let closing = jobs.as_ref().map(|(jobs, ..)| jobs.clone());
        let leaving = jobs.as_ref().map(|(jobs, ..)| jobs.clone());
        let mut working = tokio::spawn({
            let stopping = stopping.clone();
            async move {
                let Some((jobs, workshop, late)) = jobs else { return };
                let opening = async {
                    if let Some(late) = late {
                        late.open(&jobs).await;
                    }
                };
                // A job whose procedure is not loaded yet is parked until it is.
                tokio::select! {
                    () = opening => jobs.run(&workshop, changes, stopping).await,
                    () = stopping.cancelled() => {}
                }
                jobs.finish().await;
            }
        });
        let finishing = async {
            stopping.cancelled().await;
            if tokio::time::timeout(grace, &mut working).await.is_err() {
                warn!("the grace is over; jobs that still run are interrupted");
                if let Some(jobs) = leaving {
                    jobs.leave();
                    let _ = tokio::time::timeout(LEAVING, &mut working).await;
                }
            }
        };
        let shutdown = async {
            shutdown.await;
            stopping.cancel();
        };
        tokio::join!(front.serve(listener, shutdown), finishing);
        working.abort();
        keeping.abort();
        sampling.abort();
        if let Some(jobs) = closing
            && tokio::time::timeout(LEAVING, jobs.close()).await.is_err()
        {
            warn!("the job store was not closed in time; the next start checks it");
        }
    }
}

/// A store that could not be opened at the start.
struct LateStore {
    directory: PathBuf,
    quota: Option<u64>,
}

impl LateStore {
    /// Opens it, however often it must be tried, and lets the jobs have it.
    async fn open(self, jobs: &Jobs) {
        let Self { directory, quota } = self;
        loop {
            tokio::time::sleep(REOPENED_EVERY).await;
            let directory = directory.clone();
            let open = move || SqliteStore::open(&directory).map(|store| store.with_quota(quota));
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
