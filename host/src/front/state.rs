//! What the handlers of all requests share.

use std::sync::Arc;

use tokio::sync::watch;

use super::admission::{Callers, Permits};
use super::cors::AllowedOrigins;
use super::origin::AllowedHosts;
use super::proxies::TrustedProxies;
use crate::audit::Audit;
use crate::auth::{Authenticator, Caller};
use crate::catalog::{Deployer, Shared};
use crate::config::{CallersConfig, ServerConfig};
use crate::jobs::Jobs;
use crate::metrics::{Metrics, Standing};
use crate::sandbox::Sandbox;
use crate::shutdown::Shutdown;

/// Dependencies of the HTTP front.
pub(crate) struct Parts {
    /// What can be called.
    pub(crate) catalog: Shared,
    /// Tells of each catalog that is published.
    pub(crate) catalog_changes: watch::Receiver<()>,
    /// Changes the folder.
    pub(crate) deployer: Deployer,
    /// Runs calls.
    pub(crate) sandbox: Arc<Sandbox>,
    /// `None` where the host keeps no jobs.
    pub(crate) jobs: Option<Jobs>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Knows who calls.
    pub(crate) authenticator: Arc<Authenticator>,
    /// Where to tell what was done; `None` for no audit log.
    pub(crate) audit: Option<Audit>,
    /// Says when to stop.
    pub(crate) shutdown: Shutdown,
}

/// What every request's handler can reach.
#[derive(Clone)]
pub(super) struct State(Arc<AppState>);

/// What they all share.
pub(super) struct AppState {
    pub(super) catalog: Shared,
    pub(super) catalog_changes: watch::Receiver<()>,
    pub(super) deployer: Deployer,
    pub(super) sandbox: Arc<Sandbox>,
    /// `None` where the host keeps no jobs.
    pub(super) jobs: Option<Jobs>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) audit: Option<Audit>,
    pub(super) config: ServerConfig,
    pub(super) allowed_hosts: AllowedHosts,
    pub(super) allowed_origins: AllowedOrigins,
    /// Under which browsers see this host, besides the one that a request names.
    pub(super) public_origins: AllowedOrigins,
    pub(super) trusted_proxies: TrustedProxies,
    /// How much callers may do.
    pub(super) callers: Callers,
    /// For synchronous calls.
    pub(super) permits: Permits,
    pub(super) shutdown: Shutdown,
}

impl State {
    pub(super) fn new(parts: Parts, config: ServerConfig, callers: CallersConfig) -> Self {
        let Parts {
            catalog,
            catalog_changes,
            deployer,
            sandbox,
            jobs,
            metrics,
            authenticator,
            audit,
            shutdown,
        } = parts;
        Self(Arc::new(AppState {
            catalog,
            catalog_changes,
            deployer,
            sandbox,
            jobs,
            metrics,
            authenticator,
            audit,
            callers: Callers::new(callers),
            allowed_hosts: AllowedHosts::new(&config.allowed_hosts, &config.public_origins),
            allowed_origins: AllowedOrigins::new(&config.allowed_origins),
            public_origins: AllowedOrigins::new(&config.public_origins),
            trusted_proxies: TrustedProxies::new(&config.trusted_proxies),
            permits: Permits::new(config.max_calls, config.calls_per_peer()),
            shutdown,
            config,
        }))
    }
}

impl std::ops::Deref for State {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.0
    }
}

impl AppState {
    /// Whether the host itself speaks HTTPS.
    pub(super) fn is_secure(&self) -> bool {
        self.config.tls_cert.is_some()
    }

    /// Completes when a stream of events to this caller has to end: the host is asked to stop, or their token
    /// is no longer valid.
    pub(super) fn no_longer_serves(&self, caller: Caller) -> impl Future<Output = ()> + use<> {
        let (shutdown, authenticator) = (self.shutdown.clone(), Arc::clone(&self.authenticator));
        async move {
            tokio::select! {
                () = shutdown.stopping() => {}
                () = authenticator.revoked(&caller) => {}
            }
        }
    }

    /// How things stand with memory, and with jobs where the host keeps any.
    pub(super) fn standing(&self) -> Standing {
        let budget = self.sandbox.budget();
        let jobs = self.jobs.as_ref().map(Jobs::standing).unwrap_or_default();
        let unaudited = self.audit.as_ref().map(Audit::dropped);
        Standing { charged: budget.used(), budget: budget.total(), unaudited, ..jobs }
    }
}
