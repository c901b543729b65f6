//! Connections: accepted, secured, driven, timed and ended. Knows no request.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::connections::Connections;
use super::places::Peer;
use super::router::Routes;
use super::watchdog::{Guarded, Reader, Watchdog, Watched};
use super::{arriving, compress};
use crate::config::ServerConfig;
use crate::machine;
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
    let limit = limit(config.max_connections);
    let open = Arc::<Connections>::default();
    let server = Arc::new(Server {
        builder: builder(config.idle_timeout),
        routes,
        tls,
        config: config.clone(),
        closing: CancellationToken::new(),
        killed: CancellationToken::new(),
    });
    let places = Arc::new(Semaphore::new(limit));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            let (stream, peer) = accept(&listener, &open).await;
            // Further connections wait in the kernel's queue.
            let Some(place) = place(&places, &open).await else { return };
            let server = Arc::clone(&server);
            let counted = metrics.connection();
            let watchdog = Watchdog::new(config.header_timeout, config.idle_timeout);
            let member = open.join(watchdog.clone());
            connections.spawn(async move {
                let _counted = counted;
                tokio::select! {
                    () = server.connection(stream, peer, watchdog) => {}
                    () = member.evicted.cancelled() => debug!("connection closed to make room"),
                }
                drop((member, place));
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

/// Descriptors that are kept back for files, and for a connection that makes another go.
const KEPT_BACK: usize = 48;

/// How many connections may be open at once, so that descriptors are left for all else.
fn limit(configured: usize) -> usize {
    let possible = machine::free_descriptors().saturating_sub(KEPT_BACK).max(8);
    if possible < configured {
        warn!(
            "the limit of open files allows {possible} connections at once, not the {configured} of `max_connections`; raise it with `ulimit -n`"
        );
    }
    possible.min(configured)
}

/// How long to wait for a connection's end before another is asked to go, or before one that has become
/// idle is looked for.
const MAKING_ROOM: Duration = Duration::from_millis(50);

/// A place for a connection, for which another goes if there is none.
async fn place(places: &Arc<Semaphore>, open: &Connections) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        open.evict();
        let place = Arc::clone(places).acquire_owned();
        if let Ok(place) = tokio::time::timeout(MAKING_ROOM, place).await {
            return place.ok();
        }
    }
}

/// A connection and its peer; however often `accept` fails, the server goes on.
async fn accept(listener: &TcpListener, open: &Connections) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip()),
            Err(e) => {
                let is_peers_affair = matches!(
                    e.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                );
                if !is_peers_affair {
                    warn!(error = %e, "cannot accept connections at the moment");
                    open.evict();
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }
}

/// Bytes of a request's line and headers. The original client writes lists into the address, of which
/// the library takes 64 KiB.
const MAX_HEAD: usize = 128 << 10;

/// Drives each stream of HTTP/2 for as long as its reader reads.
#[derive(Clone)]
struct Streams {
    idle_timeout: Duration,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        tokio::spawn(Reader::time(stream, self.idle_timeout));
    }
}

fn builder(idle_timeout: Duration) -> Builder<Streams> {
    let mut builder = Builder::new(Streams { idle_timeout });
    // The watchdog times headers, without a timer for each request.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        // Of what a stream has not sent, no more than this waits inside of it.
        .max_send_buf_size(64 << 10)
        .max_header_list_size(64 << 10);
    builder
}

struct Server {
    builder: Builder<Streams>,
    routes: Routes,
    tls: Option<TlsAcceptor>,
    config: ServerConfig,
    closing: CancellationToken,
    killed: CancellationToken,
}

impl Server {
    async fn connection(&self, stream: TcpStream, peer: IpAddr, watchdog: Watchdog) {
        // Replies are written whole; waiting for more to send would only delay them.
        if let Err(e) = stream.set_nodelay(true) {
            debug!(error = %e, "nodelay not set");
        }
        let peer = self.routes.places().peer(peer);
        let Some(tls) = &self.tls else { return self.drive(stream, peer, watchdog).await };
        let handshake = tokio::time::timeout(self.config.header_timeout, tls.accept(stream));
        tokio::select! {
            handshake = handshake => match handshake {
                Ok(Ok(stream)) => self.drive(stream, peer, watchdog).await,
                Ok(Err(e)) => debug!(error = %e, "TLS handshake failed"),
                Err(_) => debug!("TLS handshake took too long"),
            },
            () = self.closing.cancelled() => {}
        }
    }

    async fn drive<S>(&self, stream: S, peer: Peer, watchdog: Watchdog)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let routes = self.routes.clone();
        let requests = watchdog.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let guard = requests.request();
            let wish = compress::Wish::of(request.headers());
            let (routes, peer) = (routes.clone(), peer.clone());
            let (request, rest) = arriving::watched(request, &requests);
            async move {
                let mut response = wish.grant(routes.answer(request, &peer).await).await;
                if let Some(rest) = rest {
                    rest.settle(&mut response).await;
                }
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
