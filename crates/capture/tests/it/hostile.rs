//! Bytes that nobody meant well: no format panics, overflows the stack, or takes memory by a count.

use super::{FORMATS_OF_FILES, events, refusals, testdata};
use capture::{CaptureError, Format, capture, capture_body};
use event::{Assurance, Code, limits};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use proptest::prelude::*;
use prost::Message;

fn try_all(bytes: &[u8]) {
    for format in Format::ALL {
        let mut count = 0_u64;
        let summary = capture(*format, Assurance::Imported, bytes, &mut |_| count += 1);
        if let Ok(summary) = summary {
            assert_eq!(summary.events + summary.refused, count, "{}", format.as_str());
        }
    }
    let _ = capture_body(Assurance::Imported, bytes, &mut |one| drop(one));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        try_all(&bytes);
    }

    #[test]
    fn arbitrary_text_in_the_shape_of_a_line_never_panics(text in "\\PC{0,60}", key in "[a-z_.]{0,12}") {
        try_all(text.as_bytes());
        try_all(format!("{{\"kind\":{text:?},\"event_type\":{text:?},\"{key}\":[{text:?}]}}").as_bytes());
        try_all(format!("{text} - a - {{\"event\":{text:?},\"data\":{{{text:?}:1}}}}").as_bytes());
    }

    #[test]
    fn damaged_recordings_never_panic(
        file in 0..FORMATS_OF_FILES.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (format, path) = FORMATS_OF_FILES[file];
        let mut bytes = testdata(path);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = capture(format, Assurance::Imported, &bytes, &mut |one| drop(one));
        let beginning = &bytes[..cut.index(bytes.len())];
        let _ = capture(format, Assurance::Imported, beginning, &mut |one| drop(one));
    }

    #[test]
    fn arbitrary_attributes_of_a_span_are_kept_and_valid(
        list in proptest::collection::vec(("[a-z_.0-9]{0,20}", any::<i64>()), 0..12),
        name in "\\PC{0,20}",
    ) {
        let attribute = |(key, value): &(String, i64)| pair(key, Some(Any::IntValue(*value)));
        let attributes = list.iter().map(attribute).collect();
        let bytes = request(vec![Span { name, attributes, ..plain(1) }]);
        for event in events(Format::OtlpTracesProtobuf, &bytes) {
            event.check().expect("valid");
            let text = super::content(&event);
            for (_, value) in &list {
                prop_assert!(text.contains(&value.to_string()));
            }
        }
    }
}

fn pair(key: &str, value: Option<Any>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
}

fn plain(id: u8) -> Span {
    Span { trace_id: vec![1; 16], span_id: vec![id; 8], ..Span::default() }
}

fn request(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    TracesData { resource_spans }.encode_to_vec()
}

/// An attribute nested this deep, in bytes: encoding it as a message would itself overflow the
/// stack.
fn nested(levels: usize) -> Vec<u8> {
    let mut value = AnyValue { value: Some(Any::IntValue(7)) }.encode_to_vec();
    for _ in 0..levels {
        // AnyValue.array_value (5) of ArrayValue.values (1).
        for tag in [0x0a, 0x2a] {
            let mut outer = vec![tag];
            prost::encoding::encode_varint(value.len() as u64, &mut outer);
            outer.append(&mut value);
            value = outer;
        }
    }
    value
}

fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![tag << 3 | 2];
    prost::encoding::encode_varint(bytes.len() as u64, &mut field);
    field.extend_from_slice(bytes);
    field
}

#[test]
fn a_bottomless_value_costs_only_its_own_span() {
    let mut deep = plain(2).encode_to_vec();
    deep.extend(field(9, &[field(1, b"k"), field(2, &nested(2_000))].concat()));
    let spans =
        [field(2, &plain(1).encode_to_vec()), field(2, &deep), field(2, &plain(3).encode_to_vec())];
    let bytes = field(1, &field(2, &spans.concat()));
    assert_eq!(events(Format::OtlpTracesProtobuf, &bytes).len(), 2);
    let refused = refusals(Format::OtlpTracesProtobuf, &bytes);
    assert_eq!((refused[0].0, refused[0].1.code), (2, Code::BadValue));
    // What prost still reads fits the nesting of an event.
    let mut shallow = plain(2).encode_to_vec();
    shallow.extend(field(9, &[field(1, b"k"), field(2, &nested(40))].concat()));
    assert_eq!(
        events(Format::OtlpTracesProtobuf, &field(1, &field(2, &field(2, &shallow)))).len(),
        1
    );
}

#[test]
fn bottomless_json_is_an_error_and_no_overflow() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for format in Format::ALL {
        let _ = capture(*format, Assurance::Imported, deep.as_bytes(), &mut |one| drop(one));
    }
    let line = format!("{{\"kind\":\"k\",\"x\":{deep}}}");
    assert_eq!(refusals(Format::Ag2Audit, line.as_bytes())[0].1.code, Code::TooDeep);
}

#[test]
fn many_empty_spans_take_no_memory_each() {
    // Two bytes a span: a million of them in two megabytes, refused one at a time.
    let bytes = field(1, &field(2, &[0x12, 0x00].repeat(1_000_000)));
    let mut refused = 0_u64;
    let summary = capture(Format::OtlpTracesProtobuf, Assurance::Observed, &bytes, &mut |one| {
        refused += u64::from(one.outcome.is_err());
    });
    assert_eq!(summary.map(|summary| summary.refused), Ok(refused));
    assert_eq!(refused, 1_000_000);
}

#[test]
fn a_span_that_is_too_large_is_refused_and_the_next_is_read() {
    let values = vec![AnyValue::default(); limits::EVENT_BYTES_MAX + 1];
    let large = Span {
        attributes: vec![pair("k", Some(Any::ArrayValue(ArrayValue { values })))],
        ..plain(1)
    };
    let bytes = request(vec![large, plain(2)]);
    let refused = &refusals(Format::OtlpTracesProtobuf, &bytes)[0].1;
    assert_eq!(refused.code, Code::TooLarge);
    // Refused before it was decoded: by the limit of a record, not by the one of an event.
    assert!(refused.reason.contains("2097152"), "{refused}");
    assert_eq!(events(Format::OtlpTracesProtobuf, &bytes).len(), 1);
}

#[test]
fn a_broken_frame_is_an_error_after_what_stood_before_it() {
    let mut bytes = request(vec![plain(1)]);
    bytes.extend([0x0a, 0x7f]);
    let mut count = 0;
    let error =
        capture(Format::OtlpTracesProtobuf, Assurance::Observed, &bytes, &mut |_| count += 1);
    assert!(matches!(error, Err(CaptureError::BrokenProtobuf { .. })));
    assert_eq!(count, 1);
}

#[test]
fn json_that_is_no_request_is_an_error() {
    let read = |text: &str| {
        capture(Format::OtlpJson, Assurance::Observed, text.as_bytes(), &mut |_| {}).err()
    };
    assert_eq!(read("{\"a\":1}"), Some(CaptureError::NotOtlp));
    assert_eq!(read("[]"), Some(CaptureError::NotOtlp));
    assert!(matches!(read("nonsense"), Some(CaptureError::NotJson { .. })));
    assert_eq!(read("{}"), None);
}
