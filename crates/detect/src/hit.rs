//! What a rule found.

use crate::rule::About;
use serde::Serialize;
use std::sync::Arc;

/// Events that a hit names.
pub const INDICES_MAX: usize = 20;
/// Letters of a value that a hit repeats.
const VALUE_MAX: usize = 80;

/// A rule's answer to one incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// The rule.
    #[serde(flatten, serialize_with = "inner")]
    pub rule: Arc<About>,
    /// What names this incident: the same whenever the same events are looked at again.
    pub incident: String,
    /// The index of the event that it was seen by.
    pub index: u64,
    /// Its event id.
    pub event_id: String,
    /// When that was, Unix milliseconds.
    pub time_ms: u64,
    /// The events that it rests on, the newest [`INDICES_MAX`] of them, ascending.
    pub events: Vec<u64>,
    /// What the events have in common: fields and values. Of content only the name is told.
    pub group: Vec<(String, String)>,
    /// Why, in a sentence. It repeats metadata, and never content.
    pub why: String,
}

/// As the rule itself says it: `Arc` has no such thing of its own here.
fn inner<S: serde::Serializer>(rule: &Arc<About>, out: S) -> Result<S::Ok, S::Error> {
    About::serialize(rule, out)
}

/// A value as hits repeat it: short, and without anything that a terminal obeys.
pub(crate) fn shortened(value: &str) -> String {
    let mut shown: String = value.chars().take(VALUE_MAX).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
