//! A witness's own port. What passes here is public and signed, so it has no credentials, and no
//! TLS of its own: something in front of it may do that.

use super::home::{Home, Reply};
use ::witness::BODY_BYTES_MAX;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::routing::{get, post};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

/// Connections at the same time; the next ones wait.
const CONNECTIONS_MAX: usize = 1_024;
/// Requests whose bodies are in memory at the same time: some 70 MiB at worst.
const BODIES_MAX: usize = 128;
/// A head, and a body, must arrive within this time.
const ARRIVAL_MAX: Duration = Duration::from_secs(10);
/// How long one connection may live: what it asks of a witness takes milliseconds.
const CONNECTION_MAX: Duration = Duration::from_secs(300);

/// What every request shares.
#[derive(Clone)]
struct Shared {
    home: Arc<Home>,
    bodies: Arc<Semaphore>,
}

/// Is a witness until `stop` ends.
///
/// # Errors
/// When the port fails for good.
pub async fn listen(
    home: Arc<Home>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = router(home);
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Dropped at the end, which ends every connection: a witness that stopped cosigns nothing.
    let (_serving, ended) = watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            Ok::<_, io::Error>((permit.map_err(io::Error::other)?, listener.accept().await))
        };
        let (permit, accepted) = tokio::select! {
            next = next => next?,
            () = &mut stop => return Ok(()),
        };
        let Ok((stream, _)) = accepted else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (router, mut ended) = (router.clone(), ended.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = connection(router, stream) => {}
                _ = ended.changed() => {}
            }
            drop(permit);
        });
    }
}

async fn connection(router: Router, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        router.clone().oneshot(request.map(Body::new))
    });
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(ARRIVAL_MAX);
    // How a connection ends is its peer's affair.
    let _ = timeout(CONNECTION_MAX, builder.serve_connection(TokioIo::new(stream), service)).await;
}

fn router(home: Arc<Home>) -> Router {
    let shared = Shared { home, bodies: Arc::new(Semaphore::new(BODIES_MAX)) };
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/witness/add-checkpoint", post(add_checkpoint))
        .route("/{id}/checkpoint", get(cosigned))
        .route("/witness/{id}/checkpoint", get(cosigned))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(shared)
}

/// `POST <prefix>/add-checkpoint`.
async fn add_checkpoint(State(shared): State<Shared>, body: Body) -> Response<Body> {
    let Ok(_place) = shared.bodies.acquire().await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    };
    let body = match timeout(ARRIVAL_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return plain(StatusCode::BAD_REQUEST, "too long, or broken off\n"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "it took too long to come\n"),
    };
    let home = Arc::clone(&shared.home);
    match tokio::task::spawn_blocking(move || home.add_checkpoint(&body)).await {
        Ok(reply) => respond(reply),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed at this\n"),
    }
}

/// `GET <prefix>/<SHA-256 of the origin>/checkpoint`.
async fn cosigned(State(shared): State<Shared>, Path(id): Path<String>) -> Response<Body> {
    let home = Arc::clone(&shared.home);
    match tokio::task::spawn_blocking(move || home.cosigned(&id)).await {
        Ok(Ok(Some(body))) => {
            respond(Reply { status: 200, content_type: "text/plain; charset=utf-8", body })
        }
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "no checkpoint of such a log was cosigned\n"),
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed at this\n"),
    }
}

/// An answer as HTTP has it.
fn respond(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    let status = StatusCode::from_u16(reply.status);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let body = text.as_bytes().to_vec();
    respond(Reply { status: status.as_u16(), content_type: "text/plain; charset=utf-8", body })
}
