//! An alert: what is recorded in the log, and what others are told.
//!
//! It names events and repeats metadata; content stays in the log, where access to it is recorded.

use crate::open_log::server;
use ::detect::{ALERT_ACTION, Hit, Level};
use event::{Event, Json, Outcome, Timestamp, types};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The name of the attribute that holds it.
pub(super) const ATTRIBUTE: &str = "detect";

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Names the incident; the id of the record too.
    pub incident: String,
    /// The log.
    pub log: String,
    /// The rule's name and id.
    pub rule: String,
    /// Its id.
    pub rule_id: String,
    /// What it finds.
    pub title: String,
    /// How bad that is.
    pub level: String,
    /// `owasp.asi01`.
    pub tags: Vec<String>,
    /// Why.
    pub why: String,
    /// When, RFC 3339.
    pub time: String,
    /// The index of the event that it was seen by.
    pub index: u64,
    /// Its id.
    pub event_id: String,
    /// The events that it rests on.
    pub events: Vec<u64>,
    /// What they have in common.
    pub group: Vec<(String, String)>,
}

impl Alert {
    /// Of what a rule found in a log.
    #[must_use]
    pub fn of(hit: &Hit, log: &str) -> Self {
        Self {
            incident: hit.incident.clone(),
            log: log.to_owned(),
            rule: hit.rule.name.clone(),
            rule_id: hit.rule.id.clone(),
            title: hit.rule.title.clone(),
            level: hit.rule.level.as_str().to_owned(),
            tags: hit.rule.tags.clone(),
            why: hit.why.clone(),
            time: Timestamp::from_milliseconds(hit.time_ms).to_string(),
            index: hit.index,
            event_id: hit.event_id.clone(),
            events: hit.events.clone(),
            group: hit.group.clone(),
        }
    }

    /// One that tells nothing but that alerts arrive.
    #[must_use]
    pub fn of_a_test(now_ms: u64, id: &str) -> Self {
        Self {
            incident: id.to_owned(),
            log: "test".to_owned(),
            rule: "test".to_owned(),
            rule_id: "test".to_owned(),
            title: "A test of Tachograph's alerts".to_owned(),
            level: Level::Informational.as_str().to_owned(),
            tags: Vec::new(),
            why: "somebody ran `tacho alerts test`".to_owned(),
            time: Timestamp::from_milliseconds(now_ms).to_string(),
            index: 0,
            event_id: String::new(),
            events: Vec::new(),
            group: Vec::new(),
        }
    }

    /// How bad it is.
    pub(super) fn level(&self) -> Level {
        Level::from_name(&self.level).unwrap_or(Level::Medium)
    }

    /// The event that is recorded.
    pub(super) fn event(&self) -> Event<'static> {
        let mut event = Event::new(types::SECURITY);
        event.event_id = Some(self.incident.clone().into());
        event.timestamp = Timestamp::parse(&self.time);
        event.action = Some(format!("{ALERT_ACTION}{}", self.rule).into());
        event.source = Some("system".into());
        event.principal = Some(server());
        if !self.event_id.is_empty() {
            event.caused_by = vec![self.event_id.clone().into()];
        }
        event.tags =
            [self.level.clone()].into_iter().chain(self.tags.clone()).map(Into::into).collect();
        let details = serde_json::to_value(self).unwrap_or_default();
        event.content.set_attribute(ATTRIBUTE, Json::from_value(&details));
        event
    }

    /// Back from its record; nothing when that is something else.
    pub(super) fn read(meta: &[u8], content: &[u8]) -> Option<Self> {
        memchr::memmem::find(meta, ALERT_ACTION.as_bytes())?;
        let event = Event::from_stored(meta, content).ok()?;
        let is_ours = event.event_type == types::SECURITY && event.principal == Some(server());
        let details = event.content.attribute(ATTRIBUTE).filter(|_| is_ours)?;
        serde_json::from_value(details.to_value()).ok()
    }

    /// The record of one that could not be delivered.
    pub(super) fn undelivered(&self, sink: &str, attempts: u32, why: &str) -> Event<'static> {
        let mut event = Event::new(types::SECURITY);
        let parts = [self.incident.as_bytes(), sink.as_bytes()];
        event.event_id = Some(event::id::derive("tachograph-undelivered", &parts).into());
        event.action = Some(format!("{ALERT_ACTION}undelivered").into());
        event.source = Some("system".into());
        event.principal = Some(server());
        event.caused_by = vec![self.incident.clone().into()];
        let details = json!({ "sink": sink, "attempts": attempts, "why": why });
        event.content.set_attribute("undelivered", Json::from_value(&details));
        event
    }
}

/// The record of a day on which rules look at a log. It has one id, so a day has one.
pub(super) fn run(origin: &str, day: u64) -> Event<'static> {
    let mut event = Event::new(types::COMPLIANCE);
    let parts = [origin.as_bytes(), &day.to_be_bytes()];
    event.event_id = Some(event::id::derive("tachograph-detector", &parts).into());
    event.action = Some("detector:run".into());
    event.outcome = Some(Outcome::Success);
    event.source = Some("system".into());
    event.principal = Some(server());
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_reads_back_from_its_record_and_nothing_else_does() {
        let alert = Alert { event_id: "e-1".to_owned(), ..Alert::of_a_test(5_000, "i-1") };
        let (mut meta, mut content) = (Vec::new(), Vec::new());
        alert.event().write_meta(&mut meta);
        alert.event().write_content(&mut content);
        assert_eq!(Alert::read(&meta, &content), Some(alert.clone()));
        let text = String::from_utf8(meta).unwrap();
        let forged = text.replace("\"tachograph\"", "\"somebody\"");
        assert_eq!(Alert::read(forged.as_bytes(), &content), None);
        let (mut meta, mut content) = (Vec::new(), Vec::new());
        let undelivered = alert.undelivered("ops", 3, "refused");
        undelivered.write_meta(&mut meta);
        undelivered.write_content(&mut content);
        assert_eq!(Alert::read(&meta, &content), None);
    }
}
