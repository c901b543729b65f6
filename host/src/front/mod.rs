//! The front: the only place that knows sockets, TLS, HTTP and status codes.
//!
//! The way of a request: [`connection`] accepts it, [`router`] finds who answers, [`origin`] refuses
//! what is not meant for this host, [`body`] reads within limits, [`request`] makes arguments of it,
//! [`procedure`] runs the call, [`reply`] writes the answer. It knows nothing of wasm.

mod body;
mod catalog;
mod connection;
mod console;
mod jobs;
mod listing;
mod mount;
mod origin;
mod procedure;
mod reply;
mod request;
mod router;
mod rpc;
mod tls;
mod watchdog;
mod web;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::catalog::Shared;
use crate::config::ServerConfig;
use crate::jobs::Jobs;
use crate::sandbox::Sandbox;
use origin::AllowedHosts;
pub use tls::TlsError;

/// The server side of HTTP, ready to serve.
pub struct Front {
    state: State,
    tls: Option<TlsAcceptor>,
}

/// What every request's handler can reach.
#[derive(Clone)]
struct State(Arc<Shelf>);

struct Shelf {
    catalog: Shared,
    sandbox: Arc<Sandbox>,
    /// `None` where the host keeps no jobs.
    jobs: Option<Jobs>,
    config: ServerConfig,
    allowed_hosts: AllowedHosts,
    /// One for each synchronous call that may run at once.
    places: Arc<Semaphore>,
    /// Cancelled when the host is asked to stop, so that nobody waits any longer.
    closing: CancellationToken,
}

impl std::ops::Deref for State {
    type Target = Shelf;

    fn deref(&self) -> &Shelf {
        &self.0
    }
}

impl Front {
    /// Prepares to serve the catalog.
    ///
    /// # Errors
    ///
    /// Where the certificate or its key cannot be used.
    pub fn new(
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        jobs: Option<Jobs>,
        config: ServerConfig,
    ) -> Result<Self, TlsError> {
        let tls = tls::acceptor(&config)?;
        let shelf = Shelf {
            catalog,
            sandbox,
            jobs,
            allowed_hosts: AllowedHosts::new(&config.allowed_hosts),
            places: Arc::new(Semaphore::new(config.max_calls as usize)),
            closing: CancellationToken::new(),
            config,
        };
        Ok(Self { state: State(Arc::new(shelf)), tls })
    }

    /// Serves until `shutdown` completes, then lets running requests finish within the grace.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let router = router::router(self.state.clone());
        let shutdown = async {
            shutdown.await;
            self.state.closing.cancel();
        };
        connection::serve(listener, self.tls, router, &self.state.config, shutdown).await;
    }
}
