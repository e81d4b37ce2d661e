//! Bundles of evidence: one that holds has one spelling, and shows of the log exactly what it
//! committed to; whatever it says, what the page shows of it is told without a panic.

#![no_main]

use fuzz::sample_log::{ORIGIN, SampleLog, trust};
use libfuzzer_sys::fuzz_target;
use prove::{Trust, Verdict, check_page, verify_bundle};
use std::sync::LazyLock;

static LOG: LazyLock<(SampleLog, Trust)> = LazyLock::new(|| (SampleLog::of_session(3), trust()));

fuzz_target!(|data: &[u8]| {
    let (log, trust) = &*LOG;
    let checked = verify_bundle(data, trust);
    let _ = verify_bundle(data, &Trust::default());
    let _ = check_page(data, "");
    if checked.report.verdict() != Verdict::Ok {
        return;
    }
    let bundle = checked.bundle.expect("what holds reads");
    assert_eq!(bundle.to_json().as_bytes(), data);
    assert_eq!(bundle.origin, ORIGIN);
    for record in &bundle.records {
        let index = usize::try_from(record.index).expect("a small log");
        let sealed = log.records()[index];
        let Some(shown) = &record.record else { continue };
        assert_eq!(shown.meta.as_bytes(), sealed.meta);
        if let Some(content) = &shown.content {
            assert_eq!(content.as_bytes(), sealed.content);
        }
    }
    assert_eq!(bundle.count().as_ref(), Ok(&bundle.figures));
});
