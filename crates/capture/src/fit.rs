//! Makes a mapped event fit the limits without losing anything: what is too long for a metadata
//! field is cut there and kept whole in the attributes.
//!
//! Native events do not come here: their producer can correct them, so they are refused instead.

use event::{Code, Event, EventError, Json, Text, limits, types};
use std::borrow::Cow;

/// The prefix of types that would otherwise claim the log's own namespace.
const FOREIGN_PREFIX: &str = "otel.";

/// Cuts and cleans metadata; refuses only an event that is too large as a whole.
pub(crate) fn fit(mut event: Event<'_>) -> Result<Event<'_>, EventError> {
    event.remove_empty_texts();
    // As in our own events, null says that there is nothing; stored, it would read back as absent.
    event.content.parts.retain(|(_, json)| json.as_str() != "null");
    fit_type(&mut event);
    fit_texts(&mut event);
    if let Some(id) = event.event_id.take() {
        event.event_id = Some(if id.len() > limits::EVENT_ID_BYTES_MAX {
            let derived = event::id::derive("long-id", &[id.as_bytes()]);
            event.content.set_attribute("event_id", Json::string(&id));
            Cow::Owned(derived)
        } else {
            id
        });
    }
    event.confidence = event.confidence.filter(|c| (0.0..=1.0).contains(c));
    event.duration_ms = event.duration_ms.filter(|d| d.is_finite());
    for (name, list) in [("caused_by", &mut event.caused_by), ("tags", &mut event.tags)] {
        let long = |item: &Text<'_>| item.len() > limits::EVENT_ID_BYTES_MAX;
        if list.len() > limits::LIST_ITEMS_MAX || list.iter().any(long) {
            let all: Vec<&str> = list.iter().map(|item| &**item).collect();
            event.content.set_attribute(name, Json::from_value(&all.into()));
            list.retain(|item| !long(item));
            list.truncate(limits::LIST_ITEMS_MAX);
        }
    }
    event.check()?;
    let bytes: usize = event.content.parts.iter().map(|(_, json)| json.as_str().len()).sum();
    let attributes: usize =
        event.content.attributes.iter().map(|(key, json)| key.len() + json.as_str().len()).sum();
    if bytes + attributes > limits::EVENT_BYTES_MAX {
        let reason = format!(
            "{} bytes of content, at most {} are allowed; have the exporter cut large values",
            bytes + attributes,
            limits::EVENT_BYTES_MAX
        );
        return Err(EventError::new(Code::TooLarge, "", reason));
    }
    Ok(event)
}

/// A type without white space, outside the log's namespace, within its limit.
fn fit_type(event: &mut Event<'_>) {
    let bad = |c: char| c.is_ascii_whitespace() || c.is_ascii_control();
    let long = event.event_type.len() > limits::EVENT_TYPE_BYTES_MAX;
    let reserved = event.event_type.starts_with(types::LOG_PREFIX);
    if !long && !reserved && !event.event_type.contains(bad) {
        return;
    }
    let prefix = if reserved { FOREIGN_PREFIX } else { "" };
    let clean = format!("{prefix}{}", event.event_type.replace(bad, "_"));
    event.content.set_attribute("event_type", Json::string(&event.event_type));
    event.event_type = Cow::Owned(cut(&clean, limits::EVENT_TYPE_BYTES_MAX).to_owned());
}

fn fit_texts(event: &mut Event<'_>) {
    let mut whole = Vec::new();
    let mut structured = Vec::new();
    if let Some(model) = &mut event.model {
        structured.extend([
            ("model.name", &mut model.name),
            ("model.provider", &mut model.provider),
            ("model.requested", &mut model.requested),
            ("model.responded", &mut model.responded),
        ]);
    }
    if let Some(producer) = &mut event.producer {
        structured.extend([("producer.id", &mut producer.id), ("producer.sdk", &mut producer.sdk)]);
    }
    for (name, text) in structured {
        if let Some(text) = text.as_mut().filter(|text| text.len() > limits::TEXT_BYTES_MAX) {
            whole.push((name, Json::string(text)));
            *text = Cow::Owned(cut(text, limits::TEXT_BYTES_MAX).to_owned());
        }
    }
    for (name, text) in event.texts_mut() {
        if text.len() > limits::TEXT_BYTES_MAX {
            whole.push((name, Json::string(text)));
            *text = Cow::Owned(cut(text, limits::TEXT_BYTES_MAX).to_owned());
        }
    }
    for (name, json) in whole {
        event.content.set_attribute(name, json);
    }
}

/// The longest start of `text` within `bytes_max` that ends between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters_and_kept_whole_aside() {
        let long = "ü".repeat(limits::TEXT_BYTES_MAX);
        let mut event = Event::new("hub.kind with\nspace");
        event.agent_name = Some(long.clone().into());
        event.event_id = Some("i".repeat(200).into());
        let event = fit(event).unwrap();
        assert_eq!(event.event_type, "hub.kind_with_space");
        assert_eq!(event.agent_name.unwrap().len(), limits::TEXT_BYTES_MAX);
        assert_eq!(event.content.attribute("agent_name").unwrap().to_text().unwrap(), long);
        assert_eq!(event.event_id.unwrap().len(), 36);
    }

    #[test]
    fn long_lists_models_and_producers_are_cut_and_kept_whole_aside() {
        let mut event = Event::new("a.b");
        event.tags = vec!["t".into(); 300];
        event.caused_by = vec!["c".into(), "d".repeat(5_000).into()];
        event.model =
            Some(event::Model { responded: Some("m".repeat(5_000).into()), ..Default::default() });
        let event = fit(event).unwrap();
        assert_eq!((event.tags.len(), event.caused_by.len()), (limits::LIST_ITEMS_MAX, 1));
        assert!(event.content.attribute("caused_by").unwrap().as_str().len() > 5_000);
        assert!(event.content.attribute("model.responded").unwrap().as_str().len() > 5_000);
        assert_eq!(event.model.unwrap().display().map(str::len), Some(limits::TEXT_BYTES_MAX));
    }

    #[test]
    fn empty_texts_are_absent_as_they_would_be_read_back() {
        let empty = || Some(Text::Borrowed(""));
        let mut event = Event::new("a.b");
        (event.event_id, event.action) = (empty(), empty());
        (event.caused_by, event.tags) = (vec!["".into(), "x".into()], vec!["".into()]);
        event.model = Some(event::Model { name: empty(), provider: empty(), ..Default::default() });
        event.producer = Some(event::Producer { id: empty(), seq: Some(1), sdk: empty() });
        let event = fit(event).unwrap();
        let mut meta = Vec::new();
        event.write_meta(&mut meta);
        assert!(!String::from_utf8(meta.clone()).unwrap().contains("\"\""));
        let mut again = Vec::new();
        Event::from_stored(&meta, b"").unwrap().write_meta(&mut again);
        assert_eq!(again, meta);
    }

    #[test]
    fn parts_that_are_null_are_absent_as_they_would_be_read_back() {
        let null = || Json::from_value(&serde_json::Value::Null);
        let mut event = Event::new("a.b");
        event.content.set(event::Part::Result, null());
        event.content.set(event::Part::Output, Json::string("x"));
        event.content.set_attribute("kept", null());
        let (event, mut content) = (fit(event).unwrap(), Vec::new());
        event.write_content(&mut content);
        assert_eq!(content, br#"{"output":"x","attributes":{"kept":null}}"#);
        assert_eq!(Event::from_stored(b"{}", &content).unwrap().content, event.content);
    }

    #[test]
    fn the_logs_own_types_cannot_be_claimed() {
        assert_eq!(fit(Event::new("log.erasure")).unwrap().event_type, "otel.log.erasure");
    }

    #[test]
    fn an_event_that_is_too_large_is_refused() {
        let mut event = Event::new("a");
        event.content.set_attribute("x", Json::string(&"y".repeat(limits::EVENT_BYTES_MAX)));
        assert_eq!(fit(event).unwrap_err().code, Code::TooLarge);
    }
}
