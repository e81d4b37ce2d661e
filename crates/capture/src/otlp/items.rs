//! How many structures a record would be decoded into, counted before it is: the smallest takes two
//! bytes on the wire and a hundred in memory.
//!
//! The tags are those of opentelemetry-proto 1.x (`trace.proto`, `logs.proto`, `common.proto`).

use super::wire::Fields;

/// What a message is, as far as its parts can repeat.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A span.
    Span,
    /// A log record.
    Log,
    /// An event or a link of a span; its attributes have this tag.
    Part(u32),
    /// A key and a value.
    Pair,
    /// A value.
    Any,
    /// A list of values.
    Values,
    /// A list of keys and values.
    Pairs,
}

impl Kind {
    /// What a field of it is, if it is a message that can repeat or holds such.
    fn field(self, tag: u32) -> Option<Self> {
        match (self, tag) {
            (Self::Span, 9) | (Self::Log, 6) | (Self::Pairs, 1) => Some(Self::Pair),
            (Self::Span, 11) => Some(Self::Part(3)),
            (Self::Span, 13) => Some(Self::Part(4)),
            (Self::Part(attributes), tag) if attributes == tag => Some(Self::Pair),
            (Self::Log, 5) | (Self::Pair, 2) | (Self::Values, 1) => Some(Self::Any),
            (Self::Any, 5) => Some(Self::Values),
            (Self::Any, 6) => Some(Self::Pairs),
            _ => None,
        }
    }
}

/// Whether a record holds more than `max` of them; a break is for the decoder to tell.
pub(crate) fn are_more_than(max: usize, record: &[u8], kind: Kind) -> bool {
    let (mut waiting, mut count) = (vec![(record, kind)], 0);
    while let Some((message, kind)) = waiting.pop() {
        for (tag, field) in Fields::new(message).map_while(Result::ok) {
            let Some(part) = kind.field(tag) else { continue };
            count += 1;
            if count > max {
                return true;
            }
            waiting.push((field, part));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
    use opentelemetry_proto::tonic::logs::v1::LogRecord;
    use opentelemetry_proto::tonic::trace::v1::{Span, span};
    use prost::Message as _;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn pairs(count: usize) -> Vec<KeyValue> {
        vec![KeyValue::default(); count]
    }

    #[test]
    fn whatever_repeats_is_counted_wherever_it_stands() {
        let list = |value| vec![KeyValue { value: Some(any(value)), ..KeyValue::default() }];
        let values = Value::ArrayValue(ArrayValue { values: vec![AnyValue::default(); 1_000] });
        let inner = Value::KvlistValue(KeyValueList { values: pairs(1_000) });
        let event = span::Event { attributes: pairs(1_000), ..span::Event::default() };
        let link = span::Link { attributes: pairs(1_000), ..span::Link::default() };
        for span in [
            Span { attributes: pairs(1_000), ..Span::default() },
            Span { events: vec![span::Event::default(); 1_000], ..Span::default() },
            Span { links: vec![span::Link::default(); 1_000], ..Span::default() },
            Span { events: vec![event], ..Span::default() },
            Span { links: vec![link], ..Span::default() },
            Span { attributes: list(values.clone()), ..Span::default() },
            Span { attributes: list(inner), ..Span::default() },
        ] {
            let bytes = span.encode_to_vec();
            assert!(are_more_than(999, &bytes, Kind::Span), "{span:?}");
            assert!(!are_more_than(1_010, &bytes, Kind::Span), "{span:?}");
        }
        let log = LogRecord { body: Some(any(values)), ..LogRecord::default() };
        assert!(are_more_than(999, &log.encode_to_vec(), Kind::Log));
        assert!(!are_more_than(0, b"\xff\xff\xff", Kind::Log), "what is broken is not counted");
    }
}
