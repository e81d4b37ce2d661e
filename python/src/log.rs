//! The class that `tachograph.Log` extends: recording, waiting, asking, closing.

use crate::fault::Fault;
use crate::json::{self, Draft};
use crate::keeper::Keeper;
use crate::opening::{self, KeyPlace, Opened};
use crate::questions;
use crate::queue::{NotTaken, Queue};
use crate::receipt::{Receipt, Slot};
use capture::Format;
use keys::Kek;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use reading::{DataFolder, LogFolder, Lookout};
use seal::SealError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long an event waits for room in the queue before it is refused.
const ROOM_MAX: Duration = Duration::from_secs(30);
/// How often somebody who waits looks whether a signal came.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// When `record` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// At once: what is in memory when the process is killed is lost, and counted.
    Buffered,
    /// When the event is on disk.
    Durable,
    /// When the event is on disk; what it announces must not be done before, nor without it.
    Required,
}

impl Mode {
    fn parse(name: &str) -> Result<Self, Fault> {
        match name {
            "buffered" => Ok(Self::Buffered),
            "durable" => Ok(Self::Durable),
            "required" => Ok(Self::Required),
            _ => Err(Fault::usage(format!(
                "{name:?} is no mode; choose 'buffered', 'durable' or 'required'"
            ))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Buffered => "buffered",
            Self::Durable => "durable",
            Self::Required => "required",
        }
    }
}

/// A log open in this process.
#[pyclass(module = "tachograph._native", subclass, frozen)]
pub(crate) struct Log {
    folder: LogFolder,
    kek: Arc<Kek>,
    keeper: Arc<Keeper>,
    queue: Arc<Queue>,
    producer: Arc<str>,
    lookout: Lookout,
    thread: Mutex<Option<JoinHandle<Result<(), SealError>>>>,
    mode: Mode,
    /// The process that opened it: threads do not survive a fork.
    process: u32,
    is_new: bool,
    /// The `ContextVar` with the fields of the context.
    context: Py<PyAny>,
}

#[pymethods]
impl Log {
    #[new]
    #[pyo3(signature = (*, data, name, key, create, mode, context))]
    fn new(
        py: Python<'_>,
        data: PathBuf,
        name: &str,
        key: (String, String),
        create: bool,
        mode: &str,
        context: Py<PyAny>,
    ) -> PyResult<Self> {
        let mode = Mode::parse(mode)?;
        let key = KeyPlace { kind: key.0, value: key.1 };
        let opened = py.detach(|| opening::open(data, name, key, create))?;
        let Opened { folder, kek, keeper, queue, producer, is_new, thread } = opened;
        Ok(Self {
            lookout: Lookout::new(folder.clone(), Arc::clone(&kek)),
            folder,
            kek,
            keeper,
            queue,
            producer,
            thread: Mutex::new(Some(thread)),
            mode,
            process: std::process::id(),
            is_new,
            context,
        })
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

    /// Waits until everything recorded so far is in the log.
    #[pyo3(signature = (timeout=None))]
    fn flush(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.is_here()?;
        self.wait_until_settled(py, timeout)
    }

    /// Publishes a checkpoint that covers everything recorded so far, and returns it.
    fn publish(&self, py: Python<'_>) -> PyResult<String> {
        self.is_here()?;
        self.wait_until_settled(py, None)?;
        let note = py.detach(|| self.keeper.writer().and_then(|log| log.publish()));
        Ok(note.map_err(Fault::from)?.to_string())
    }

    /// Seals what waits, and closes the log. A second time does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if std::process::id() != self.process {
            return Ok(());
        }
        let closed = py.detach(|| {
            self.queue.close();
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            thread.map_or(Ok(()), |it| it.join().unwrap_or(Err(SealError::Closed)))
        });
        Ok(closed.map_err(Fault::from)?)
    }

    fn _events(&self, py: Python<'_>, question: &str) -> PyResult<(String, u64)> {
        self.publish(py)?;
        Ok(py.detach(|| questions::events(&self.lookout, question))?)
    }

    fn _trace(&self, py: Python<'_>, id: &str) -> PyResult<Option<String>> {
        self.publish(py)?;
        Ok(py.detach(|| questions::trace(&self.lookout, id))?)
    }

    fn _proof(&self, py: Python<'_>, index: u64) -> PyResult<String> {
        self.publish(py)?;
        Ok(py.detach(|| questions::proof(&self.lookout, index))?)
    }

    fn _verify(
        &self,
        py: Python<'_>,
        keys: Vec<String>,
        origin: Option<String>,
        since: Option<String>,
    ) -> PyResult<String> {
        self.publish(py)?;
        let check =
            || questions::check(&self.folder, &self.kek, &keys, origin.clone(), since.as_deref());
        Ok(py.detach(check)?)
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

    /// The log's folder.
    #[getter]
    fn path(&self) -> PathBuf {
        self.folder.path.clone()
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.folder.identity.name
    }

    /// Its id.
    #[getter]
    fn log_id(&self) -> &str {
        &self.folder.identity.log_id
    }

    /// The origin of its checkpoints.
    #[getter]
    fn origin(&self) -> &str {
        &self.folder.identity.origin
    }

    /// The verifier keys that it began with.
    #[getter]
    fn vkeys(&self) -> Vec<String> {
        self.folder.identity.keys.clone()
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

    /// The id of this process in the log.
    #[getter]
    fn producer_id(&self) -> &str {
        &self.producer
    }
}

impl Log {
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
        let slot = (mode != Mode::Buffered).then(Arc::<Slot>::default);
        let begun = Instant::now();
        loop {
            let bytes = draft.bytes.len();
            draft = match self.queue.push(draft, format, now_ns(), slot.clone()) {
                Ok((id, seq)) => {
                    return Ok(Receipt::new(id, Arc::clone(&self.producer), seq, slot));
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

    fn wait_until_settled(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let last = self.queue.last();
        let patience = timeout.map(|it| Duration::try_from_secs_f64(it).unwrap_or_default());
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
        self.queue.close();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
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
