//! The front: the only place that knows sockets, TLS, HTTP and status codes.
//!
//! The way of a request: [`connection`] accepts it, [`router`] finds who answers, [`origin`] refuses
//! what is not meant for this host, [`body`] reads within limits, [`request`] makes arguments of it,
//! [`procedure`] runs the call, [`reply`] writes the answer. It knows nothing of wasm.

mod body;
mod catalog;
mod connection;
mod listing;
mod origin;
mod procedure;
mod reply;
mod request;
mod router;
mod rpc;
mod tls;
mod watchdog;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::catalog::Shared;
use crate::config::ServerConfig;
use crate::sandbox::Sandbox;
use origin::AllowedHosts;

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
    config: ServerConfig,
    allowed_hosts: AllowedHosts,
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
        config: ServerConfig,
    ) -> anyhow::Result<Self> {
        let tls = tls::acceptor(&config)?;
        let allowed_hosts = AllowedHosts::new(&config.allowed_hosts);
        Ok(Self { state: State(Arc::new(Shelf { catalog, sandbox, config, allowed_hosts })), tls })
    }

    /// Serves until `shutdown` completes, then lets running requests finish within the grace.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let router = router::router(self.state.clone());
        connection::serve(listener, self.tls, router, &self.state.config, shutdown).await;
    }
}
