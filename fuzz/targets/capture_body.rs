//! Request bodies of our own events (object, array or lines): a body gives the same events twice;
//! one that is refused as a whole gives none; every event reads back from what is stored.

#![no_main]

use fuzz::captured::assert_body_holds;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| assert_body_holds(data));
