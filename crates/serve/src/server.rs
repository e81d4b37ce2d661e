//! The port: connections in, each with deadlines and a certificate if it has one; and an end in
//! good order.
//!
//! Not here: what is answered (`routes.rs`).

use crate::alerts::Watching;
use crate::app::App;
use crate::gate::{Peer, note_refusal};
use crate::handshake::{self, CertificateCaller};
use crate::leftover;
use crate::limits::Limits;
use crate::outstanding::{Connection, Pieces, Streams, mortal};
use crate::telemetry::Sending;
use crate::wire::Wire;
use crate::{anchor, routes, schedule, witness};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, Version, header};
use hyper::body::{Body as _, Incoming};
use hyper::{Request, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

/// Files that logs and everything else may have open beside connections.
const OTHER_FILES: u64 = 1_024;
/// How long requests under way have when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// How often the logs are tended.
const TEND: Duration = Duration::from_millis(250);
/// The keys of issuers are fetched anew every so many turns of that: once a minute.
const REFRESH_TURNS: u64 = 240;
/// Callers that were quiet are forgotten every so many turns: every ten seconds.
const LIMITS_TURNS: u64 = 40;
/// Streams of one HTTP/2 connection at the same time: what RFC 9113, section 6.5.2, asks for.
const STREAMS_MAX: u32 = 100;
/// Bytes of one answer that HTTP/2 takes over before they can be sent; the rest waits here.
const SEND_BYTES_MAX: usize = 64 << 10;
/// Bytes that an HTTP/2 peer may send of one body before it was read, and on its connection.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 512 << 10;
/// Bytes of one request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

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
    let limits = *app.limits();
    let connections = Arc::new(Semaphore::new(limits.connections.min(connections_max(&limits))));
    let tending = tokio::spawn(tend(app.clone()));
    let letting_go = tokio::spawn(schedule::run(app.clone()));
    let ending = tokio::spawn(app.outstanding().clone().run());
    let watching = Watching::start(&app);
    let witnessed = witness::Watching::start(&app);
    let stamping = anchor::Stamping::start(&app);
    let telling = Sending::start(app.telemetry());
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            Ok::<_, io::Error>((permit.map_err(io::Error::other)?, listener.accept().await))
        };
        // Whoever stops the server is heard even when nobody else is let in any more.
        let (permit, accepted) = tokio::select! {
            next = next => next?,
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
        let (app, router) = (app.clone(), router.clone());
        let (tls, watcher) = (tls.clone(), graceful.watcher());
        let task = async move {
            connection(&app, router, stream, address, tls, watcher).await;
            drop(permit);
        };
        tokio::spawn(task);
    }
    drop(listener);
    app.end_feeds();
    let _ = timeout(DRAIN_MAX, graceful.shutdown()).await;
    tending.abort();
    letting_go.abort();
    ending.abort();
    // What clients were promised is durable already; this says in the logs that they end.
    let logs = Arc::clone(app.logs());
    let close = move || {
        watching.end();
        witnessed.end();
        stamping.end();
        telling.end();
        logs.close();
    };
    let _ = tokio::task::spawn_blocking(close).await;
    Ok(())
}

/// Connections that this process may have open: a log whose files do not open any more because
/// clients have taken all descriptors would be down.
fn connections_max(limits: &Limits) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = limits.connections as u64 + OTHER_FILES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(now) = current.filter(|now| *now < wanted) else { return limits.connections };
    let more = maximum.map_or(wanted, |most| most.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum }).is_ok();
    let files = if raised { more } else { now };
    let left = files.saturating_sub(OTHER_FILES).max(files / 2);
    usize::try_from(left).unwrap_or(limits.connections)
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
                if turn % LIMITS_TURNS == 0
                    && let Some(limits) = app.counters()
                {
                    limits.tend();
                }
            }
        };
        let _ = tokio::task::spawn_blocking(look).await;
    }
}

async fn connection(
    app: &App,
    router: Router,
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Tls>,
    watcher: Watcher,
) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        let peer = Peer { address: Some(address), certificate: None, is_secure: false };
        return answer(app, router, stream, peer, watcher).await;
    };
    // Aside: whoever speaks without TLS need not have the room for it.
    Box::pin(secured(app, router, stream, address, tls, watcher)).await;
}

/// Shakes hands first.
async fn secured(
    app: &App,
    router: Router,
    stream: TcpStream,
    address: SocketAddr,
    tls: Tls,
    watcher: Watcher,
) {
    let shaking = handshake::accept((tls.current)(), &tls.caller, stream);
    let (stream, certificate) = match timeout(app.limits().handshake, shaking).await {
        Ok(Ok(shaken)) => shaken,
        Ok(Err(handshake::Failed { refused: Some((refused, claimed)) })) => {
            return note_refusal(app, refused, &claimed, Some(address.ip()));
        }
        _ => return,
    };
    let peer = Peer { address: Some(address), certificate, is_secure: true };
    answer(app, router, stream, peer, watcher).await;
}

/// Answers the requests of one connection.
async fn answer<S>(app: &App, router: Router, stream: S, peer: Peer, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = app.limits();
    let io = TokioIo::new(Wire::new(stream, limits.head, limits.write));
    let (app, here) = (app.clone(), Arc::<Connection>::default());
    let connection = Arc::clone(&here);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        one(app.clone(), router.clone(), Arc::clone(&connection), request)
    });
    let connection = builder(limits).serve_connection_with_upgrades(io, service).into_owned();
    // How a connection ends is its peer's affair.
    tokio::select! {
        () = mortal(watcher.watch(connection)) => {}
        () = here.ended() => {}
    }
}

/// Answers one request, and keeps account of the answer until it is taken.
async fn one(
    app: App,
    router: Router,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (mut head, body) = request.into_parts();
    let (body, given_up) = if head.version < Version::HTTP_2 && !body.is_end_stream() {
        let (body, given_up) = leftover::watch(body, &head.headers);
        (Body::new(body), Some(given_up))
    } else {
        (Body::new(body), None)
    };
    let Some(turn) = app.outstanding().begin(&connection) else {
        drop(body);
        let mut response = too_many();
        if let Some(given_up) = given_up {
            app.leftovers().see_to(&given_up, false, &mut response);
        }
        return Ok(response);
    };
    head.extensions.insert(Arc::clone(&turn));
    let mut response = router.oneshot(Request::from_parts(head, body)).await?;
    if let Some(given_up) = given_up {
        app.leftovers().see_to(&given_up, turn.is_known(), &mut response);
    }
    Ok(response.map(|body| Body::new(Pieces::new(body, turn))))
}

/// More requests than may be under way: without a body, which would be one more thing to be taken.
fn too_many() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// How HTTP is spoken.
fn builder(limits: &Limits) -> Builder<Streams> {
    let mut builder = Builder::new(Streams);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_pending_accept_reset_streams(64)
        .max_send_buf_size(SEND_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(Some(limits.head))
        .keep_alive_timeout(limits.head);
    builder
}
