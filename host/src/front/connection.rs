//! Connections: accepted, secured, driven, timed and ended. Knows no request.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::compress;
use super::router::Routes;
use super::watchdog::{Guarded, Watchdog, Watched};
use crate::config::ServerConfig;
use crate::metrics::Metrics;

/// After an `accept` that failed, for the cause (mostly: too many open files) to pass.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// Serves `routes` on every connection until `shutdown` completes; then ends idle connections at
/// once, busy ones after their requests, and what still runs after the grace by force.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    routes: Routes,
    config: &ServerConfig,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) {
    let server = Arc::new(Server {
        builder: builder(),
        routes,
        tls,
        config: config.clone(),
        closing: CancellationToken::new(),
        killed: CancellationToken::new(),
    });
    let places = Arc::new(Semaphore::new(config.max_connections));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            // Further connections wait in the kernel's queue.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let stream = accept(&listener).await;
            let server = Arc::clone(&server);
            let counted = metrics.connection();
            connections.spawn(async move {
                let _counted = counted;
                server.connection(stream).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    drop(listener);
    server.closing.cancel();
    connections.close();
    if tokio::time::timeout(config.grace, connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "the grace is over; what still runs is ended");
        server.killed.cancel();
        connections.wait().await;
    }
}

/// A connection; however often `accept` fails, the server goes on.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(e) => {
                let is_peers_affair = matches!(
                    e.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                );
                if !is_peers_affair {
                    warn!(error = %e, "cannot accept connections at the moment");
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }
}

/// Bytes of a request's line and headers. The original client writes lists into the address, of which
/// the library takes 64 KiB.
const MAX_HEAD: usize = 128 << 10;

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The watchdog times headers, without a timer for each request.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .max_header_list_size(64 << 10);
    builder
}

struct Server {
    builder: Builder<TokioExecutor>,
    routes: Routes,
    tls: Option<TlsAcceptor>,
    config: ServerConfig,
    closing: CancellationToken,
    killed: CancellationToken,
}

impl Server {
    async fn connection(&self, stream: TcpStream) {
        // Replies are written whole; waiting for more to send would only delay them.
        if let Err(e) = stream.set_nodelay(true) {
            debug!(error = %e, "nodelay not set");
        }
        let Some(tls) = &self.tls else { return self.drive(stream).await };
        let handshake = tokio::time::timeout(self.config.header_timeout, tls.accept(stream));
        tokio::select! {
            handshake = handshake => match handshake {
                Ok(Ok(stream)) => self.drive(stream).await,
                Ok(Err(e)) => debug!(error = %e, "TLS handshake failed"),
                Err(_) => debug!("TLS handshake took too long"),
            },
            () = self.closing.cancelled() => {}
        }
    }

    async fn drive<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S) {
        let watchdog = Watchdog::new(self.config.header_timeout, self.config.idle_timeout);
        let routes = self.routes.clone();
        let requests = watchdog.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let guard = requests.request();
            let wish = compress::Wish::of(request.headers());
            let routes = routes.clone();
            async move {
                let response = wish.grant(routes.answer(request).await).await;
                Ok::<_, Infallible>(response.map(|body| Guarded::new(body, guard)))
            }
        });
        let stream = TokioIo::new(Watched::new(stream, watchdog.clone()));
        let connection = self.builder.serve_connection(stream, service);
        let mut connection = std::pin::pin!(connection);
        let mut closing = std::pin::pin!(self.closing.cancelled());
        let mut is_closing = false;
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(e) = ended {
                        debug!(error = %e, "connection ended");
                    }
                    return;
                }
                reason = watchdog.expired() => return debug!("connection closed: {reason}"),
                () = self.killed.cancelled() => return,
                () = closing.as_mut(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
