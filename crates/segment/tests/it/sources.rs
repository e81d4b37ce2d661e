//! Sources that hand out little at a time, or fail.
//!
//! Not here: sources whose bytes changed (`damage`).

use crate::records::{Owned, key, records, written};
use segment::{Projection, Row, Segment, SegmentError, Source};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Hands out at most 100 bytes at a time, and after `good` reads an error.
struct Flaky {
    file: Vec<u8>,
    good: AtomicU64,
}

impl Flaky {
    fn new(file: Vec<u8>, good: u64) -> Self {
        Self { file, good: AtomicU64::new(good) }
    }
}

impl Source for Flaky {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = |good: u64| good.checked_sub(1);
        if self.good.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_err() {
            return Err(io::Error::other("the disk is on fire"));
        }
        let length = buffer.len().min(100);
        self.file.read_at(offset, &mut buffer[..length])
    }
}

#[test]
fn short_reads_give_the_same_rows() {
    let records = records(50);
    let segment = Segment::open(Flaky::new(written(&records), u64::MAX), &key()).unwrap();
    let read: Vec<Row> = segment.rows(.., Projection::All).unwrap().map(Result::unwrap).collect();
    assert_eq!(read, records.iter().map(Owned::row).collect::<Vec<_>>());
}

#[test]
fn a_failing_source_is_not_taken_for_damage() {
    let file = written(&records(50));
    let mut failures = 0;
    for good in (0..u64::MAX).step_by(13) {
        let source = Arc::new(Flaky::new(file.clone(), good));
        let read = Segment::open(Arc::clone(&source), &key()).and_then(|segment| {
            segment.rows(.., Projection::All)?.collect::<Result<Vec<Row>, _>>()
        });
        match read {
            Ok(_) => break,
            Err(SegmentError::Read(error)) => assert_eq!(error.to_string(), "the disk is on fire"),
            Err(other) => panic!("after {good} reads: {other}"),
        }
        let source = Flaky::new(file.clone(), good);
        let verified =
            Segment::open(source, &key()).and_then(|segment| segment.verify(|_| None, |_| ()));
        assert!(matches!(verified, Err(SegmentError::Read(_))), "{verified:?}");
        failures += 1;
    }
    assert!(failures > 10, "{failures}");
}
