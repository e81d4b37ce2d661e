//! The port: connections in, each with deadlines and a certificate if it has one; and an end in
//! good order.
//!
//! Not here: what is answered (`routes.rs`).

use crate::access::Caller;
use crate::app::App;
use crate::gate::Peer;
use crate::routes;
use axum::Router;
use hyper::body::Incoming;
use hyper::{Request, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::ServiceExt as _;

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 4_096;
/// A connection that has sent no whole request head within this time is closed, between requests
/// too.
const HEAD_MAX: Duration = Duration::from_secs(15);
/// A TLS handshake takes no longer.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long requests under way have when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// How often the logs are tended.
const TEND: Duration = Duration::from_millis(250);
/// The keys of issuers are fetched anew every so many turns of that: once a minute.
const REFRESH_TURNS: u64 = 240;
/// Streams of one HTTP/2 connection at the same time.
const STREAMS_MAX: u32 = 256;
/// Bytes of one request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What a connection's certificate makes of its caller.
pub type CertificateCaller = Arc<dyn Fn(&[u8]) -> Option<Caller> + Send + Sync>;

/// TLS: read anew for every connection, so that certificates are replaced without a restart.
#[derive(Clone)]
pub struct Tls {
    /// The configuration that is in force now.
    pub current: Arc<dyn Fn() -> Arc<ServerConfig> + Send + Sync>,
    /// Who a verified client certificate is.
    pub caller: CertificateCaller,
}

/// Serves until `stop` ends; then takes no more connections, lets what is under way end, and closes
/// the logs in good order.
///
/// # Errors
/// When the port fails for good.
pub async fn serve(
    app: App,
    listener: TcpListener,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = routes::router(app.clone());
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let tending = tokio::spawn(tend(app.clone()));
    let mut stop = std::pin::pin!(stop);
    loop {
        let permit = Arc::clone(&connections).acquire_owned().await.map_err(io::Error::other)?;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            // Out of descriptors, or a connection that went away at once: neither is the end.
            Err(_) => {
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            connection(router, stream, address, tls, watcher).await;
            drop(permit);
        });
    }
    drop(listener);
    app.end_feeds();
    let _ = timeout(DRAIN_MAX, graceful.shutdown()).await;
    tending.abort();
    // What clients were promised is durable already; this says in the logs that they end.
    let logs = Arc::clone(app.logs());
    let _ = tokio::task::spawn_blocking(move || logs.close()).await;
    Ok(())
}

/// Looks after the logs, and the keys of issuers, while the server runs.
async fn tend(app: App) {
    for turn in 0_u64.. {
        if turn % REFRESH_TURNS == 0 {
            let app = app.clone();
            // Not waited for: an issuer that does not answer must not hold up the logs.
            drop(tokio::task::spawn_blocking(move || app.refresh_keys()));
        }
        sleep(TEND).await;
        let look = {
            let app = app.clone();
            move || {
                app.logs().tend();
                app.record_refusals();
            }
        };
        let _ = tokio::task::spawn_blocking(look).await;
    }
}

async fn connection(
    router: Router,
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Tls>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        let peer = Peer { address: Some(address), certificate: None };
        return answer(router, TokioIo::new(stream), peer, watcher).await;
    };
    let acceptor = TlsAcceptor::from((tls.current)());
    let Ok(Ok(stream)) = timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await else { return };
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(<[_]>::first).and_then(|it| (tls.caller)(it));
    let peer = Peer { address: Some(address), certificate };
    answer(router, TokioIo::new(stream), peer, watcher).await;
}

/// Answers the requests of one connection.
async fn answer<S>(
    router: Router,
    io: TokioIo<S>,
    peer: Peer,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_pending_accept_reset_streams(64)
        .keep_alive_interval(Some(HEAD_MAX))
        .keep_alive_timeout(HEAD_MAX);
    let connection = builder.serve_connection_with_upgrades(io, service).into_owned();
    // How a connection ends is its peer's affair.
    let _ = watcher.watch(connection).await;
}
