//! The class that `tachograph.Log` extends: recording, waiting, asking, closing.

use crate::connecting::{self, Connected, Wanted};
use crate::fault::Fault;
use crate::here::Here;
use crate::json::{self, Draft};
use crate::mode::Mode;
use crate::opening::{self, KeyPlace, Opened};
use crate::place::{Identity, Place};
use crate::questions;
use crate::queue::{NotTaken, Queue};
use crate::receipt::{Patience, Receipt, Slot, Until};
use crate::signing::{KeyAt, Signers};
use crate::there::There;
use capture::Format;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use reading::{DataFolder, Lookout};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long an event waits for room in the queue before it is refused.
const ROOM_MAX: Duration = Duration::from_secs(30);
/// How often somebody who waits looks whether a signal came.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// A log open in this process, or at a server.
#[pyclass(module = "tachograph._native", subclass, frozen)]
pub(crate) struct Log {
    place: Box<dyn Place>,
    queue: Arc<Queue>,
    producer: Arc<str>,
    identity: OnceLock<Identity>,
    mode: Mode,
    /// The process that opened it: threads do not survive a fork.
    process: u32,
    is_new: bool,
    /// The public keys that sign what is recorded, each with the agent that it is for.
    agent_keys: Vec<(Option<String>, String)>,
    /// The `ContextVar` with the fields of the context.
    context: Py<PyAny>,
}

#[pymethods]
impl Log {
    #[new]
    #[pyo3(signature = (*, place, mode, context))]
    fn new(
        py: Python<'_>,
        place: &Bound<'_, PyDict>,
        mode: &str,
        context: Py<PyAny>,
    ) -> PyResult<Self> {
        let mode = Mode::parse(mode)?;
        if place.contains("url")? {
            let wanted: Wanted = place.extract()?;
            return Ok(py.detach(|| Self::there(wanted, mode, context))?);
        }
        let wanted: Folder = place.extract()?;
        Ok(py.detach(|| Self::here(wanted, mode, context))?)
    }

    /// Records an event.
    #[pyo3(signature = (event=None, /, *, mode=None, **fields))]
    fn record(
        &self,
        py: Python<'_>,
        event: Option<&Bound<'_, PyAny>>,
        mode: Option<&str>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Receipt> {
        let receipt = self.submit(py, event, mode, fields)?;
        receipt.wait_for(py, None)?;
        Ok(receipt)
    }

    /// Records an event, and leaves the waiting to `Receipt.wait`.
    #[pyo3(signature = (event=None, /, *, mode=None, **fields))]
    fn submit(
        &self,
        py: Python<'_>,
        event: Option<&Bound<'_, PyAny>>,
        mode: Option<&str>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Receipt> {
        self.is_here()?;
        let context = self.context.bind(py).call_method0("get")?;
        let context = context.cast::<PyDict>().ok();
        let draft = json::event(fields, event, context)?;
        self.push(py, draft, Format::Native, mode)
    }

    /// Records a line of AG2's own audit log.
    #[pyo3(signature = (line, /, *, mode=None))]
    fn submit_ag2(&self, py: Python<'_>, line: &str, mode: Option<&str>) -> PyResult<Receipt> {
        self.is_here()?;
        let draft = Draft { bytes: line.as_bytes().to_vec(), event_id: None };
        self.push(py, draft, Format::Ag2Audit, mode)
    }

    /// Waits until everything recorded so far is in the log, or told there as lost.
    #[pyo3(signature = (timeout=None))]
    fn flush(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.is_here()?;
        let patience = timeout.map(|it| Duration::try_from_secs_f64(it).unwrap_or_default());
        self.wait_until_settled(py, patience)
    }

    /// Publishes a checkpoint that covers everything recorded so far, and returns it.
    fn publish(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |place| place.publish())
    }

    /// Delivers what waits, and closes the log. A second time does nothing. Returns how many events
    /// wait in a spool until a server can be reached again.
    #[pyo3(signature = (timeout=None))]
    fn close(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<u64> {
        if std::process::id() != self.process {
            return Ok(0);
        }
        let patience = timeout.map(|it| Duration::try_from_secs_f64(it).unwrap_or_default());
        Ok(py.detach(|| self.place.close(&self.queue, patience))?)
    }

    fn _events(&self, py: Python<'_>, question: &str) -> PyResult<(String, u64)> {
        self.ask(py, |place| place.events(question))
    }

    fn _trace(&self, py: Python<'_>, id: &str) -> PyResult<Option<String>> {
        self.ask(py, |place| place.trace(id))
    }

    fn _proof(&self, py: Python<'_>, index: u64) -> PyResult<String> {
        self.ask(py, |place| place.proof(index))
    }

    fn _verify(
        &self,
        py: Python<'_>,
        keys: Vec<String>,
        origin: Option<String>,
        since: Option<String>,
    ) -> PyResult<String> {
        self.ask(py, |place| place.check(&keys, origin.clone(), since.as_deref()))
    }

    /// How many events were given a number, sealed, refused and lost by this process.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.is_here()?;
        let counts = self.queue.counts();
        let dict = PyDict::new(py);
        dict.set_item("given", counts.given)?;
        dict.set_item("sealed", counts.sealed)?;
        dict.set_item("refused", counts.refused)?;
        dict.set_item("lost", counts.lost)?;
        Ok(dict)
    }

    /// What went wrong last with an event that nobody waited for.
    #[getter]
    fn last_fault(&self) -> PyResult<Option<String>> {
        self.is_here()?;
        Ok(self.queue.last_fault().map(|(_, text)| text))
    }

    /// The log's folder; `None` of a log at a server.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.place.folder().map(std::path::Path::to_path_buf)
    }

    /// The server's address; `None` of a log in a folder.
    #[getter]
    fn url(&self) -> Option<&str> {
        self.place.url()
    }

    /// The log's name.
    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.identity(py)?.name.clone())
    }

    /// Its id; a server does not tell it.
    #[getter]
    fn log_id(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.identity(py)?.log_id.clone())
    }

    /// The origin of its checkpoints.
    #[getter]
    fn origin(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.identity(py)?.origin.clone())
    }

    /// The verifier keys that it began with, as whoever has it says.
    #[getter]
    fn vkeys(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.identity(py)?.keys.clone())
    }

    /// The mode of events that name none.
    #[getter]
    fn mode(&self) -> &'static str {
        self.mode.name()
    }

    /// Whether it was made just now.
    #[getter]
    fn is_new(&self) -> bool {
        self.is_new
    }

    /// The public keys that sign what is recorded here, each with the agent that it is for, `None`
    /// for all.
    #[getter]
    fn agent_keys(&self) -> Vec<(Option<String>, String)> {
        self.agent_keys.clone()
    }

    /// The id of this process in the log.
    #[getter]
    fn producer_id(&self) -> &str {
        &self.producer
    }
}

/// What `Log.open` says.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Folder {
    data: PathBuf,
    name: String,
    key: (String, String),
    create: bool,
    agent_keys: Vec<KeyAt>,
}

impl Log {
    fn here(wanted: Folder, mode: Mode, context: Py<PyAny>) -> Result<Self, Fault> {
        let Folder { data, name, key: (kind, value), create, agent_keys } = wanted;
        let signers = Signers::load(agent_keys)?;
        let public = signers.public();
        let opened = opening::open(data, &name, KeyPlace { kind, value }, create, signers)?;
        let Opened { folder, kek, keeper, queue, producer, is_new, thread } = opened;
        let lookout = Lookout::new(folder.clone(), Arc::clone(&kek));
        let thread = Mutex::new(Some(thread));
        let place = Here { folder, kek, keeper, lookout, thread };
        let mut log = Self::at(Box::new(place), queue, producer, mode, context);
        (log.is_new, log.agent_keys) = (is_new, public);
        Ok(log)
    }

    fn there(wanted: Wanted, mode: Mode, context: Py<PyAny>) -> Result<Self, Fault> {
        let log = wanted.log.clone();
        let patience = Duration::try_from_secs_f64(wanted.patience)
            .map_err(|error| Fault::usage(format!("patience: {error}")))?;
        let required = if wanted.is_spool_enough { Until::Stored } else { Until::Sealed };
        let is_on_disk = wanted.spool.is_some();
        let Connected { link, outbox, threads } = connecting::connect(wanted)?;
        let (queue, producer) = (Arc::clone(&outbox.queue), Arc::clone(&outbox.producer));
        let threads = Mutex::new(threads);
        let agent_keys = outbox.signers.public();
        let place = There { link, log, outbox, threads, patience, required, is_on_disk };
        let mut log = Self::at(Box::new(place), queue, producer, mode, context);
        log.agent_keys = agent_keys;
        Ok(log)
    }

    fn at(
        place: Box<dyn Place>,
        queue: Arc<Queue>,
        producer: Arc<str>,
        mode: Mode,
        context: Py<PyAny>,
    ) -> Self {
        let (process, identity) = (std::process::id(), OnceLock::new());
        let (is_new, agent_keys) = (false, Vec::new());
        Self { place, queue, producer, identity, mode, process, is_new, agent_keys, context }
    }

    /// Asks when everything recorded so far is in the log.
    fn ask<T: Send>(
        &self,
        py: Python<'_>,
        question: impl Fn(&dyn Place) -> Result<T, Fault> + Sync,
    ) -> PyResult<T> {
        self.is_here()?;
        self.wait_until_settled(py, self.place.patience())?;
        Ok(py.detach(|| question(&*self.place))?)
    }

    /// What the log says of itself, asked once.
    fn identity(&self, py: Python<'_>) -> PyResult<&Identity> {
        if let Some(known) = self.identity.get() {
            return Ok(known);
        }
        let asked = py.detach(|| self.place.identity())?;
        Ok(self.identity.get_or_init(|| asked))
    }

    /// Threads do not survive a fork, and locks may be held for ever there.
    fn is_here(&self) -> Result<(), Fault> {
        if std::process::id() == self.process { Ok(()) } else { Err(Fault::forked()) }
    }

    fn push(
        &self,
        py: Python<'_>,
        mut draft: Draft,
        format: Format,
        mode: Option<&str>,
    ) -> PyResult<Receipt> {
        let mode = mode.map_or(Ok(self.mode), Mode::parse)?;
        let until = self.place.until(mode);
        let slot = until.map(|until| Arc::new(Slot::new(until)));
        let begun = Instant::now();
        loop {
            let bytes = draft.bytes.len();
            draft = match self.queue.push(draft, format, now_ns(), slot.clone()) {
                Ok((id, seq)) => {
                    let patience = self.patience(until, begun);
                    return Ok(Receipt::new(id, Arc::clone(&self.producer), seq, slot, patience));
                }
                Err(NotTaken::Fault(fault)) => return Err(fault.into()),
                Err(NotTaken::Full(draft)) => draft,
            };
            if begun.elapsed() > ROOM_MAX {
                return Err(Fault::full().into());
            }
            py.detach(|| self.queue.wait_for_room(SIGNALS_EVERY, bytes));
            py.check_signals()?;
        }
    }

    /// Who gives up an event that is not in the log by then.
    fn patience(&self, until: Option<Until>, begun: Instant) -> Option<Patience> {
        let outbox = self.place.outbox().filter(|_| until == Some(Until::Sealed))?;
        let ends = begun.checked_add(self.place.patience()?)?;
        Some(Patience { ends, outbox: Arc::clone(outbox) })
    }

    fn wait_until_settled(&self, py: Python<'_>, patience: Option<Duration>) -> PyResult<()> {
        let last = self.queue.last();
        let end = patience.and_then(|it| Instant::now().checked_add(it));
        while !py.detach(|| self.queue.wait_until_settled(last, SIGNALS_EVERY)) {
            py.check_signals()?;
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(Fault::timeout().into());
            }
        }
        Ok(())
    }
}

impl Drop for Log {
    /// Whoever forgets to close a log leaves it closed all the same.
    fn drop(&mut self) {
        if std::process::id() != self.process {
            return;
        }
        // Whoever drops it has the interpreter's lock, and others may want it meanwhile.
        let close = || drop(self.place.close(&self.queue, None));
        if Python::try_attach(|py| py.detach(close)).is_none() {
            close();
        }
    }
}

/// The id of a log in a data folder.
#[pyfunction]
pub(crate) fn log_id(data: PathBuf, name: &str) -> PyResult<String> {
    Ok(opening::folder(&DataFolder::new(data), name)?.identity.log_id)
}

/// Checks a log that nobody need have open.
#[pyfunction]
pub(crate) fn verify(
    py: Python<'_>,
    data: PathBuf,
    name: &str,
    key: (String, String),
    keys: Vec<String>,
    origin: Option<String>,
    since: Option<String>,
) -> PyResult<String> {
    let key = KeyPlace { kind: key.0, value: key.1 };
    let check = || {
        let (folder, kek) = opening::find(data, name, key)?;
        questions::check(&folder, &kek, &keys, origin, since.as_deref())
    };
    Ok(py.detach(check)?)
}

/// The id that a span's first event has in every log, so that events can name it as their parent.
#[pyfunction]
pub(crate) fn span_event_id(trace_id: &str, span_id: &str) -> String {
    capture::span_event_id(trace_id, span_id, "start")
}

/// When an event is recorded: the producer's own claim, not the record time.
#[expect(clippy::disallowed_methods, reason = "a producer's time is its own clock's")]
fn now_ns() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_nanos())
}
