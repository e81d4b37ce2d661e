//! Evidence documents: one that is found in order says about its record exactly what the log
//! committed to; what is read, written and read again is the same; withholding the content keeps
//! the verdict.

#![no_main]

use fuzz::sample_log::{ORIGIN, SampleLog, trust};
use libfuzzer_sys::fuzz_target;
use prove::{Evidence, Trust, Verdict, verify_evidence};
use std::sync::LazyLock;

static LOG: LazyLock<(SampleLog, Trust)> = LazyLock::new(|| (SampleLog::new(5), trust()));

fuzz_target!(|data: &[u8]| {
    let (log, trust) = &*LOG;
    let report = verify_evidence(data, trust);
    let _ = verify_evidence(data, &Trust::default());
    let Ok(evidence) = Evidence::from_json(data) else {
        assert_ne!(report.verdict(), Verdict::Ok);
        return;
    };
    assert_eq!(Evidence::from_json(evidence.to_json().as_bytes()).as_ref(), Ok(&evidence));
    let checked = evidence.check(trust);
    assert_eq!(checked.is_ok(), report.verdict() == Verdict::Ok);
    let Ok(proven) = checked else { return };
    let index = usize::try_from(proven.index).expect("a small log");
    assert_eq!((evidence.origin.as_str(), evidence.index), (ORIGIN, proven.index));
    assert_eq!(proven.entry, log.entries[index]);
    let record = log.records()[index];
    assert_eq!(evidence.record.meta.as_bytes(), record.meta);
    if let Some(content) = &evidence.record.content {
        assert_eq!(content.as_bytes(), record.content);
    }
    let withheld = evidence.without_content().expect("it was checked").check(trust);
    assert_eq!(withheld.expect("the metadata is still proved").entry, proven.entry);
});
