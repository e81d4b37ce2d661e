//! What every request shares: the logs, who may do what with them, and how much may be under way.

use crate::access::Caller;
use crate::alerts::Detecting;
use crate::anchor::Anchoring;
use crate::body::Budget;
use crate::console::sign_in::SignIns;
use crate::gate::Keeper;
use crate::leftover::Leftovers;
use crate::limits::Limits;
use crate::logs::Logs;
use crate::mcp::Checks;
use crate::metrics::Metrics;
use crate::open_log::{OpenLog, server};
use crate::outstanding::Outstanding;
use crate::problem::Problem;
use crate::rates::{Counted, Counters, Rates};
use crate::sessions::Sessions;
use crate::telemetry::Telemetry;
use crate::witness::Witnessing;
use seal::Act;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, PoisonError};
use tokio::sync::{Semaphore, watch};

/// Questions that are answered at the same time; each has a thread and its own memory.
const QUESTIONS_MAX: usize = 8;
/// Statements in SQL, reports and what else reads much at the same time, of those questions: each
/// has its own engine and memory.
const STATEMENTS_MAX: usize = 2;
/// Live feeds at the same time.
const FEEDS_MAX: usize = 256;

/// What a server is made of; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    logs: Arc<Logs>,
    keeper: Keeper,
    sessions: Sessions,
    sign_ins: SignIns,
    public: BTreeSet<String>,
    limits: Limits,
    budget: Budget,
    outstanding: Outstanding,
    leftovers: Leftovers,
    questions: Arc<Semaphore>,
    statements: Arc<Semaphore>,
    feeds: Arc<Semaphore>,
    /// Changes once: when the server stops.
    feeds_end: watch::Sender<bool>,
    metrics: Metrics,
    checks: Arc<Checks>,
    hosts: OnceLock<Vec<String>>,
    counters: OnceLock<Counters>,
    detecting: OnceLock<Arc<Detecting>>,
    witnessing: OnceLock<Arc<Witnessing>>,
    anchoring: OnceLock<Arc<Anchoring>>,
    telemetry: OnceLock<Arc<Telemetry>>,
}

impl App {
    /// Puts a server together. `public`: the logs whose tree anybody may read without credentials.
    #[must_use]
    pub fn new(logs: Arc<Logs>, keeper: Keeper, public: BTreeSet<String>) -> Self {
        Self(Arc::new(Inner {
            logs,
            keeper,
            sessions: Sessions::default(),
            sign_ins: SignIns::default(),
            public,
            limits: Limits::default(),
            budget: Budget::new(Limits::default().body),
            outstanding: Outstanding::new(Limits::default()),
            leftovers: Leftovers::new(&Limits::default()),
            questions: Arc::new(Semaphore::new(QUESTIONS_MAX)),
            statements: Arc::new(Semaphore::new(STATEMENTS_MAX)),
            feeds: Arc::new(Semaphore::new(FEEDS_MAX)),
            feeds_end: watch::Sender::new(false),
            metrics: Metrics::default(),
            checks: Arc::default(),
            hosts: OnceLock::new(),
            counters: OnceLock::new(),
            detecting: OnceLock::new(),
            witnessing: OnceLock::new(),
            anchoring: OnceLock::new(),
            telemetry: OnceLock::new(),
        }))
    }

    /// The same, reached by these names as well as by those of this machine (`log.example.org`):
    /// `/mcp` answers no request that names another. To be called once, before the server begins.
    #[must_use]
    pub fn reached_as(self, hosts: Vec<String>) -> Self {
        // A second list would be one too many, and the first is the one that was meant.
        let _ = self.0.hosts.set(hosts);
        self
    }

    /// The same with other limits for clients. To be called once, before the server begins.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        // Nobody else has it yet.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.budget = Budget::new(limits.body);
            inner.outstanding = Outstanding::new(limits);
            inner.leftovers = Leftovers::new(&limits);
            inner.limits = limits;
        }
        self
    }

    /// What clients may cost.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The same, taking no more than this of one caller. To be called once, before the server
    /// begins.
    #[must_use]
    pub fn limited(self, rates: Rates) -> Self {
        let _ = self.0.counters.set(Counters::new(rates));
        self
    }

    /// The same, looking for what these rules find. To be called once, before the server begins.
    #[must_use]
    pub fn with_detection(self, detecting: Detecting) -> Self {
        let _ = self.0.detecting.set(Arc::new(detecting));
        self
    }

    /// The same, with its logs watched by witnesses. To be called once, before the server begins.
    #[must_use]
    pub fn with_witnesses(self, witnessing: Witnessing) -> Self {
        let _ = self.0.witnessing.set(Arc::new(witnessing));
        self
    }

    /// The same, with its logs stamped by an authority. To be called once, before the server
    /// begins.
    #[must_use]
    pub fn with_anchors(self, anchoring: Anchoring) -> Self {
        let _ = self.0.anchoring.set(Arc::new(anchoring));
        self
    }

    /// The same, telling a receiver of the requests that it answers. To be called once, before the
    /// server begins.
    #[must_use]
    pub fn with_telemetry(self, telemetry: Telemetry) -> Self {
        let _ = self.0.telemetry.set(Arc::new(telemetry));
        self
    }

    /// What is told of requests, if something is.
    pub(crate) fn telemetry(&self) -> Option<&Arc<Telemetry>> {
        self.0.telemetry.get()
    }

    /// Whoever has the logs stamped, if somebody does.
    pub(crate) fn anchoring(&self) -> Option<&Arc<Anchoring>> {
        self.0.anchoring.get()
    }

    /// Whoever watches the logs, if somebody does.
    pub(crate) fn witnessing(&self) -> Option<&Arc<Witnessing>> {
        self.0.witnessing.get()
    }

    /// What is looked for, if something is.
    pub(crate) fn detecting(&self) -> Option<&Arc<Detecting>> {
        self.0.detecting.get()
    }

    /// The logs.
    #[must_use]
    pub fn logs(&self) -> &Arc<Logs> {
        &self.0.logs
    }

    /// Who may do what.
    #[must_use]
    pub fn keeper(&self) -> &Keeper {
        &self.0.keeper
    }

    /// Who is signed in to the console.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What those share who are signing in to the console with an issuer.
    pub(crate) fn sign_ins(&self) -> &SignIns {
        &self.0.sign_ins
    }

    /// Whether anybody may read a log's tree.
    #[must_use]
    pub fn is_public(&self, log: &str) -> bool {
        self.0.public.contains(log)
    }

    /// Fetches the keys of issuers, so that no request has to wait for them.
    pub(crate) fn refresh_keys(&self) {
        if let Some(oidc) = &self.keeper().oidc {
            // An issuer that does not answer is told to whoever comes with a token of it.
            drop(oidc.refresh(self.logs().now_ms_signed()));
        }
    }

    /// Records credentials that were refused, those that were gathered long enough.
    pub(crate) fn record_refusals(&self) {
        let now_ms = self.logs().now_ms_signed();
        let due = {
            let refusals = &self.keeper().refusals;
            let mut refusals = refusals.lock().unwrap_or_else(PoisonError::into_inner);
            if !refusals.is_due(now_ms) {
                return;
            }
            refusals.flush(now_ms)
        };
        let Some(log) = self.logs().get(&self.keeper().default_log) else { return };
        for row in due {
            let details = json!({
                "reason": row.reason.code(), "presented": row.presented, "peer": row.peer,
                "count": row.count, "first_ms": row.first_ms, "last_ms": row.last_ms,
            });
            // A log that takes no records says in its next one that it took none.
            let _ = log.record_blocking(Act::LoginRefused(details), &server());
        }
    }

    /// Counts something that a caller sends; what is too much is counted for the record of a log.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn take(
        &self,
        caller: &Caller,
        log: Option<&Arc<OpenLog>>,
        counted: Counted,
        count: usize,
    ) -> Result<(), Problem> {
        let Some(counters) = self.0.counters.get() else { return Ok(()) };
        counters.take(caller, counted, count).inspect_err(|_| {
            let default = || self.logs().get(&self.keeper().default_log);
            if let Some(log) = log.cloned().or_else(default) {
                log.count_throttled(caller, counted, count as u64);
            }
        })
    }

    /// What callers sent too much of.
    pub(crate) fn counters(&self) -> Option<&Counters> {
        self.0.counters.get()
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// Answers that were not taken yet.
    pub(crate) fn outstanding(&self) -> &Outstanding {
        &self.0.outstanding
    }

    /// Requests that are answered and still come.
    pub(crate) fn leftovers(&self) -> &Leftovers {
        &self.0.leftovers
    }

    pub(crate) fn questions(&self) -> &Arc<Semaphore> {
        &self.0.questions
    }

    pub(crate) fn statements(&self) -> &Arc<Semaphore> {
        &self.0.statements
    }

    pub(crate) fn feeds(&self) -> &Arc<Semaphore> {
        &self.0.feeds
    }

    /// Ends every feed: they would go on for ever, and hold up the end of the server.
    pub(crate) fn end_feeds(&self) {
        self.0.feeds_end.send_replace(true);
    }

    /// What changes when feeds end.
    pub(crate) fn feeds_end(&self) -> watch::Receiver<bool> {
        self.0.feeds_end.subscribe()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn checks(&self) -> &Arc<Checks> {
        &self.0.checks
    }

    pub(crate) fn hosts(&self) -> &[String] {
        self.0.hosts.get().map(Vec::as_slice).unwrap_or_default()
    }
}
