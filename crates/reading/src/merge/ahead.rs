//! The rows of one segment, read ahead in a thread of its own: rebuilding records from columns is
//! most of the work of a check, and the segments of the tiers lie side by side.
//!
//! Not here: whose row comes next (`merge.rs`).

use segment::{Examination, Examined, Row, SegmentError};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::vec;

/// What an examination has at one place.
pub(super) type Found = Result<Examined, SegmentError>;

/// Rows handed over at a time, and their bytes.
const CHUNK_ROWS: usize = 256;
const CHUNK_BYTES: usize = 1 << 20;

/// Handfuls that wait to be taken: fewer, and each thread waits for the other too often.
const HANDFULS_AHEAD: usize = 6;

/// An examination that another thread is some handfuls ahead with.
pub(super) struct Ahead {
    inbox: Receiver<Handful>,
    found: vec::IntoIter<Found>,
    /// Until its last handful was taken.
    thread: Option<JoinHandle<()>>,
}

/// Some rows; `is_last` where nothing follows.
struct Handful {
    found: Vec<Found>,
    is_last: bool,
}

impl Ahead {
    /// Begins to read; the thread ends with the rows, or when this value goes away. Where there is
    /// no thread to be had, the rows are read by whoever asks for them.
    pub(super) fn of(rows: Examination) -> Box<dyn Iterator<Item = Found> + Send> {
        let (outbox, inbox) = sync_channel(HANDFULS_AHEAD);
        let (give, take) = channel::<Examination>();
        let read = move || take.into_iter().for_each(|rows| hand_over(rows, &outbox));
        let Ok(thread) = Builder::new().name("tacho-ahead".to_owned()).spawn(read) else {
            return Box::new(rows);
        };
        // It waits for nothing else.
        drop(give.send(rows));
        Box::new(Self { inbox, found: Vec::new().into_iter(), thread: Some(thread) })
    }
}

impl Iterator for Ahead {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.found.next() {
                return Some(found);
            }
            match (self.inbox.recv(), self.thread.take()) {
                (Ok(Handful { found, is_last }), thread) => {
                    self.found = found.into_iter();
                    self.thread = thread.filter(|_| !is_last);
                }
                // It panicked: a fault of this program, which must neither pass for a good end nor
                // for damage.
                (Err(_), Some(thread)) => match thread.join() {
                    Err(panic) => resume_unwind(panic),
                    Ok(()) => return None,
                },
                (Err(_), None) => return None,
            }
        }
    }
}

/// Reads to the end, or until nobody wants more.
fn hand_over(mut rows: Examination, outbox: &SyncSender<Handful>) {
    loop {
        let (mut found, mut bytes, mut is_last) = (Vec::with_capacity(CHUNK_ROWS), 0, false);
        while found.len() < CHUNK_ROWS && bytes < CHUNK_BYTES && !is_last {
            match rows.next() {
                Some(next) => {
                    bytes += size(&next);
                    found.push(next);
                }
                None => is_last = true,
            }
        }
        if outbox.send(Handful { found, is_last }).is_err() || is_last {
            return;
        }
    }
}

fn size(found: &Found) -> usize {
    let of_row = |row: &Row| row.meta.len() + row.content.bytes().len();
    match found {
        Ok(Examined::Row { row, .. }) => of_row(row),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_a_fault_is_handed_out_and_the_fault_is_passed_on() {
        let (outbox, inbox) = sync_channel(1);
        let rows = vec![Err(SegmentError::Damaged("first".to_owned()))];
        let thread = std::thread::spawn(move || {
            outbox.send(Handful { found: rows, is_last: false }).unwrap();
            panic!("a fault of this program");
        });
        let mut ahead = Ahead { inbox, found: Vec::new().into_iter(), thread: Some(thread) };
        assert!(ahead.next().unwrap().unwrap_err().to_string().contains("first"));
        let fault =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ahead.next().is_some()));
        assert_eq!(fault.unwrap_err().downcast_ref(), Some(&"a fault of this program"));
    }
}
