//! Span events that mean something by themselves: a closed channel, a failed turn, an evaluation.

use super::super::{Span, SpanEvent, span_event_id};
use super::{failure, moment};
use crate::conventions::{self, Act, Facts};
use crate::sink::Sink;
use event::{Event, Outcome, Part, Phase, types};

/// The type of span events that nobody knows.
const UNKNOWN: &str = "otel.event";

/// One such event and its place in the span.
pub(super) struct Child {
    pub(super) number: usize,
    pub(super) event: SpanEvent,
}

impl Child {
    /// The event below the span's first one, with the fields that they share.
    pub(super) fn event<'a>(
        mut self,
        span: &Span,
        base: &Event<'static>,
        act: &Act,
        sink: &mut Sink<'_, 'a>,
    ) -> Event<'a> {
        let name = self.event.name;
        let mut facts = Facts::default();
        conventions::read(&mut self.event.attributes, &mut facts);
        let mut event: Event<'a> = facts.event.clone();
        event.event_type = match act {
            Act::Hub(_) => hub_type(&name).into(),
            _ => plain_type(&name).into(),
        };
        event.event_id = Some(
            span_event_id(&span.trace_id, &span.span_id, &format!("event:{}", self.number)).into(),
        );
        event.parent_event_id = Some(span_event_id(&span.trace_id, &span.span_id, "start").into());
        event.timestamp = moment(self.event.time_ns);
        event.phase = Some(Phase::Observation);
        event.trace_id = Some(span.trace_id.clone().into());
        if event.agent_id.is_none() && event.agent_name.is_none() {
            event.agent_id.clone_from(&base.agent_id);
            event.agent_name.clone_from(&base.agent_name);
        }
        for (own, shared) in [
            (&mut event.session_id, &base.session_id),
            (&mut event.task_id, &base.task_id),
            (&mut event.on_behalf_of, &base.on_behalf_of),
        ] {
            if own.is_none() {
                own.clone_from(shared);
            }
        }
        event.producer.clone_from(&base.producer);
        event.model = facts.model();
        event.outcome = event.outcome.or_else(|| outcome(&name, &facts));
        event.action = Some(name.into());
        for (part, json) in [
            (Part::Params, facts.params.take()),
            (Part::Input, facts.input.take()),
            (Part::Result, facts.result.take()),
            (Part::Output, facts.output.take()),
            (Part::Error, facts.error()),
        ] {
            if let Some(json) = json {
                event.content.set(part, json);
            }
        }
        super::repeat_usage(&mut event, &facts);
        self.event.attributes.keep(&mut event, sink);
        event
    }
}

/// The hub's span events by the kinds of its audit log, where it has one.
fn hub_type(name: &str) -> String {
    let kind = match name {
        "opened" | "closed" => return format!("hub.channel_{name}"),
        "expired" => "channel_expired",
        "unregistered" => "agent_unregistered",
        _ if name.starts_with("expectation.") => "expectation_violated",
        other => other,
    };
    format!("{}{kind}", types::HUB_PREFIX)
}

fn plain_type(name: &str) -> &'static str {
    match name {
        "exception" | "gen_ai.client.operation.exception" => types::ERROR,
        "gen_ai.evaluation.result" => types::EVALUATION,
        _ if name.contains("handoff") => types::HANDOFF,
        _ if name.contains("guardrail") => types::DECISION,
        _ => UNKNOWN,
    }
}

fn outcome(name: &str, facts: &Facts) -> Option<Outcome> {
    match name {
        "envelope_rejected" => Some(Outcome::Denied),
        "expired" => Some(Outcome::Timeout),
        "turn_failed" | "dispatch_failed" | "exception" | "gen_ai.client.operation.exception" => {
            Some(failure(facts.event.error_type.as_deref().unwrap_or_default()))
        }
        _ if name.starts_with("expectation.") => Some(Outcome::Failure),
        _ => None,
    }
}
