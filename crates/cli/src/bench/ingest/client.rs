//! Clients of a server: connections that stay open, each sending its next request once the last one
//! is answered, or when it is due. What the server had no room for is sent again.

use super::super::Pool;
use super::ServerProcess;
use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};

/// How long a client waits before it connects again.
const RECONNECT: Duration = Duration::from_millis(50);
/// What says that a request may be sent again as it is.
const COME_AGAIN: [u16; 2] = [429, 503];
/// The longest time that is told apart, in microseconds: a minute.
const TIME_MAX_US: u64 = 60_000_000;

/// One case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Connections.
    pub(super) connections: usize,
    /// Events in a request.
    pub(super) batch: usize,
    /// Events offered in a second by all connections together.
    pub(super) rate: Option<f64>,
    /// Makes the event ids of this case unlike those of any other.
    pub(super) run: u64,
}

/// What one window gave.
pub(super) struct Outcome {
    /// Events answered with 200.
    pub(super) events: u64,
    /// From request to answer, in microseconds, of those that were taken.
    pub(super) times: Histogram<u64>,
    /// Requests by status.
    pub(super) answers: BTreeMap<String, u64>,
    /// How long the window was.
    pub(super) length: Duration,
    /// From the beginning of the case to the end of the window.
    pub(super) until: Duration,
}

impl Outcome {
    fn new() -> Result<Self, String> {
        let times = Histogram::new_with_max(TIME_MAX_US, 3).map_err(|error| error.to_string())?;
        let (length, until) = (Duration::ZERO, Duration::ZERO);
        Ok(Self { events: 0, times, answers: BTreeMap::new(), length, until })
    }
}

/// What the connections of one case share; all of them run on one thread.
struct Shared<'s> {
    load: Load,
    address: String,
    authorization: String,
    path: String,
    begun: Instant,
    end: Instant,
    pool: &'s Pool,
    outcome: RefCell<Outcome>,
}

/// Sends for `length`, and gives an outcome for each `window`.
pub(super) fn run(
    server: &ServerProcess,
    pool: &Pool,
    load: Load,
    length: Duration,
    window: Duration,
    window_done: &mut dyn FnMut(Outcome) -> Result<(), String>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start a thread: {error}"))?;
    runtime.block_on(async {
        let begun = Instant::now();
        let shared = Shared {
            load,
            address: server.address().to_owned(),
            authorization: format!("Bearer {}", server.token()),
            path: format!("/api/v1/logs/{}/events", super::server::LOG),
            begun,
            end: begun + length,
            pool,
            outcome: RefCell::new(Outcome::new()?),
        };
        let shared = &shared;
        let clients =
            futures::future::join_all((0..load.connections).map(|number| send(shared, number)));
        let clock = async {
            let mut last = begun;
            while last < shared.end {
                let next = (last + window).min(shared.end);
                sleep_until(next).await;
                let mut outcome = shared.outcome.replace(Outcome::new()?);
                let now = Instant::now();
                (outcome.length, outcome.until) = (now - last, now - begun);
                last = now;
                window_done(outcome)?;
            }
            Ok(())
        };
        // What is under way at the end is answered before the next case begins, and not counted.
        let (_, outcome) = tokio::join!(clients, clock);
        outcome
    })
}

/// Records in the server's log, as it says itself.
pub(super) fn size(server: &ServerProcess) -> Result<u64, String> {
    let failed = |()| "the server does not say how large its log is".to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start a thread: {error}"))?;
    let body = runtime.block_on(async {
        let mut connection = connect(server.address()).await?;
        let request = Request::get(format!("/api/v1/logs/{}", super::server::LOG))
            .header(header::HOST, server.address())
            .header(header::AUTHORIZATION, format!("Bearer {}", server.token()))
            .body(Full::default())
            .map_err(drop)?;
        let response = connection.send_request(request).await.map_err(drop)?;
        Ok(response.into_body().collect().await.map_err(drop)?.to_bytes())
    });
    let health: Value = serde_json::from_slice(&body.map_err(failed)?).unwrap_or_default();
    health["size"].as_u64().ok_or(()).map_err(failed)
}

/// One connection, until the end.
async fn send(shared: &Shared<'_>, number: usize) {
    let mut source = shared.pool.source(shared.load.run + number as u64);
    let interval = shared.load.rate.map(|rate| {
        let requests = rate / (shared.load.batch * shared.load.connections) as f64;
        Duration::from_secs_f64(1.0 / requests)
    });
    // Not all at once.
    let share = number as f64 / shared.load.connections as f64;
    let mut due = shared.begun + interval.unwrap_or_default().mul_f64(share);
    let (mut connection, mut lines) = (None, Bytes::new());
    while Instant::now() < shared.end {
        let begun = match interval {
            Some(interval) => {
                if due >= shared.end {
                    return;
                }
                // However late it is: a client that waits for a slow answer is served late too. One
                // that is woken late by its own timer, which counts milliseconds, is not.
                let is_late = Instant::now() >= due;
                sleep_until(due).await;
                let begun = if is_late { due } else { Instant::now() };
                due += interval;
                begun
            }
            None => Instant::now(),
        };
        if lines.is_empty() {
            let mut fresh = Vec::new();
            source.fill(shared.load.batch, &mut fresh);
            lines = fresh.into();
        }
        let answer = match &mut connection {
            Some(open) => request(shared, open, &lines).await,
            None => match connect(&shared.address).await {
                Ok(open) => request(shared, connection.insert(open), &lines).await,
                Err(()) => Err(()),
            },
        };
        note(shared, begun, answer);
        // As whoever has events to record would do it, which also leaves the cores to the server.
        if !answer.is_ok_and(|status| COME_AGAIN.contains(&status)) {
            lines = Bytes::new();
        }
        if answer.is_err() {
            connection = None;
            sleep(RECONNECT).await;
        }
    }
}

fn note(shared: &Shared<'_>, begun: Instant, answer: Result<u16, ()>) {
    let mut outcome = shared.outcome.borrow_mut();
    if answer == Ok(200) {
        outcome.events += shared.load.batch as u64;
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(TIME_MAX_US);
        outcome.times.saturating_record(took.clamp(1, TIME_MAX_US));
    }
    let name = answer.map_or_else(|()| "lost".to_owned(), |status| status.to_string());
    *outcome.answers.entry(name).or_default() += 1;
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, ()> {
    let stream = TcpStream::connect(address).await.map_err(drop)?;
    stream.set_nodelay(true).map_err(drop)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(drop)?;
    tokio::spawn(async {
        // Whoever waits for the answer is told.
        let _ = connection.await;
    });
    Ok(sender)
}

/// Sends events, and reads the answer to its end.
async fn request(
    shared: &Shared<'_>,
    connection: &mut SendRequest<Full<Bytes>>,
    lines: &Bytes,
) -> Result<u16, ()> {
    connection.ready().await.map_err(drop)?;
    let request = Request::post(&shared.path)
        .header(header::HOST, &shared.address)
        .header(header::AUTHORIZATION, &shared.authorization)
        .header(header::CONTENT_TYPE, "application/x-ndjson")
        .body(Full::new(lines.clone()))
        .map_err(drop)?;
    let response = connection.send_request(request).await.map_err(drop)?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame.map_err(drop)?;
    }
    Ok(status)
}
