//! OTLP requests in JSON: whatever the bytes,
//! a capture gives the same events twice, with the same ids; every event is within the limits and
//! reads back from what is stored; the counts are right.

#![no_main]

use capture::Format;
use fuzz::captured::assert_capture_holds;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| assert_capture_holds(Format::OtlpJson, data));
