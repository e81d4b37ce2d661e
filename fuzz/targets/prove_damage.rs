//! Damaged frames: every record is either changed or intact, in order; intact ones stand in the
//! payload byte for byte; with one stretch replaced by as many bytes, only records that it touches
//! are changed.
//!
//! Input: a byte for the kind, two for the place, two for the bytes taken out, then what comes in.

#![no_main]

use fuzz::sample_log::SampleLog;
use libfuzzer_sys::fuzz_target;
use prove::which_records_changed;
use std::sync::LazyLock;

static LOG: LazyLock<SampleLog> = LazyLock::new(|| SampleLog::new(9));

const FIRST: u64 = 100;

fuzz_target!(|data: &[u8]| {
    let Some((head, bytes)) = data.split_first_chunk::<5>() else { return };
    let at = usize::from(u16::from_be_bytes([head[1], head[2]]));
    let out = usize::from(u16::from_be_bytes([head[3], head[4]]));
    let log = &*LOG;
    let mut payload = log.payload.clone();
    let from = at % (payload.len() + 1);
    // An odd kind keeps the length.
    let out = if head[0] & 1 == 1 { bytes.len() } else { out };
    let to = from.saturating_add(out).min(payload.len());
    let bytes = if head[0] & 1 == 1 { &bytes[..to - from] } else { bytes };
    payload.splice(from..to, bytes.iter().copied());

    let damage = which_records_changed(FIRST, &log.entries, &payload);
    let mut all: Vec<u64> = damage.changed.iter().chain(&damage.intact).copied().collect();
    assert!(damage.changed.is_sorted() && damage.intact.is_sorted());
    all.sort_unstable();
    let indexes: Vec<u64> = (FIRST..FIRST + log.entries.len() as u64).collect();
    assert_eq!(all, indexes, "every record is one of the two");
    assert_eq!(damage.head, payload.get(..32) != log.payload.get(..32));

    let mut start = 32;
    for (index, record) in indexes.into_iter().zip(log.records()) {
        let is_intact = damage.intact.contains(&index);
        let end = start + 76 + record.meta.len() + record.content.len();
        let stands = |bytes: &[u8]| {
            bytes.is_empty() || payload.windows(bytes.len()).any(|window| window == bytes)
        };
        if is_intact {
            assert!(stands(record.meta) && stands(record.content));
        }
        if payload.len() == log.payload.len() && (to <= start || end <= from) && from < to {
            // What lies in front of the damage is always found.
            assert!(is_intact || from < end, "record {index} was not touched");
        }
        if payload == log.payload {
            assert!(is_intact && !damage.tail);
        }
        start = end;
    }
});
