//! What `record` answers: the event's id at once, and its place in the log when it is there.

use crate::fault::Fault;
use crate::outbox::Outbox;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use redact::without_secrets;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often somebody who waits looks whether a signal came.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// Where an event stands in the log.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) index: u64,
    pub(crate) leaf_hash: [u8; 32],
    /// `None` when a server found it there, and does not say since when.
    pub(crate) recorded_ms: Option<u64>,
    pub(crate) checkpoint: Arc<str>,
    pub(crate) is_duplicate: bool,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Until {
    /// The event is on a disk of this machine, and on its way to the log.
    Stored,
    /// It is in the log, durably.
    Sealed,
}

/// Where the answer for one event is put.
pub(crate) struct Slot {
    /// What whoever recorded it waits for.
    pub(crate) until: Until,
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
struct State {
    is_stored: bool,
    outcome: Option<Result<Sealed, Fault>>,
}

impl Slot {
    pub(crate) fn new(until: Until) -> Self {
        Self { until, state: Mutex::default(), done: Condvar::new() }
    }

    /// It is on disk.
    pub(crate) fn store(&self) {
        self.state().is_stored = true;
        self.done.notify_all();
    }

    /// What became of it in the end; the first that is said counts.
    pub(crate) fn set(&self, outcome: Result<Sealed, Fault>) {
        self.state().outcome.get_or_insert(outcome);
        self.done.notify_all();
    }

    /// Whether it is known what became of it.
    pub(crate) fn is_settled(&self) -> bool {
        self.state().outcome.is_some()
    }

    fn wait(&self, until: Until, patience: Duration) -> Option<Result<(), Fault>> {
        let is_open =
            |it: &mut State| it.outcome.is_none() && !(it.is_stored && until == Until::Stored);
        let waiting = self.done.wait_timeout_while(self.state(), patience, is_open);
        let mut state = waiting.unwrap_or_else(PoisonError::into_inner).0;
        match &state.outcome {
            Some(outcome) => Some(outcome.as_ref().map(|_| ()).map_err(Fault::clone)),
            None => (!is_open(&mut state)).then_some(Ok(())),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who gives up an event that does not get into the log in time.
#[derive(Clone)]
pub(crate) struct Patience {
    pub(crate) ends: Instant,
    pub(crate) outbox: Arc<Outbox>,
}

/// What became of a recorded event.
#[pyclass(module = "tachograph._native", frozen)]
pub(crate) struct Receipt {
    event_id: Box<str>,
    producer: Arc<str>,
    seq: u64,
    /// `None` for what nobody waits for.
    slot: Option<Arc<Slot>>,
    patience: Option<Patience>,
}

impl Receipt {
    pub(crate) fn new(
        event_id: Box<str>,
        producer: Arc<str>,
        seq: u64,
        slot: Option<Arc<Slot>>,
        patience: Option<Patience>,
    ) -> Self {
        Self { event_id, producer, seq, slot, patience }
    }

    fn sealed(&self) -> Option<Sealed> {
        self.slot.as_ref()?.state().outcome.clone()?.ok()
    }

    /// Waits for what the event's mode promises.
    pub(crate) fn wait_for(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<()> {
        let Some(slot) = &self.slot else { return Ok(()) };
        self.wait_until(py, slot, slot.until, deadline)
    }

    /// Waits, and lets Python's other threads run meanwhile.
    fn wait_until(
        &self,
        py: Python<'_>,
        slot: &Arc<Slot>,
        until: Until,
        deadline: Option<Instant>,
    ) -> PyResult<()> {
        loop {
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            let patience = left.map_or(SIGNALS_EVERY, |left| left.min(SIGNALS_EVERY));
            if let Some(outcome) = py.detach(|| slot.wait(until, patience)) {
                return Ok(outcome?);
            }
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Fault::timeout().into());
            }
            py.check_signals()?;
            if let Some(Patience { ends, outbox }) = &self.patience
                && Instant::now() >= *ends
            {
                py.detach(|| outbox.give_up(self.seq, slot));
            }
        }
    }
}

#[pymethods]
impl Receipt {
    /// The id of the event.
    #[getter]
    fn event_id(&self) -> &str {
        &self.event_id
    }

    /// The id of this process in the log.
    #[getter]
    fn producer_id(&self) -> &str {
        &self.producer
    }

    /// The number that this process gave the event, from 1.
    #[getter]
    fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether the event's place can be waited for: not of what is buffered.
    #[getter]
    fn is_awaited(&self) -> bool {
        self.slot.is_some()
    }

    /// Whether the event is known to be on disk.
    #[getter]
    fn is_durable(&self) -> bool {
        let stored = |slot: &Arc<Slot>| {
            let state = slot.state();
            state.outcome.as_ref().map_or(state.is_stored, Result::is_ok)
        };
        self.slot.as_ref().is_some_and(stored)
    }

    /// The index of its entry; `None` while that is not known.
    #[getter]
    fn index(&self) -> Option<u64> {
        self.sealed().map(|it| it.index)
    }

    /// The hash of its leaf, in hex.
    #[getter]
    fn leaf_hash(&self) -> Option<String> {
        self.sealed().map(|it| hex::encode(it.leaf_hash))
    }

    /// When it was sealed, in milliseconds since 1970.
    #[getter]
    fn recorded_ms(&self) -> Option<u64> {
        self.sealed().and_then(|it| it.recorded_ms)
    }

    /// The signed checkpoint that covers it.
    #[getter]
    fn checkpoint(&self) -> Option<String> {
        self.sealed().map(|it| it.checkpoint.to_string())
    }

    /// Whether the same event was in the log before.
    #[getter]
    fn is_duplicate(&self) -> bool {
        self.sealed().is_some_and(|it| it.is_duplicate)
    }

    /// Waits until the event is on disk; returns the receipt itself.
    #[pyo3(signature = (timeout=None))]
    fn wait<'py>(slf: &Bound<'py, Self>, timeout: Option<f64>) -> PyResult<Bound<'py, Self>> {
        let patience = timeout.map(|it| Duration::try_from_secs_f64(it).unwrap_or_default());
        slf.get().wait_for(slf.py(), patience.and_then(|it| Instant::now().checked_add(it)))?;
        Ok(slf.clone())
    }

    /// Waits until the event is in the log, also where its mode promises less.
    #[pyo3(signature = (timeout=None))]
    fn wait_sealed<'py>(
        slf: &Bound<'py, Self>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, Self>> {
        let it = slf.get();
        let Some(slot) = &it.slot else {
            let sentence = "nothing waits for an event that was recorded with mode='buffered'; \
                            record it with another mode, or call flush()";
            return Err(Fault::usage(sentence).into());
        };
        let patience = timeout.map(|it| Duration::try_from_secs_f64(it).unwrap_or_default());
        let deadline = patience.and_then(|it| Instant::now().checked_add(it));
        it.wait_until(slf.py(), slot, Until::Sealed, deadline)?;
        Ok(slf.clone())
    }

    /// The receipt as `tacho verify --since` takes it: keep it outside the log's machine.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("event_id", &*self.event_id)?;
        if let Some(sealed) = self.sealed() {
            dict.set_item("index", sealed.index)?;
            dict.set_item("leaf_hash", hex::encode(sealed.leaf_hash))?;
            dict.set_item("duplicate", sealed.is_duplicate)?;
            if let Some(recorded_ms) = sealed.recorded_ms {
                dict.set_item("recorded_ms", recorded_ms)?;
            }
            dict.set_item("checkpoint", &*sealed.checkpoint)?;
        }
        Ok(dict)
    }

    /// For logs: an id that the producer chose may hold a secret.
    fn __repr__(&self) -> String {
        let id = without_secrets(self.event_id.to_string());
        match self.index() {
            Some(index) => format!("<Receipt {id} at index {index}>"),
            None => format!("<Receipt {id}, not known to be durable>"),
        }
    }
}
