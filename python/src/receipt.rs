//! What `record` answers: the event's id at once, and its place in the log when it is durable.

use crate::fault::Fault;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often somebody who waits looks whether a signal came.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// Where an event stands in the log.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) index: u64,
    pub(crate) leaf_hash: [u8; 32],
    pub(crate) recorded_ms: u64,
    pub(crate) checkpoint: Arc<str>,
    pub(crate) is_duplicate: bool,
}

/// Where the answer for one event is put.
#[derive(Default)]
pub(crate) struct Slot {
    outcome: Mutex<Option<Result<Sealed, Fault>>>,
    done: Condvar,
}

impl Slot {
    pub(crate) fn set(&self, outcome: Result<Sealed, Fault>) {
        *self.outcome() = Some(outcome);
        self.done.notify_all();
    }

    fn wait(&self, patience: Duration) -> Option<Result<Sealed, Fault>> {
        let outcome = self.outcome();
        let waiting = self.done.wait_timeout_while(outcome, patience, |it| it.is_none());
        waiting.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn outcome(&self) -> MutexGuard<'_, Option<Result<Sealed, Fault>>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a recorded event.
#[pyclass(module = "tachograph._native", frozen)]
pub(crate) struct Receipt {
    event_id: Box<str>,
    producer: Arc<str>,
    seq: u64,
    /// `None` for what nobody waits for.
    slot: Option<Arc<Slot>>,
}

impl Receipt {
    pub(crate) fn new(
        event_id: Box<str>,
        producer: Arc<str>,
        seq: u64,
        slot: Option<Arc<Slot>>,
    ) -> Self {
        Self { event_id, producer, seq, slot }
    }

    fn sealed(&self) -> Option<Sealed> {
        self.slot.as_ref()?.outcome().clone()?.ok()
    }

    /// Waits, and lets Python's other threads run meanwhile.
    pub(crate) fn wait_for(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<()> {
        let Some(slot) = &self.slot else { return Ok(()) };
        loop {
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            let patience = left.map_or(SIGNALS_EVERY, |left| left.min(SIGNALS_EVERY));
            match py.detach(|| slot.wait(patience)) {
                Some(outcome) => return Ok(outcome.map(|_| ())?),
                None if left.is_some_and(|left| left.is_zero()) => {
                    return Err(Fault::timeout().into());
                }
                None => py.check_signals()?,
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
        self.sealed().is_some()
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
        self.sealed().map(|it| it.recorded_ms)
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

    /// The receipt as `tacho verify --since` takes it: keep it outside the log's machine.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("event_id", &*self.event_id)?;
        if let Some(sealed) = self.sealed() {
            dict.set_item("index", sealed.index)?;
            dict.set_item("leaf_hash", hex::encode(sealed.leaf_hash))?;
            dict.set_item("duplicate", sealed.is_duplicate)?;
            dict.set_item("recorded_ms", sealed.recorded_ms)?;
            dict.set_item("checkpoint", &*sealed.checkpoint)?;
        }
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        match self.index() {
            Some(index) => format!("<Receipt {} at index {index}>", self.event_id),
            None => format!("<Receipt {}, not known to be durable>", self.event_id),
        }
    }
}
