//! Where a page of an answer begins, as somebody hands it back: what is taken for a cursor has one
//! spelling, and leads to a record that the checkpoint covers or nowhere.

#![no_main]

use libfuzzer_sys::fuzz_target;
use query::{Cursor, Filter};

fuzz_target!(|text: &str| {
    let Ok(cursor) = text.parse::<Cursor>() else { return };
    assert_eq!(cursor.to_string(), text);
    let filter = Filter { text: Some("refund".to_owned()), ..Filter::default() };
    for size in [0, 1, cursor.size(), u64::MAX] {
        if let Ok(index) = cursor.check(size, &filter) {
            assert!(size == cursor.size() && index < size);
            assert_eq!(Cursor::new(size, &filter, index), cursor);
        }
    }
});
