//! Who a span worked for, when only a span above it says so.
//!
//! Most instrumentations name agent, session and user on the agent's span alone; model and tool
//! calls hang below it. What stands in the same request or file is inherited from the nearest
//! ancestor, and the event says which fields were. Ancestors in other requests are not known here:
//! readers of the log join those by `parent_event_id`.

use super::Span;
use crate::conventions::{self, Facts};
use event::{Event, Json, Text};
use std::collections::HashMap;

/// Spans remembered in one request or file: five of the largest usual export batches. Past it,
/// spans are mapped all the same, without their heritage.
const SPANS_MAX: usize = 50_000;

/// Ancestors looked at: deeper traces have been seen only with loops in them.
const ANCESTORS_MAX: usize = 64;

/// What the spans of one request say of who they worked for.
#[derive(Default)]
pub(crate) struct Lineage {
    spans: HashMap<String, Kin>,
}

#[derive(Default)]
struct Kin {
    parent: String,
    agent_name: Option<Text<'static>>,
    agent_id: Option<Text<'static>>,
    agent_version: Option<Text<'static>>,
    session_id: Option<Text<'static>>,
    on_behalf_of: Option<Text<'static>>,
}

impl Lineage {
    /// Remembers a span.
    pub(crate) fn add(&mut self, mut span: Span) {
        if span.span_id.is_empty() || self.spans.len() >= SPANS_MAX {
            return;
        }
        let act = conventions::act(&span);
        let mut facts = Facts::default();
        conventions::read(&mut span.attributes, &mut facts);
        super::spans::name_from_span(&span, &act, &mut facts);
        let event = facts.event;
        let kin = Kin {
            parent: span.parent_span_id,
            agent_name: event.agent_name,
            agent_id: event.agent_id,
            agent_version: event.agent_version,
            session_id: event.session_id,
            on_behalf_of: event.on_behalf_of,
        };
        self.spans.insert(key(&span.trace_id, &span.span_id), kin);
    }

    /// Fills what the span does not say itself, and names what was filled.
    pub(super) fn inherit(&self, span: &Span, event: &mut Event<'static>) {
        let mut inherited = Vec::new();
        let mut parent = &span.parent_span_id;
        for _ in 0..ANCESTORS_MAX {
            let Some(kin) = self.spans.get(&key(&span.trace_id, parent)) else { break };
            let is_agent = kin.agent_name.is_some() || kin.agent_id.is_some();
            if is_agent && event.agent_name.is_none() && event.agent_id.is_none() {
                event.agent_name.clone_from(&kin.agent_name);
                event.agent_id.clone_from(&kin.agent_id);
                event.agent_version.clone_from(&kin.agent_version);
                inherited.push("agent");
            }
            for (name, own, theirs) in [
                ("session_id", &mut event.session_id, &kin.session_id),
                ("on_behalf_of", &mut event.on_behalf_of, &kin.on_behalf_of),
            ] {
                if own.is_none() && theirs.is_some() {
                    own.clone_from(theirs);
                    inherited.push(name);
                }
            }
            parent = &kin.parent;
        }
        if !inherited.is_empty() {
            event.content.set_attribute("otel.inherited", Json::from_value(&inherited.into()));
        }
    }
}

fn key(trace_id: &str, span_id: &str) -> String {
    format!("{trace_id}-{span_id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::Attributes;

    fn span(id: &str, parent: &str, attributes: &[(&str, &str)]) -> Span {
        let list = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        Span {
            trace_id: "t".into(),
            span_id: id.into(),
            parent_span_id: parent.into(),
            attributes: Attributes::new(list.collect()),
            ..Span::default()
        }
    }

    #[test]
    fn the_nearest_ancestor_that_says_it_is_inherited_from() {
        let mut lineage = Lineage::default();
        let agent = "gen_ai.agent.name";
        lineage.add(span("a", "", &[(agent, "outer"), ("session.id", "s")]));
        lineage.add(span("b", "a", &[(agent, "inner")]));
        lineage.add(span("c", "b", &[]));
        let mut event = Event::default();
        lineage.inherit(&span("d", "c", &[]), &mut event);
        assert_eq!(event.agent_name.as_deref(), Some("inner"));
        assert_eq!(event.session_id.as_deref(), Some("s"));
        let told = event.content.attribute("otel.inherited").map(|json| json.as_str().to_owned());
        assert_eq!(told.as_deref(), Some(r#"["agent","session_id"]"#));
    }

    #[test]
    fn a_loop_ends() {
        let mut lineage = Lineage::default();
        lineage.add(span("a", "b", &[]));
        lineage.add(span("b", "a", &[]));
        let mut event = Event::default();
        lineage.inherit(&span("c", "a", &[]), &mut event);
        assert_eq!(event, Event::default());
    }
}
