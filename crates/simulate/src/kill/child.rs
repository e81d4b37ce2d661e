//! The process that is killed: the real log with its threads on a real folder, under load until the
//! end.

use super::answer::Answer;
use super::plan::{THREADS, batch};
use super::{kek, options};
use event::{Principal, Scope};
use retain::{Erasure, Policy, RetainError, Selector};
use seal::{Log, Writer};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use store::{DiskFolder, Folder, Reservation};

/// Opens the log at `data`, rotates its signing key when `rotate` says so, erases what `erase`
/// says, and appends until killed, writing each
/// acknowledgement to `answers` once it is there. Thread `t` begins with batch `next[t]`.
///
/// # Errors
/// When the log does not open or an append fails, in words; it never returns otherwise.
pub fn run_victim(
    data: &Path,
    answers: &Path,
    next: &[u64],
    erase: Option<(&str, Scope)>,
    rotate: bool,
) -> Result<(), String> {
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(data));
    let options = options(Reservation::Background);
    let mut writer =
        seal::open(&folder, Arc::new(kek()), options).map_err(|error| error.to_string())?;
    let file = OpenOptions::new().create(true).append(true).open(answers);
    let file = Mutex::new(file.map_err(|error| error.to_string())?);
    let mut out = std::io::stdout();
    writeln!(out, "ready").and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    if rotate {
        let rotated = writer.rotate_keys(Some("killed"), &Principal::default());
        rotated.map_err(|error| error.to_string())?;
    }
    if let Some((session, scope)) = erase {
        remove(&mut writer, session, scope)?;
    }
    let log = Log::start(writer);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let place = usize::try_from(thread).unwrap_or(usize::MAX);
                let first = next.get(place).copied().unwrap_or(0);
                let (log, file) = (&log, &file);
                scope.spawn(move || append_for_ever(log, file, thread, first))
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err("an appending thread panicked".to_owned()))
        })
    })
}

fn remove(writer: &mut Writer, session: &str, scope: Scope) -> Result<(), String> {
    let selector = Selector { session: Some(session.to_owned()), ..Selector::default() };
    let (reason, by) = ("killed".to_owned(), Principal::default());
    let erasure = Erasure { selector, scope, reason, ground: None, by };
    match retain::erase(writer, &erasure, &Policy::default(), 0) {
        Ok(_) | Err(RetainError::Nothing) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn append_for_ever(log: &Log, file: &Mutex<File>, thread: u64, first: u64) -> Result<(), String> {
    for number in first.. {
        let planned = batch(thread, number);
        let events = planned.iter().map(|planned| log.redactor().redact(planned.event()));
        let batch = log.encode(events).map_err(|error| error.to_string())?;
        let receipt = log.append(batch).map_err(|error| error.to_string())?;
        let line = Answer::new(thread, number, receipt).to_line();
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes()).map_err(|error| error.to_string())?;
    }
    Ok(())
}
