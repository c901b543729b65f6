//! The front: the only place that knows sockets, TLS, HTTP and status codes.
//!
//! The way of a request: [`connection`] accepts it, [`router`] finds who answers, [`origin`] refuses what
//! is not meant for this host, [`credentials`] (or a [`cookie`]) say who calls, [`cors`] which pages may, [`arriving`] and [`body`] read within limits
//! and [`encoding`] undoes what it is packed in, [`request`] makes arguments of it by its [`media`] type
//! ([`form`], [`multipart`], [`rpc`]), [`negotiate`] says in which form its result is wanted and [`preferences`] what else, [`admission`]
//! says how much its caller may do and when its call may run, [`procedure`] runs it, [`response`] writes the answer,
//! [`compress`] makes it smaller, a [`tally`] counts what went to and fro, and a [`record`] of it is for the audit log.
//! [`components`] changes what is served. [`catalog`], [`openapi`], [`health`], [`metrics`] and [`events`] tell of the
//! host itself, [`console`] shows it. It knows nothing of wasm.
//!
//! Who answers stands on what all of them share: [`media`], [`preferences`], [`admission`], [`response`], [`state`] and
//! [`methods`], in this order.

mod admission;
mod arriving;
mod body;
mod catalog;
mod client;
mod components;
mod compress;
mod connection;
mod connections;
mod console;
mod cookie;
mod cors;
mod credentials;
mod encoding;
mod endpoint;
mod events;
mod form;
mod headers;
mod health;
mod index;
mod jobs;
mod media;
mod methods;
mod metrics;
mod mount;
mod multipart;
mod negotiate;
mod openapi;
mod origin;
mod preferences;
mod procedure;
mod proxies;
mod record;
mod request;
mod response;
mod router;
mod rpc;
mod session;
mod state;
mod tally;
mod tls;
mod watchdog;
mod web;

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::config::{CallersConfig, ServerConfig};
use router::Routes;
pub(crate) use state::Parts;
use state::State;
use tls::Tls;
pub use tls::TlsError;

/// The server side of HTTP, ready to serve.
pub(crate) struct Front {
    state: State,
    tls: Option<Arc<Tls>>,
}

impl Front {
    /// Prepares to serve the catalog.
    ///
    /// # Errors
    ///
    /// Where the certificate or its key cannot be used.
    pub(crate) fn new(
        parts: Parts,
        config: ServerConfig,
        callers: CallersConfig,
    ) -> Result<Self, TlsError> {
        let tls = Tls::new(&config, parts.authenticator.holders().clone())?.map(Arc::new);
        Ok(Self { state: State::new(parts, config, callers), tls })
    }

    /// Serves until the host is asked to stop, then lets running requests finish within the grace.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let certificate = async {
            match &self.tls {
                Some(tls) => tls.keep_current().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = connection::serve(listener, self.tls.clone(), Routes::new(self.state.clone())) => {}
            () = certificate => {}
            () = self.state.callers.keep_small() => {}
        }
    }
}
