//! Whole logs with one thing changed: any bytes in the place of a part of one public file, or of
//! the decrypted frame. The check never panics, and finds the log in order only if what it says is
//! what was written.
//!
//! Input: a byte that chooses the log, one for the file, two for the place, two for how many bytes
//! are taken out, then the bytes that come in.

#![no_main]

use event::Record;
use fuzz::sample_log::{ORIGIN, OneFrame, SampleLog, records_of, trust};
use libfuzzer_sys::fuzz_target;
use prove::{Records, Trust, Verdict, verify_log};
use std::sync::LazyLock;

static LOGS: LazyLock<([SampleLog; 3], Trust)> =
    LazyLock::new(|| ([1, 7, 258].map(SampleLog::new), trust()));

fuzz_target!(|data: &[u8]| {
    let Some((head, bytes)) = data.split_first_chunk::<6>() else { return };
    let (logs, trust) = &*LOGS;
    let log = &logs[usize::from(head[0]) % logs.len()];
    let with_records = head[0] < 128;
    let choices = log.files.len() + usize::from(with_records);
    let chosen = usize::from(head[1]) % choices;
    let at = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let out = usize::from(u16::from_be_bytes([head[4], head[5]]));
    let (mut files, mut payload) = (log.files.clone(), log.payload.clone());
    let changed = match files.values_mut().nth(chosen) {
        Some(file) => file,
        None => &mut payload,
    };
    let from = at.min(changed.len());
    changed.splice(from..from.saturating_add(out).min(changed.len()), bytes.iter().copied());

    let count = log.entries.len() as u64;
    let is_public_whole = files == log.files;
    let mut frame = OneFrame::new(&payload, count);
    let records = with_records.then_some(&mut frame as &mut dyn Records);
    let report = verify_log(&mut files, records, ORIGIN, trust, None, &mut |_| {});
    assert_eq!(report.findings().is_empty(), report.verdict() == Verdict::Ok);
    let is_whole = is_public_whole && (!with_records || is_same(&payload, &log.payload));
    assert_eq!(report.verdict() == Verdict::Ok, is_whole);
});

/// Whether two payloads hold the same records; the salt of a content that is not there is no part
/// of it.
fn is_same(payload: &[u8], original: &[u8]) -> bool {
    let records = |bytes| {
        let plain = |record: Record<'_>| {
            let salt = if record.content.is_empty() { [0; 16] } else { record.content_salt };
            let mut bytes = Vec::new();
            Record { content_salt: salt, ..record }.encode(&mut bytes);
            bytes
        };
        records_of(bytes).map(|records| records.into_iter().map(plain).collect::<Vec<_>>())
    };
    payload.get(..32) == original.get(..32) && records(payload) == records(original)
}
