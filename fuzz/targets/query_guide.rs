//! What is kept in `cache/`, decrypted: filters of ids and words. What reads writes the same bytes
//! again, and whatever it holds, it leads to no page that the segment does not have.
//!
//! Input: a byte that says which, then the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use segment::{IdFilters, IdKind};

const PAGES: u32 = 8;

const QUESTIONS: [&str; 7] =
    ["quokka", "\"okka zan\"", "R000042", "ORD-12345", "3f2a9c1b", "12345600", "zürich ab12c"];

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else { return };
    if which % 2 == 0 {
        for question in QUESTIONS {
            let Some((written, named)) = query::ask_guide(PAGES, bytes, question) else { return };
            assert_eq!(written, bytes, "a guide writes other bytes than it was read from");
            assert!(named.is_none_or(|pages| pages <= PAGES), "a page that is not there");
        }
    } else if let Ok(filters) = IdFilters::from_bytes(bytes) {
        assert_eq!(filters.to_bytes(), bytes, "filters write other bytes than they were read from");
        for kind in IdKind::ALL {
            for hash in [0, 1, u64::MAX, 0x9e37_79b9_7f4a_7c15] {
                assert!(filters.may_hold(kind, hash).all(|group| group < filters.groups()));
            }
        }
    }
});
