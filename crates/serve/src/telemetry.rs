//! What the server tells of itself: a span for each request that it answers, to a receiver of
//! OpenTelemetry's choice of whoever runs it. Off unless that is said.
//!
//! A span says which route was asked by which method, the status, and how long it took: never who
//! asked, what stands in an address in place of a route's names, or a header. Nobody waits for it:
//! what finds no room, or no receiver, is counted and lost, unlike what belongs into a log.
//!
//! Not here: figures (`metrics.rs`), and traces that others send (`otlp.rs`).

mod parent;
mod send;

use crate::alerts::SinkError;
use crate::alerts::http::{agent, check_url};
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode, Version};
use keys::{Entropy as _, SystemEntropy};
use parent::Parent;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Spans that wait: some hundred bytes each.
const WAITING_MAX: usize = 4_096;
/// How long a receiver may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Where spans go, and which.
pub struct Receiving {
    /// The address of the receiver's traces: `https://collector.example.org/v1/traces`.
    pub url: String,
    /// What is sent as `Authorization`, if something is.
    pub authorization: Option<Zeroizing<String>>,
    /// What the server is called there (`service.name`).
    pub service: String,
    /// Of so many requests that belong to no trace yet, one is told of.
    pub one_in: NonZeroU32,
    /// Whether the receiver may be at an address that not everybody reaches, and without TLS.
    pub allow_private: bool,
}

/// What is told of requests.
pub struct Telemetry {
    receiving: Receiving,
    agent: ureq::Agent,
    entropy: SystemEntropy,
    asked: AtomicU64,
    inbox: SyncSender<Span>,
    waiting: Mutex<Option<Receiver<Span>>>,
    figures: Figures,
}

/// What became of spans since the start.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) sent: AtomicU64,
    pub(crate) lost: AtomicU64,
}

/// A request that is being answered, and is to be told of.
pub(crate) struct Begun {
    parent: Parent,
    route: Option<String>,
    method: Method,
    version: Version,
    start_ms: u64,
    begun: Instant,
}

/// One that was answered.
pub(crate) struct Span {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent_id: Option<[u8; 8]>,
    route: Option<String>,
    method: Method,
    version: Version,
    status: StatusCode,
    start_ms: u64,
    took: Duration,
}

impl Telemetry {
    /// To this receiver.
    ///
    /// # Errors
    /// In words, when its address may not be used.
    pub fn new(receiving: Receiving) -> Result<Self, SinkError> {
        check_url(&receiving.url, receiving.allow_private)?;
        let agent = agent(receiving.allow_private, ANSWER_MAX, 1)?;
        let (inbox, waiting) = sync_channel(WAITING_MAX);
        Ok(Self {
            receiving,
            agent,
            entropy: SystemEntropy::new(),
            asked: AtomicU64::new(0),
            inbox,
            waiting: Mutex::new(Some(waiting)),
            figures: Figures::default(),
        })
    }

    /// Begins to tell of a request, if it is one to be told of.
    pub(crate) fn begin(&self, request: &Request, now_ms: u64) -> Option<Begun> {
        let parent = Parent::of(request.headers());
        if !parent.as_ref().map_or_else(|| self.is_its_turn(), |parent| parent.is_sampled) {
            return None;
        }
        let route = request.extensions().get::<MatchedPath>();
        Some(Begun {
            parent: parent.unwrap_or_default(),
            route: route.map(|route| route.as_str().to_owned()),
            method: request.method().clone(),
            version: request.version(),
            start_ms: now_ms,
            begun: Instant::now(),
        })
    }

    /// Whether a request that belongs to no trace begins one.
    fn is_its_turn(&self) -> bool {
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        before.is_multiple_of(u64::from(self.receiving.one_in.get()))
    }

    /// Tells of a request that was answered.
    pub(crate) fn end(&self, begun: Begun, status: StatusCode) {
        let span = self.span(begun, status);
        if span.is_none_or(|span| self.inbox.try_send(span).is_err()) {
            self.figures.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn span(&self, begun: Begun, status: StatusCode) -> Option<Span> {
        let Begun { parent, route, method, version, start_ms, begun } = begun;
        let mut ids = [0; 24];
        self.entropy.fill(&mut ids).ok()?;
        let (own_trace, span_id) = ids.split_at(16);
        let (trace_id, parent_id) = match parent.ids {
            Some((trace_id, parent_id)) => (trace_id, Some(parent_id)),
            None => (own_trace.try_into().ok()?, None),
        };
        let (span_id, took) = (span_id.try_into().ok()?, begun.elapsed());
        Some(Span { trace_id, span_id, parent_id, route, method, version, status, start_ms, took })
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.figures
    }
}

/// Whoever sends spans, while the server runs.
pub(crate) struct Sending {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sending {
    /// Starts it, where something is to be told.
    pub(crate) fn start(telemetry: Option<&Arc<Telemetry>>) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let thread = telemetry.and_then(|telemetry| {
            let waiting =
                telemetry.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            let (by, stop) = (Arc::clone(telemetry), Arc::clone(&stop));
            let run = move || send::run(&by, &waiting, &stop);
            std::thread::Builder::new().name("tacho-traces".to_owned()).spawn(run).ok()
        });
        Self { stop, thread }
    }

    /// Sends what waits, once, and ends.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
