//! Records as lines for systems that watch (SIEM): CEF, ECS and OCSF.
//!
//! What strangers wrote stands in these lines, and nothing of it ends a line, a field or a value:
//! hidden characters become visible as everywhere, and each form escapes what it obeys. Which field
//! says what stands in docs/export.md. Not here: formats that lose nothing
//! (`commands/export/formats.rs`).

mod cef;
mod ecs;
mod ocsf;

use crate::arguments::Format;
use event::{Event, Kind, Timestamp, types};
use query::row::write_row;
use query::{Found, State, Status};
use serde_json::{Map, Value};

const VENDOR: &str = "Tachograph";
const PRODUCT: &str = "tacho";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Common Event Format, version 0.
    Cef,
    /// Elastic Common Schema, a JSON object a line.
    Ecs,
    /// Open Cybersecurity Schema Framework, a JSON object a line.
    Ocsf,
}

/// The lines of one log.
#[derive(Debug)]
pub(crate) struct SiemLines {
    form: Form,
    origin: String,
    with_content: bool,
}

impl SiemLines {
    /// The lines of the log of this origin; `None` for formats that are not for SIEMs.
    pub(crate) fn of(format: Format, origin: &str, with_content: bool) -> Option<Self> {
        let form = match format {
            Format::Cef => Form::Cef,
            Format::Ecs => Form::Ecs,
            Format::Ocsf => Form::Ocsf,
            _ => return None,
        };
        Some(Self { form, origin: origin.to_owned(), with_content })
    }

    /// Appends the line of a record, without its end.
    pub(crate) fn add(&self, found: &Found<'_>, out: &mut Vec<u8>) {
        let bare = (!self.with_content).then(|| found.clone().without_content());
        let found = bare.as_ref().unwrap_or(found);
        let seen = Seen::of(found, &self.origin);
        match self.form {
            Form::Cef => out.extend_from_slice(cef::line(&seen).as_bytes()),
            Form::Ecs => {
                out.extend(query::escape::to_json(&without_nothing(ecs::object(&seen))));
            }
            Form::Ocsf => {
                out.extend(query::escape::to_json(&without_nothing(ocsf::object(&seen))));
            }
        }
    }
}

/// One record as all forms see it.
struct Seen<'s> {
    found: &'s Found<'s>,
    /// What it says; nothing when it is gone or cannot be read.
    event: Event<'s>,
    status: Status,
    origin: &'s str,
    message: Option<String>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// How an act ended, as far as schemas have words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
    /// Somehow: it was stopped, handed to somebody, or nobody knows.
    Otherwise,
}

impl<'s> Seen<'s> {
    fn of(found: &'s Found<'s>, origin: &'s str) -> Self {
        let gone = match found.state {
            State::Erased => "record.erased",
            State::Expired => "record.expired",
            _ => "record.unreadable",
        };
        let event = found.event().ok().filter(|_| !found.meta.is_empty());
        let is_there = event.is_some();
        let event = event.unwrap_or_else(|| Event::new(gone));
        let status = if is_there { Status::of(&event) } else { Status::Unknown };
        // An end that nobody reported is not a success.
        let status = match (status, event.outcome) {
            (Status::Success, None) => Status::Unknown,
            _ => status,
        };
        let message = event.content.error_message();
        Self { found, event, status, origin, message }
    }

    /// What was done, in few words.
    fn name(&self) -> &str {
        self.event.action.as_deref().unwrap_or(&self.event.event_type)
    }

    fn agent(&self) -> Option<&str> {
        self.event.agent_name.as_deref().or(self.event.agent_id.as_deref())
    }

    /// The program that sent it; of the log's own records the log.
    fn producer(&self) -> Option<&str> {
        let id = self.event.producer.as_ref().and_then(|producer| producer.id.as_deref());
        id.or((self.found.kind == Kind::Log).then_some(PRODUCT))
    }

    /// Who was let in to send it.
    fn caller(&self) -> Option<&str> {
        self.event.principal.as_ref().and_then(|principal| principal.subject.as_deref())
    }

    fn model(&self) -> Option<&str> {
        self.event.model.as_ref().and_then(|model| model.display())
    }

    fn happened_at(&self) -> Timestamp {
        self.found.happened_at(&self.event)
    }

    fn duration_ms(&self) -> Option<f64> {
        self.event.duration_ms.filter(|ms| ms.is_finite() && *ms >= 0.0)
    }

    fn leaf_hash(&self) -> Option<String> {
        self.found.leaf_hash.map(hex::encode)
    }

    fn ended(&self) -> Ended {
        match self.status {
            Status::Success => Ended::Well,
            Status::Error | Status::Timeout | Status::Denied => Ended::Badly,
            Status::Escalated | Status::Cancelled | Status::Unknown => Ended::Otherwise,
        }
    }

    /// The three words that CEF and ECS have for an end; nothing when none was reported.
    fn outcome(&self) -> Option<&'static str> {
        match (self.ended(), self.event.outcome) {
            (Ended::Well, _) => Some("success"),
            (Ended::Badly, _) => Some("failure"),
            (Ended::Otherwise, None) => None,
            (Ended::Otherwise, Some(_)) => Some("unknown"),
        }
    }

    /// Whether a rule of detection found it.
    fn is_alert(&self) -> bool {
        let action = self.event.action.as_deref();
        self.event.event_type == types::SECURITY
            && action.is_some_and(|action| action.starts_with("alert:"))
    }

    /// What is reported by security controls is as bad as its rule says, and other events as they
    /// ended.
    fn severity(&self) -> Severity {
        if self.event.event_type == types::SECURITY {
            let level = |tag: &str| match tag {
                "critical" => Some(Severity::Critical),
                "high" => Some(Severity::High),
                "medium" => Some(Severity::Medium),
                "low" => Some(Severity::Low),
                "informational" => Some(Severity::Informational),
                _ => None,
            };
            return self.event.tags.iter().find_map(|tag| level(tag)).unwrap_or(Severity::Medium);
        }
        match self.status {
            Status::Denied | Status::Error | Status::Timeout => Severity::Medium,
            Status::Escalated | Status::Cancelled => Severity::Low,
            Status::Success | Status::Unknown => Severity::Informational,
        }
    }

    /// All of the record, as `tacho export` writes it as a line: what has no field is in it.
    fn row(&self) -> String {
        let mut row = Vec::new();
        write_row(self.found, true, &mut row);
        String::from_utf8_lossy(&row).into_owned()
    }

    /// One line for people.
    fn sentence(&self) -> String {
        match self.agent() {
            Some(agent) => format!("{agent}: {}", self.name()),
            None => self.name().to_owned(),
        }
    }
}

impl Severity {
    /// From 0 to 10, as CEF counts.
    fn of_ten(self) -> u8 {
        match self {
            Self::Informational => 1,
            Self::Low => 3,
            Self::Medium => 5,
            Self::High => 8,
            Self::Critical => 10,
        }
    }
}

/// The same without members that say nothing. Values are ours, and not deep: whatever an event
/// holds is a text in them.
fn without_nothing(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let kept = members.into_iter().map(|(name, value)| (name, without_nothing(value)));
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    Value::Object(kept.filter(|(_, value)| says(value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests;
