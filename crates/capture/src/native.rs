//! Our own events: NDJSON files, and request bodies that are an object, an array or NDJSON.
//!
//! The hot path: every event borrows from the bytes. What an event is, is `event`'s.

use crate::CaptureError;
use crate::lines::{lines, without_byte_order_mark};
use crate::sink::Sink;
use event::{Event, Order, limits};
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// One event a line.
pub(crate) fn capture<'a>(bytes: &'a [u8], sink: &mut Sink<'_, 'a>) {
    let mut order = Order::default();
    for (number, line) in lines(bytes) {
        sink.begin(number);
        take(line, &mut order, sink);
    }
}

/// One object, an array of objects, or NDJSON, told apart by the bytes.
pub(crate) fn capture_body<'a>(
    bytes: &'a [u8],
    sink: &mut Sink<'_, 'a>,
) -> Result<(), CaptureError> {
    let body = without_byte_order_mark(bytes).trim_ascii();
    match body.first() {
        Some(b'[') => capture_array(body, sink),
        Some(b'{') if is_one_object(body) => {
            sink.begin(1);
            take(body, &mut Order::default(), sink);
            Ok(())
        }
        _ => {
            capture(bytes, sink);
            Ok(())
        }
    }
}

fn take<'a>(bytes: &'a [u8], order: &mut Order, sink: &mut Sink<'_, 'a>) {
    sink.read(|| Event::from_json_after(bytes, order));
}

/// True for one object and nothing after it. A broken object that was laid out over several lines
/// counts too, so that it makes one refusal and not one a line.
fn is_one_object(body: &[u8]) -> bool {
    let first_line = body.split(|byte| *byte == b'\n').next().unwrap_or(body).trim_ascii();
    if first_line.len() == body.len() || first_line == b"{" {
        return true;
    }
    serde_json::from_slice::<&RawValue>(body).is_ok()
}

fn capture_array<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Result<(), CaptureError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let items = deserializer
        .deserialize_seq(Items)
        .and_then(|items| deserializer.end().map(|()| items))
        .map_err(|error| CaptureError::NotJson { reason: error.to_string() })?;
    let mut order = Order::default();
    for item in items {
        sink.begin_next();
        take(item.get().as_bytes(), &mut order, sink);
    }
    Ok(())
}

/// The elements of an array, at most a batch of them, so that the list cannot outgrow its bytes.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element::<&RawValue>()? {
            if items.len() == limits::BATCH_EVENTS_MAX {
                let max = limits::BATCH_EVENTS_MAX;
                return Err(A::Error::custom(format!(
                    "more than {max} events; send several batches"
                )));
            }
            items.push(item);
        }
        Ok(items)
    }
}
