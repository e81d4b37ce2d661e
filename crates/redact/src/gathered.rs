//! The texts of an event's metadata side by side, to be looked at once: most hold nothing, and one
//! look at all of them costs less than one look at each. Says only whether a closer look is needed;
//! that look, text by text, is `redactor`'s.

use crate::scan::{self, Families};
use event::Event;

/// Bytes that are gathered; an event with more has its texts looked at one by one.
const BYTES_MAX: usize = 512;

/// Stands between two texts. No rule reaches across it, and none begins or ends with it, so what a
/// text leads to by itself it leads to here.
const BETWEEN: u8 = b'\n';

/// Gathered texts.
struct Gathered {
    bytes: [u8; BYTES_MAX],
    used: usize,
}

impl Gathered {
    /// Adds a text; `None` when it does not fit, or is empty and has to go.
    #[inline]
    fn add(&mut self, text: &str) -> Option<()> {
        let text = text.as_bytes();
        if text.is_empty() {
            return None;
        }
        if text.len() < scan::SECRET_BYTES_MIN || scan::is_plain_id(text) {
            return Some(());
        }
        let end = self.used + text.len();
        *self.bytes.get_mut(end)? = BETWEEN;
        self.bytes.get_mut(self.used..end)?.copy_from_slice(text);
        self.used = end + 1;
        Some(())
    }

    fn add_all<'t>(&mut self, mut texts: impl Iterator<Item = &'t str>) -> Option<()> {
        texts.try_for_each(|text| self.add(text))
    }

    /// Adds every text that the redaction of metadata looks at.
    fn add_event(&mut self, event: &Event<'_>) -> Option<()> {
        self.add_all(event.event_id.as_deref().into_iter())?;
        self.add(&event.event_type)?;
        self.add_all(event.texts())?;
        self.add_all(event.caused_by.iter().chain(&event.tags).map(|text| &**text))?;
        if let Some(model) = &event.model {
            let texts = [&model.name, &model.provider, &model.requested, &model.responded];
            self.add_all(texts.into_iter().flat_map(|text| text.as_deref()))?;
        }
        if let Some(producer) = &event.producer {
            self.add_all(
                [&producer.id, &producer.sdk].into_iter().flat_map(|text| text.as_deref()),
            )?;
        }
        if let Some(principal) = &event.principal {
            let texts = [&principal.issuer, &principal.subject, &principal.method];
            self.add_all(texts.into_iter().flat_map(|text| text.as_deref()))?;
        }
        if let Some(cost) = &event.cost {
            self.add(&cost.amount)?;
            self.add_all(cost.currency.as_deref().into_iter())?;
        }
        Some(())
    }
}

/// True when no rule of the `wanted` families may find anything in a text of the metadata, and none
/// is empty; false also when they have to be looked at one by one.
pub(crate) fn is_clean_meta(event: &Event<'_>, wanted: Families) -> bool {
    let mut all = Gathered { bytes: [0; BYTES_MAX], used: 0 };
    let gathered = all.add_event(event).and_then(|()| all.bytes.get(..all.used));
    gathered.is_some_and(|bytes| scan::is_clean(bytes, wanted))
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use proptest::prelude::*;

    #[test]
    fn texts_that_are_empty_or_do_not_fit_are_looked_at_one_by_one() {
        let event =
            |tool: &str| Event { tool: Some(tool.to_owned().into()), ..Event::new("a.type") };
        let is_clean = |tool: &str| is_clean_meta(&event(tool), Families::ALL);
        assert!(is_clean("lookup"));
        assert!(!is_clean("") && !is_clean(&"x ".repeat(400)));
    }

    const EACH: [Families; 13] = [
        Families::PRIVATE_KEYS,
        Families::KEYS,
        Families::TOKENS,
        Families::ADDRESSES,
        Families::NUMBERS,
        Families::NAMES,
        Families::ESCAPES,
        Families::WORDS,
        Families::SIGNS,
        Families::IBAN,
        Families::COMMANDS,
        Families::PERCENT,
        Families::PERSONAL,
    ];

    /// Examples of every rule, and pieces that make and break them.
    fn texts() -> impl Strategy<Value = Vec<String>> {
        let examples: Vec<String> = rules::examples()
            .flat_map(|of| of.takes.iter().chain(of.leaves))
            .map(|text| text.replace(['«', '»'], ""))
            .filter(|text| text.len() < 100)
            .collect();
        let one = prop_oneof![
            proptest::sample::select(examples),
            "[a-zA-Z0-9 ._@:=-]{0,20}",
            "[0-9 .-]{4,16}",
        ];
        proptest::collection::vec(one, 1..5)
    }

    proptest! {
        #[test]
        fn side_by_side_they_lead_to_whatever_each_leads_to(texts in texts()) {
            let mut event = Event::new("a.type");
            event.tags = texts.iter().map(|text| text.clone().into()).collect();
            for text in texts.iter().filter(|text| !scan::is_plain_id(text.as_bytes())) {
                let own = scan::families(text.as_bytes(), Families::ALL);
                for family in EACH.into_iter().filter(|family| own.has(*family)) {
                    prop_assert!(!is_clean_meta(&event, family), "{}: {:?}", text, family);
                }
            }
        }
    }
}
