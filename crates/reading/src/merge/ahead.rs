//! The rows of one segment, read ahead in a thread of its own: rebuilding records from columns is
//! most of the work of a check, and the segments of the tiers lie side by side.
//!
//! Not here: whose row comes next (`merge.rs`).

use segment::{Examination, Examined, Row, SegmentError};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
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
    has_ended: bool,
}

/// Some rows; `is_last` where nothing follows.
struct Handful {
    found: Vec<Found>,
    is_last: bool,
}

impl Ahead {
    /// Begins to read; the thread ends with the rows, or when this value goes away.
    pub(super) fn of(rows: Examination) -> Self {
        let (outbox, inbox) = sync_channel(HANDFULS_AHEAD);
        std::thread::spawn(move || hand_over(rows, &outbox));
        Self { inbox, found: Vec::new().into_iter(), has_ended: false }
    }
}

impl Iterator for Ahead {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.found.next() {
                return Some(found);
            }
            if self.has_ended {
                return None;
            }
            match self.inbox.recv() {
                Ok(Handful { found, is_last }) => {
                    self.found = found.into_iter();
                    self.has_ended = is_last;
                }
                // It panicked: a fault of this program, which must not pass for a good end.
                Err(_) => {
                    self.has_ended = true;
                    let why = "reading it ended in a fault of this program".to_owned();
                    return Some(Err(SegmentError::Damaged(why)));
                }
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
    fn a_thread_that_stops_without_an_end_is_an_error_told_once() {
        let (outbox, inbox) = sync_channel(1);
        let rows = vec![Err(SegmentError::Damaged("first".to_owned()))];
        outbox.send(Handful { found: rows, is_last: false }).unwrap();
        drop(outbox);
        let ahead = Ahead { inbox, found: Vec::new().into_iter(), has_ended: false };
        let told: Vec<String> = ahead.map(|found| found.unwrap_err().to_string()).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("first"), "{told:?}");
        assert!(told[1].contains("a fault of this program"), "{told:?}");
    }
}
