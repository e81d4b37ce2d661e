//! `log.json`: what is read, written and read again is the same; the id is 16 bytes or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seal::{FORMAT_VERSION, Identity};

fuzz_target!(|data: &[u8]| {
    let Ok(identity) = Identity::parse(data) else { return };
    assert_eq!(identity.format, FORMAT_VERSION);
    assert_eq!(Identity::parse(&identity.to_bytes()).as_ref().ok(), Some(&identity));
    if let Ok(id) = identity.id() {
        let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(digits.eq_ignore_ascii_case(&identity.log_id));
    }
});
