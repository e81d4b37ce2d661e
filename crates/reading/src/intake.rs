//! Lines of native JSON on their way into a batch: capture, redact, encode, on as many cores as are
//! idle.

use capture::Format;
use event::{Assurance, EventError};
use seal::{Batch, Log, SealError};

/// Lines from this many bytes on are worth a second core: starting a thread costs what 20 events
/// cost.
const SPLIT_BYTES_MIN: usize = 128 << 10;

/// What became of lines so far: those that were refused, and the batch of the others.
#[derive(Default)]
pub struct Intake {
    /// Every line that held something, in order: its number from 1, and why it was refused.
    pub lines: Vec<(u64, Option<Box<EventError>>)>,
    /// The events of the lines that were not refused, in order.
    pub batch: Batch,
}

/// Captures, redacts and encodes newline-separated events; `first` is the number of the first line.
/// The caller holds one permit of the log.
///
/// # Errors
/// [`SealError::Entropy`].
pub fn take_in(log: &Log, bytes: &[u8], first: u64) -> Result<Intake, SealError> {
    let middle = bytes.len() / 2;
    let split =
        memchr::memchr(b'\n', bytes.get(middle..).unwrap_or_default()).map(|at| middle + at + 1);
    let Some(split) = split.filter(|_| bytes.len() >= SPLIT_BYTES_MIN && log.is_quiet()) else {
        return take_in_here(log, bytes, first);
    };
    let (head, rest) = bytes.split_at(split);
    let rest_first = first + memchr::memchr_iter(b'\n', head).count() as u64;
    std::thread::scope(|scope| {
        let rest = scope.spawn(move || take_in_here(log, rest, rest_first));
        let mut intake = take_in_here(log, head, first)?;
        let rest = rest.join().unwrap_or(Err(SealError::Closed))?;
        intake.lines.extend(rest.lines);
        intake.batch.extend(rest.batch);
        Ok(intake)
    })
}

fn take_in_here(log: &Log, bytes: &[u8], first: u64) -> Result<Intake, SealError> {
    let mut lines = Vec::with_capacity(bytes.len() / 512);
    let mut encoder = log.encoder(bytes.len());
    let mut encoded = Ok(());
    // Native lines have no envelope that could be broken as a whole.
    let _ = capture::capture(Format::Native, Assurance::Acknowledged, bytes, &mut |captured| {
        let number = first + captured.line - 1;
        match captured.outcome {
            Ok(event) => {
                lines.push((number, None));
                if encoded.is_ok() {
                    encoded = encoder.push(log.redactor().redact(event));
                }
            }
            Err(error) => lines.push((number, Some(Box::new(error)))),
        }
    });
    encoded?;
    Ok(Intake { lines, batch: encoder.finish() })
}
