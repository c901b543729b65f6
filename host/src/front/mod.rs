//! The front: the only place that knows sockets, TLS, HTTP and status codes.
//!
//! The way of a request: [`connection`] accepts it, [`router`] finds who answers, [`origin`] refuses
//! what is not meant for this host, [`arriving`] and [`body`] read within limits and [`encoding`] undoes what
//! it is packed in, [`places`] says who may call, [`request`] makes arguments of it by its [`media`] type
//! ([`form`], [`multipart`], [`rpc`]),
//! [`procedure`] runs the call, [`negotiate`] says in which form its result is wanted, [`reply`] writes
//! the answer, [`compress`] makes it smaller. [`catalog`], [`openapi`], [`health`], [`figures`] and
//! [`events`] tell of the host itself, [`console`] shows it. It knows nothing of wasm.

mod arriving;
mod body;
mod catalog;
mod client;
mod compress;
mod connection;
mod connections;
mod console;
mod encoding;
mod events;
mod figures;
mod form;
mod health;
mod jobs;
mod listing;
mod media;
mod mount;
mod multipart;
mod negotiate;
mod openapi;
mod origin;
mod places;
mod procedure;
mod reply;
mod request;
mod router;
mod rpc;
mod sink;
mod tls;
mod watchdog;
mod web;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::catalog::Shared;
use crate::config::ServerConfig;
use crate::jobs::Jobs;
use crate::metrics::{Metrics, Standing};
use crate::sandbox::Sandbox;
use origin::AllowedHosts;
use places::Places;
use router::Routes;
pub use tls::TlsError;

/// The server side of HTTP, ready to serve.
pub struct Front {
    state: State,
    tls: Option<TlsAcceptor>,
}

/// What the front stands before.
pub struct Parts {
    /// What can be called.
    pub catalog: Shared,
    /// Tells of each catalog that is published.
    pub catalog_changes: watch::Receiver<()>,
    /// Runs calls.
    pub sandbox: Arc<Sandbox>,
    /// `None` where the host keeps no jobs.
    pub jobs: Option<Jobs>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What every request's handler can reach.
#[derive(Clone)]
struct State(Arc<Shelf>);

struct Shelf {
    catalog: Shared,
    catalog_changes: watch::Receiver<()>,
    sandbox: Arc<Sandbox>,
    /// `None` where the host keeps no jobs.
    jobs: Option<Jobs>,
    metrics: Arc<Metrics>,
    config: ServerConfig,
    allowed_hosts: AllowedHosts,
    /// For synchronous calls.
    places: Places,
    openapi: openapi::Cache,
    /// Cancelled when the host is asked to stop, so that nobody waits any longer.
    closing: CancellationToken,
}

impl std::ops::Deref for State {
    type Target = Shelf;

    fn deref(&self) -> &Shelf {
        &self.0
    }
}

impl Shelf {
    /// How things stand with memory, and with jobs where the host keeps any.
    fn standing(&self) -> Standing {
        let budget = self.sandbox.budget();
        let jobs = self.jobs.as_ref().map(Jobs::standing).unwrap_or_default();
        Standing { charged: budget.used(), budget: budget.total(), ..jobs }
    }
}

impl Front {
    /// Prepares to serve the catalog.
    ///
    /// # Errors
    ///
    /// Where the certificate or its key cannot be used.
    pub fn new(parts: Parts, config: ServerConfig) -> Result<Self, TlsError> {
        let Parts { catalog, catalog_changes, sandbox, jobs, metrics } = parts;
        let tls = tls::acceptor(&config)?;
        let shelf = Shelf {
            catalog,
            catalog_changes,
            sandbox,
            jobs,
            metrics,
            allowed_hosts: AllowedHosts::new(&config.allowed_hosts),
            places: Places::new(config.max_calls, config.calls_per_peer()),
            openapi: openapi::Cache::default(),
            closing: CancellationToken::new(),
            config,
        };
        Ok(Self { state: State(Arc::new(shelf)), tls })
    }

    /// Serves until `shutdown` completes, then lets running requests finish within the grace.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let routes = Routes::new(self.state.clone());
        let shutdown = async {
            shutdown.await;
            self.state.closing.cancel();
        };
        let metrics = Arc::clone(&self.state.metrics);
        connection::serve(listener, self.tls, routes, &self.state.config, metrics, shutdown).await;
    }
}
