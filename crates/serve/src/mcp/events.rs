//! Tools that show events: the newest, those of a question, of an agent, one with its proof, all of
//! them in full.

use super::clean;
use super::envelope::{Answer, Rest};
use super::input::{self, Agent, Export, One, Recent, Search};
use super::source::{Failure, Rights};
use super::tools::Call;
use crate::answers;
use crate::question::Question;
use query::{By, Found, Line, Summary, row};
use serde_json::{Map, Value, json};

/// Events of one page, when nothing else is asked for, and at most.
const PAGE: u64 = 20;
const EXPORT_PAGE: u64 = 50;
const PAGE_MAX: u64 = 200;
/// Names of a list, at most.
pub(crate) const NAMES_MAX: usize = 200;

/// How a record is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// What it says, in a few fields.
    Short,
    /// As it is stored.
    Full,
}

/// A question's parameters by name, those that were given.
type Pairs<'p> = Vec<(&'static str, &'p Option<String>)>;

pub(crate) fn recent(call: &Call<'_>) -> Result<Answer, Failure> {
    let Recent { limit, cursor, metadata_only } = input::read(call.arguments)?;
    let question = question(call, vec![("cursor", &cursor)], limit, PAGE)?;
    page(call, question, call.shown(metadata_only), Shape::Short)
}

pub(crate) fn search(call: &Call<'_>) -> Result<Answer, Failure> {
    let asked: Search = input::read(call.arguments)?;
    if asked.text.is_some() && !call.rights.content {
        // Which records hold a word tells of their content.
        return Err(Failure::new(
            "text looks into content, which your credential does not show; use the other filters",
        ));
    }
    let pairs = vec![
        ("text", &asked.text),
        ("agent", &asked.agent),
        ("type", &asked.kind),
        ("session", &asked.session),
        ("trace", &asked.trace),
        ("task", &asked.task),
        ("tool", &asked.tool),
        ("principal", &asked.principal),
        ("error_type", &asked.error_type),
        ("outcome", &asked.outcome),
        ("tier", &asked.tier),
        ("from", &asked.from),
        ("to", &asked.to),
        ("order", &asked.order),
        ("cursor", &asked.cursor),
    ];
    let looks_into_content = asked.text.is_some();
    let question = question(call, pairs, asked.limit, PAGE)?;
    let mut answer = page(call, question, call.shown(asked.metadata_only), Shape::Short)?;
    answer.has_content |= looks_into_content;
    Ok(answer)
}

pub(crate) fn export(call: &Call<'_>) -> Result<Answer, Failure> {
    if !call.rights.export {
        return Err(Failure::new("your credential does not allow exports; use search_events"));
    }
    let asked: Export = input::read(call.arguments)?;
    let oldest = Some("oldest".to_owned());
    let pairs = vec![
        ("agent", &asked.agent),
        ("type", &asked.kind),
        ("session", &asked.session),
        ("trace", &asked.trace),
        ("from", &asked.from),
        ("to", &asked.to),
        ("order", &oldest),
        ("cursor", &asked.cursor),
    ];
    let question = question(call, pairs, asked.limit, EXPORT_PAGE)?;
    let mut answer = page(call, question, call.shown(asked.metadata_only), Shape::Full)?;
    answer.is_export = true;
    Ok(answer)
}

pub(crate) fn agent(call: &Call<'_>) -> Result<Answer, Failure> {
    let asked: Agent = input::read(call.arguments)?;
    let shown = call.shown(asked.metadata_only);
    let (activity, unreadable) = call.view.activity(By::Agent)?;
    let lines = activity.finish();
    let Some(name) = &asked.agent else {
        let count = lines.len();
        let items = lines.iter().take(NAMES_MAX).map(|line| figures("agent", line)).collect();
        let summary = format!("{count} agents acted in this log.");
        let mut answer = Answer::new(call.as_of(), Rights::default(), summary);
        answer.records = Some(0);
        return Ok(answer
            .fact("agents_in_all", count)
            .fact("unreadable", unreadable.count())
            .list("agents", items, Rest::Ends));
    };
    let pairs = vec![("agent", &asked.agent), ("cursor", &asked.cursor)];
    let question = question(call, pairs, asked.limit, PAGE)?;
    let answer = page(call, question, shown, Shape::Short)?;
    if answer.list.as_ref().is_none_or(|list| list.items.is_empty()) && asked.cursor.is_none() {
        return Err(Failure::new(
            "no event is of an agent of this name or id; call audit_agent without one for a list",
        ));
    }
    let line = lines.iter().find(|line| line.name == *name);
    Ok(answer.data("agent", line.map_or(Value::Null, |line| figures("agent", line))))
}

pub(crate) fn one(call: &Call<'_>) -> Result<Answer, Failure> {
    let One { event, proof, metadata_only } = input::read(call.arguments)?;
    if proof && !call.rights.proofs {
        return Err(Failure::new("your credential does not allow proofs; leave proof out"));
    }
    let shown = call.shown(metadata_only);
    let found = answers::one(call.view, &event, !call.rights.access_records)?;
    let mut answer = Answer::new(call.as_of(), shown, "One event.");
    answer.records = Some(1);
    if proof {
        answer = answer.fact("proof", proof_of(call, found.index)?);
        answer.summary = "One event, and what proves that the log holds it.".to_owned();
    }
    Ok(answer.data("event", full(&found, shown.content)))
}

/// The entry and its path to the checkpoint. A proof must not be touched, so it is let through only
/// if cleaning it would change nothing.
fn proof_of(call: &Call<'_>, index: u64) -> Result<Value, Failure> {
    let reading = call.view.reading();
    let entry = reading.entries().at(index);
    let entry = entry.ok_or_else(|| Failure::new("the entry cannot be read; call verify_log"))?;
    let proof = reading::proofs::tlog_proof(reading, index)?.to_string();
    let is_clean = |line: &str| clean::text(line, line.len()) == line;
    if !proof.lines().all(is_clean) {
        return Err(Failure::new("the proof names a key that cannot be shown; use `tacho prove`"));
    }
    let lines: Vec<&str> = proof.lines().collect();
    Ok(json!({
        "entry": hex::encode(entry.encode()),
        "tlog_proof": lines,
        "checked": true,
        "how": "the entry is in the tree of the checkpoint, which the log's key signed; `tacho prove` \
                gives a document that anybody checks without the log",
    }))
}

/// Reads a question with the same eyes as the HTTP API.
pub(crate) fn question(
    call: &Call<'_>,
    pairs: Pairs<'_>,
    limit: Option<u64>,
    default: u64,
) -> Result<Question, Failure> {
    let limit = limit.unwrap_or(default);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Failure::new("limit: write a number from 1 to 200"));
    }
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            text.append_pair(name, value);
        }
    }
    text.append_pair("limit", &limit.to_string());
    let mut question = Question::parse(Some(&text.finish()), call.source.now_ms(), &[])?;
    question.filter.without_access_records = !call.rights.access_records;
    Ok(question)
}

/// A page of records.
fn page(
    call: &Call<'_>,
    question: Question,
    shown: Rights,
    shape: Shape,
) -> Result<Answer, Failure> {
    let Question { filter, cursor, .. } = question;
    let page = call.view.page(&filter, cursor.as_ref(), &())?;
    let item = |found: &Found<'_>| match shape {
        Shape::Short => short(found, shown.content),
        Shape::Full => full(found, shown.content),
    };
    let items: Vec<Value> = page.found.iter().map(item).collect();
    let indexes = page.found.iter().map(|found| found.index).collect();
    let more = if page.next.is_some() { " There are more." } else { "" };
    let summary = format!("{} events.{more}", items.len());
    let rest = Rest::Page { filter: Box::new(filter), indexes, next: page.next };
    Ok(Answer::new(&page.as_of, shown, summary)
        .fact("unreadable", page.unreadable.count())
        .list("events", items, rest))
}

/// A record in a few fields.
pub(crate) fn short(found: &Found<'_>, with_content: bool) -> Value {
    let bare = found.to_owned();
    let bare = if with_content { bare } else { bare.without_content() };
    let Ok(event) = bare.event() else {
        let recorded_at = found.recorded_at().to_string();
        return json!({ "index": found.index, "recorded_at": recorded_at, "unreadable": true });
    };
    let summary = Summary::of(&bare, &event);
    let mut row = of_summary(&summary);
    let texts = [
        ("session", event.session_id.as_deref()),
        ("trace", event.trace_id.as_deref()),
        ("task", event.task_id.as_deref()),
        ("principal", event.principal.as_ref().and_then(|it| it.subject.as_deref())),
        ("on_behalf_of", event.on_behalf_of.as_deref()),
    ];
    for (name, text) in texts {
        row.extend(text.map(|text| (name.to_owned(), text.into())));
    }
    row.insert("tier".to_owned(), found.tier.as_str().into());
    row.insert("state".to_owned(), found.state.as_str().into());
    Value::Object(row)
}

/// What an event says, in the fields that all tools share.
pub(crate) fn of_summary(summary: &Summary) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    put("index", summary.index.into());
    put("event_id", summary.id.as_str().into());
    put("time", summary.time.to_string().into());
    put("type", summary.event_type.as_str().into());
    put("action", summary.label.as_str().into());
    put("status", summary.status.as_str().into());
    let texts = [
        ("agent", &summary.agent),
        ("tool", &summary.tool),
        ("error_type", &summary.error_type),
        ("error", &summary.error),
        ("model", &summary.model),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            put(name, text.as_str().into());
        }
    }
    if let Some(duration_ms) = summary.duration_ms {
        put("duration_ms", duration_ms.into());
    }
    if let Some((input, output, total)) = summary.token_counts() {
        put("tokens", json!({ "input": input, "output": output, "total": total }));
    }
    row
}

/// A record as it is stored.
fn full(found: &Found<'_>, with_content: bool) -> Value {
    let mut bytes = Vec::new();
    row::write_row(found, with_content, &mut bytes);
    serde_json::from_slice(&bytes).unwrap_or_else(
        |_| json!({ "index": found.index, "unreadable": true, "bytes": bytes.len() }),
    )
}

/// The figures of an agent or a session.
pub(crate) fn figures(key: &str, line: &Line) -> Value {
    json!({
        key: line.name, "events": line.events, "errors": line.errors,
        "tokens": line.tokens, "first_seen": line.first_seen.to_string(),
        "last_seen": line.last_seen.to_string(),
    })
}
