//! One event in a line: what it says to a person, and the figures beside it.

use crate::found::{Found, State};
use event::{Amount, Event, Part, Status, Timestamp, Tokens, types};
use serde_json::Value;

/// Characters of a free text that a label shows.
const LABEL_CHARACTERS_MAX: usize = 100;

/// Characters of an error message that are kept for showing.
const ERROR_CHARACTERS_MAX: usize = 500;

/// One event in a line. Texts are as the producer sent them: whoever shows them must escape them.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its position in the log.
    pub index: u64,
    /// Its event id, or `#<index>` when it has none.
    pub id: String,
    /// Its type; empty when the record was erased or expired.
    pub event_type: String,
    /// Who acted.
    pub agent: Option<String>,
    /// What happened, for people.
    pub label: String,
    /// The tool.
    pub tool: Option<String>,
    /// How it ended.
    pub status: Status,
    /// The error's class.
    pub error_type: Option<String>,
    /// The error's message, cut to 500 characters.
    pub error: Option<String>,
    /// When it happened: as the producer says, else when the log took it.
    pub time: Timestamp,
    /// How long it took, in milliseconds; never negative.
    pub duration_ms: Option<f64>,
    /// Tokens used.
    pub tokens: Option<Tokens>,
    /// The amount, when it can be added exactly, and the currency.
    pub cost: Option<(Option<Amount>, String)>,
    /// The model that answered, or was asked.
    pub model: Option<String>,
    /// What is left of the record.
    pub state: State,
}

impl Summary {
    /// Summarises one record.
    #[must_use]
    pub fn of(found: &Found<'_>, event: &Event<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let cost = event.cost.as_ref().map(|cost| {
            (Amount::parse(&cost.amount), cost.currency.as_deref().unwrap_or("?").to_owned())
        });
        Self {
            index: found.index,
            id: owned(event.event_id.as_deref()).unwrap_or_else(|| format!("#{}", found.index)),
            event_type: event.event_type.to_string(),
            agent: owned(event.agent_name.as_deref().or(event.agent_id.as_deref())),
            label: label(found.state, event),
            tool: owned(event.tool_name()),
            status: Status::of(event),
            error_type: owned(event.error_type.as_deref()),
            error: event.content.error_message().map(|text| cut(&text, ERROR_CHARACTERS_MAX)),
            time: found.happened_at(event),
            duration_ms: event.duration_ms.map(|ms| ms.max(0.0)),
            tokens: event.tokens,
            cost,
            model: owned(event.model.as_ref().and_then(|model| model.display())),
            state: found.state,
        }
    }

    /// Tokens read and written, and their total.
    #[must_use]
    pub fn token_counts(&self) -> Option<(u64, u64, u64)> {
        let tokens = self.tokens?;
        Some((tokens.input.unwrap_or(0), tokens.output.unwrap_or(0), tokens.all().unwrap_or(0)))
    }
}

fn after_colon(action: Option<&str>) -> Option<&str> {
    action.and_then(|action| action.split_once(':')).map(|(_, rest)| rest).filter(|r| !r.is_empty())
}

/// The label: a sentence for the known types, else the action, else the type.
fn label(state: State, event: &Event<'_>) -> String {
    match state {
        State::Erased => return "Record erased".to_owned(),
        State::Expired => return "Record expired".to_owned(),
        State::Present | State::ContentErased | State::Held => {}
    }
    let action = event.action.as_deref();
    let object = after_colon(action);
    let plain = || action.map_or_else(|| event.event_type.to_string(), str::to_owned);
    match &*event.event_type {
        types::INVOCATION => match task(event) {
            Some(task) => format!("Task received: {}", cut(&task, LABEL_CHARACTERS_MAX)),
            None => "Task received".to_owned(),
        },
        types::REASONING => match object {
            Some(object) => format!("Reasoning about {object}"),
            None => "Reasoning".to_owned(),
        },
        types::TOOL_CALL => tool_call(event),
        types::TOOL_RESULT => match event.tool_name() {
            Some(tool) => format!("Tool '{tool}' answered"),
            None => "Tool answered".to_owned(),
        },
        types::DECISION => decision(event),
        types::ERROR => {
            let message = event.content.error_message();
            let text = message.as_deref().or(event.error_type.as_deref()).or(object);
            format!("Error: {}", cut(text.unwrap_or("no message"), LABEL_CHARACTERS_MAX))
        }
        types::HANDOFF => {
            let target = member(event, "target");
            format!("Handoff to {}", target.as_deref().or(object).unwrap_or("unknown"))
        }
        types::HUMAN_INTERVENTION => match object {
            Some(object) => format!("Human {object}"),
            None => "Human intervention".to_owned(),
        },
        types::TOKEN_USAGE => match event.tokens.as_ref().and_then(Tokens::all) {
            Some(total) => format!("Used {total} tokens"),
            None => plain(),
        },
        types::LLM_RESPONSE => match event.model.as_ref().and_then(|model| model.display()) {
            Some(model) => format!("{model} answered"),
            None => "Model answered".to_owned(),
        },
        _ => plain(),
    }
}

fn tool_call(event: &Event<'_>) -> String {
    let Some(tool) = event.tool_name() else { return "Called a tool".to_owned() };
    let mut label = format!("Called tool '{tool}'");
    if let Some(Value::Object(params)) = event.content.get(Part::Params).map(|json| json.to_value())
    {
        let plural = if params.len() == 1 { "" } else { "s" };
        label.push_str(&format!(" with {} param{plural}", params.len()));
    }
    let attempt =
        event.content.attribute("attempt").and_then(|json| json.as_str().parse::<u64>().ok());
    if let Some(attempt) = attempt.filter(|attempt| *attempt > 1) {
        label.push_str(&format!(" (attempt {attempt})"));
    }
    label
}

fn decision(event: &Event<'_>) -> String {
    let action = event.action.as_deref().unwrap_or("not named");
    let what = action.strip_prefix("decision:").unwrap_or(action);
    match event.confidence {
        Some(confidence) => format!("Decision: {what} (confidence: {:.0}%)", confidence * 100.0),
        None => format!("Decision: {what}"),
    }
}

/// The task of an invocation: `params.task`, else the text of the input.
fn task(event: &Event<'_>) -> Option<String> {
    member(event, "task").or_else(|| {
        event.content.get(Part::Input).and_then(|json| json.to_text()).map(|text| text.into_owned())
    })
}

/// A text in `params`.
fn member(event: &Event<'_>, key: &str) -> Option<String> {
    match event.content.get(Part::Params)?.to_value() {
        Value::Object(mut params) => match params.remove(key)? {
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            _ => None,
        },
        _ => None,
    }
}

/// The first so many characters, with an ellipsis when there are more.
fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
