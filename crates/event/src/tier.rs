//! Tiers: how long a record must be kept, decided from what it is.

use crate::event::{Event, Outcome};
use crate::types;

/// A retention class, lowest first; the number is the one in the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// Detail for developers: 7 days by default.
    Debug = 0,
    /// What agents did: 30 days by default.
    Info = 1,
    /// What was decided, handed over or overridden: 365 days by default.
    Compliance = 2,
    /// Errors, security, and the log's own life: 730 days by default.
    Critical = 3,
}

impl Tier {
    /// All tiers, lowest first.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Compliance, Self::Critical];

    /// The tier with this number in an entry.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Compliance => "compliance",
            Self::Critical => "critical",
        }
    }

    /// The tier with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name)
    }

    /// The tier of an event, first match (format.md, "Event"): configuration may raise it, never
    /// lower it.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        let event_type: &str = &event.event_type;
        if event.is_error()
            || matches!(event_type, types::SECURITY | types::COMPLIANCE)
            || event_type.starts_with(types::LOG_PREFIX)
        {
            return Self::Critical;
        }
        match event_type {
            types::DECISION | types::HANDOFF | types::HUMAN_INTERVENTION => Self::Compliance,
            types::INVOCATION
            | types::TOOL_CALL
            | types::TOKEN_USAGE
            | types::TOOL_RESULT
            | types::LLM_RESPONSE
            | types::CODE_EXECUTION => Self::Info,
            _ if event_type.starts_with(types::HUB_PREFIX) => Self::Info,
            _ => Self::Debug,
        }
    }
}

impl Event<'_> {
    /// True when the event reports an error: an error text or type, the error type of event, or an
    /// outcome of failure or timeout.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.event_type == types::ERROR
            || self.error_type.is_some()
            || matches!(self.outcome, Some(Outcome::Failure | Outcome::Timeout))
            || self.content.error_is_present()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(json: &str) -> Tier {
        Tier::of(&Event::from_json(json.as_bytes()).unwrap())
    }

    #[test]
    fn tiers_follow_the_type_and_errors_come_first() {
        assert_eq!(tier(r#"{"event_type":"agent.tool_call"}"#), Tier::Info);
        assert_eq!(tier(r#"{"event_type":"agent.tool_call","error":"x"}"#), Tier::Critical);
        assert_eq!(tier(r#"{"event_type":"agent.tool_call","error":null}"#), Tier::Info);
        assert_eq!(tier(r#"{"event_type":"agent.tool_call","error":""}"#), Tier::Info);
        assert_eq!(tier(r#"{"event_type":"agent.tool_call","outcome":"timeout"}"#), Tier::Critical);
        assert_eq!(tier(r#"{"event_type":"agent.decision"}"#), Tier::Compliance);
        assert_eq!(tier(r#"{"event_type":"agent.security"}"#), Tier::Critical);
        assert_eq!(tier(r#"{"event_type":"hub.channel_created"}"#), Tier::Info);
        assert_eq!(tier(r#"{"event_type":"agent.reasoning"}"#), Tier::Debug);
        assert_eq!(tier(r#"{"event_type":"acme.thing"}"#), Tier::Debug);
    }
}
