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
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::admission::Peer;
use super::arriving;
use super::connections::Connections;
use super::router::Routes;
use super::tls::Tls;
use super::watchdog::{Guarded, Reader, Watchdog, Watched};
use crate::auth::Certified;
use crate::config::ServerConfig;
use crate::machine;
use crate::sandbox::max_open_files;
use crate::shutdown::Shutdown;

/// After an `accept` that failed, for the cause (mostly: too many open files) to pass.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// Serves `routes` on every connection until the host is asked to stop; then ends idle connections at
/// once, busy ones after their requests, and what still runs after the grace by force.
pub(super) async fn serve(listener: TcpListener, tls: Option<Arc<Tls>>, routes: Routes) {
    let config = routes.config().clone();
    let (metrics, shutdown) = (Arc::clone(routes.metrics()), routes.shutdown().clone());
    let limit = limit(config.max_connections);
    let open = Arc::<Connections>::default();
    let (header_timeout, idle_timeout) = (config.header_timeout, config.idle_timeout);
    let streams = Streams { idle_timeout, aborting: shutdown.aborting_token().clone() };
    let server = Arc::new(Server { builder: builder(streams), routes, tls, config, shutdown });
    let permits = Arc::new(Semaphore::new(limit));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            let (stream, peer) = accept(&listener, &open).await;
            // Further connections wait in the kernel's queue.
            let Some(permit) = acquire_permit(&permits, &open).await else { return };
            let server = Arc::clone(&server);
            let counted = metrics.connection();
            let watchdog = Watchdog::new(header_timeout, idle_timeout);
            let member = open.join(watchdog.clone());
            connections.spawn(async move {
                let _counted = counted;
                tokio::select! {
                    () = server.connection(stream, peer, watchdog) => {}
                    () = member.evicted.cancelled() => debug!("connection closed to make room"),
                }
                drop((member, permit));
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = server.shutdown.stopping() => {}
    }
    drop(listener);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = server.shutdown.aborting() => {
            warn!(connections = connections.len(), "the grace is over; what still runs is ended");
            connections.wait().await;
        }
    }
}

/// Descriptors that are kept back for the host's own files, and for a connection that makes another go.
const KEPT_BACK: usize = 48;

/// How many connections may be open at once, so that descriptors are left for all else.
fn limit(configured: usize) -> usize {
    let kept_back = KEPT_BACK + max_open_files();
    let possible = machine::free_descriptors().saturating_sub(kept_back).max(8);
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

/// A permit for a connection, for which another goes if there is none.
async fn acquire_permit(
    permits: &Arc<Semaphore>,
    open: &Connections,
) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return Some(permit);
        }
        open.evict();
        let permit = Arc::clone(permits).acquire_owned();
        if let Ok(permit) = tokio::time::timeout(MAKING_ROOM, permit).await {
            return permit.ok();
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
    aborting: CancellationToken,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let stream = Reader::time(stream, self.idle_timeout);
        let aborting = self.aborting.clone();
        tokio::spawn(async move { aborting.run_until_cancelled_owned(stream).await });
    }
}

fn builder(streams: Streams) -> Builder<Streams> {
    let mut builder = Builder::new(streams);
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
    tls: Option<Arc<Tls>>,
    config: ServerConfig,
    shutdown: Shutdown,
}

impl Server {
    async fn connection(&self, stream: TcpStream, peer: IpAddr, watchdog: Watchdog) {
        // Replies are written whole; waiting for more to send would only delay them.
        if let Err(e) = stream.set_nodelay(true) {
            debug!(error = %e, "nodelay not set");
        }
        let peer = self.routes.peer(peer);
        let Some(tls) = &self.tls else { return self.drive(stream, peer, None, watchdog).await };
        let handshake = tokio::time::timeout(self.config.header_timeout, tls.accept(stream));
        tokio::select! {
            handshake = handshake => match handshake {
                Ok(Ok((stream, certified))) => self.drive(stream, peer, certified, watchdog).await,
                Ok(Err(e)) => debug!(error = %e, "TLS handshake failed"),
                Err(_) => debug!("TLS handshake took too long"),
            },
            () = self.shutdown.stopping() => {}
        }
    }

    async fn drive<S>(
        &self,
        stream: S,
        peer: Peer,
        certified: Option<Arc<Certified>>,
        watchdog: Watchdog,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let routes = self.routes.clone();
        let requests = watchdog.clone();
        let is_certified = certified.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let guard = requests.request();
            if let Some(certified) = &certified {
                request.extensions_mut().insert(Arc::clone(certified));
            }
            let (routes, peer) = (routes.clone(), peer.clone());
            let (request, rest) = arriving::watched(request, &requests);
            async move {
                let mut response = routes.answer(request, &peer).await;
                if let Some(rest) = rest {
                    rest.settle(&mut response).await;
                }
                Ok::<_, Infallible>(response.map(|body| Guarded::new(body, guard)))
            }
        });
        let stream = TokioIo::new(Watched::new(stream, watchdog.clone()));
        let connection = self.builder.serve_connection(stream, service);
        let mut connection = std::pin::pin!(connection);
        let closing = async {
            // A client whose authority is no longer trusted is to connect anew.
            match is_certified {
                Some(certified) => tokio::select! {
                    () = certified.replaced() => {}
                    () = self.shutdown.stopping() => {}
                },
                None => self.shutdown.stopping().await,
            }
        };
        let mut closing = std::pin::pin!(closing);
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
                () = self.shutdown.aborting() => return,
                () = closing.as_mut(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
