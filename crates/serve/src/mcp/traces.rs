//! Tools that put events together: a task's trace, a session's timeline.

use super::envelope::{Answer, Rest};
use super::events::{NAMES_MAX, figures, of_summary};
use super::input::{self, Session, Traced};
use super::source::{Failure, Rights};
use super::tools::Call;
use query::{AsOf, By, Circle, Node, Scope, Trace};
use serde_json::{Value, json};

/// Records of one trace or session at most.
const TRACE_RECORDS_MAX: usize = 50_000;
/// Odd things of one kind that are named; the others are counted.
pub(crate) const NAMED_MAX: usize = 50;

/// A trace, and what it was put together from.
pub(crate) struct Assembled {
    pub trace: Trace,
    /// Its records, as far as the caller may see them.
    pub found: Vec<query::Found<'static>>,
    pub as_of: AsOf,
    /// Records that may belong to it and could not be read.
    pub unreadable: u64,
}

pub(crate) fn trace(call: &Call<'_>) -> Result<Answer, Failure> {
    let Traced { id, first, metadata_only } = input::read(call.arguments)?;
    let shown = call.shown(metadata_only);
    let it = of_id(call, &id, shown)?;
    let nodes = it.trace.nodes.iter().enumerate().skip(position(first));
    let items = nodes.map(|(at, node)| tree_row(at, node)).collect();
    let errors = it.trace.totals.errors;
    let summary = format!("A trace of {} events, {errors} with errors.", it.trace.nodes.len());
    Ok(Answer::new(&it.as_of, shown, summary)
        .fact("unreadable", it.unreadable)
        .data("of", scope(&it.trace))
        .data("totals", totals(&it.trace))
        .data("findings", findings(&it.trace))
        .list("nodes", items, Rest::From { first: position(first) }))
}

pub(crate) fn session(call: &Call<'_>) -> Result<Answer, Failure> {
    let Session { session, first, metadata_only } = input::read(call.arguments)?;
    let Some(id) = session else { return sessions(call) };
    let shown = call.shown(metadata_only);
    let it = assembled(call, &[Scope::Session(id)], shown)?;
    let nodes = it.trace.nodes.iter().enumerate().skip(position(first));
    let items = nodes
        .map(|(at, node)| {
            let mut row = of_summary(&node.summary);
            row.insert("position".to_owned(), at.into());
            Value::Object(row)
        })
        .collect();
    let errors = it.trace.totals.errors;
    let summary = format!("A session of {} events, {errors} with errors.", it.trace.nodes.len());
    Ok(Answer::new(&it.as_of, shown, summary)
        .fact("unreadable", it.unreadable)
        .data("of", scope(&it.trace))
        .data("totals", totals(&it.trace))
        .list("timeline", items, Rest::From { first: position(first) }))
}

/// The sessions, those that went on last first.
fn sessions(call: &Call<'_>) -> Result<Answer, Failure> {
    let (activity, unreadable) = call.view.activity(By::Session)?;
    let mut lines = activity.finish();
    lines.sort_by_key(|line| std::cmp::Reverse(line.last_seen));
    let items = lines.iter().take(NAMES_MAX).map(|line| figures("session", line)).collect();
    let summary = format!("{} sessions; ask again with one of them.", lines.len());
    let mut answer = Answer::new(call.as_of(), Rights::default(), summary);
    answer.records = Some(0);
    Ok(answer.fact("sessions_in_all", lines.len()).fact("unreadable", unreadable.count()).list(
        "sessions",
        items,
        Rest::Ends,
    ))
}

/// A place in a list; one beyond every list is as good as any.
fn position(first: u64) -> usize {
    usize::try_from(first).unwrap_or(usize::MAX)
}

/// What has this id: a trace, else a task, else a session.
pub(crate) fn of_id(call: &Call<'_>, id: &str, shown: Rights) -> Result<Assembled, Failure> {
    let scopes = [Scope::Trace(id.into()), Scope::Task(id.into()), Scope::Session(id.into())];
    assembled(call, &scopes, shown)
}

fn assembled(call: &Call<'_>, scopes: &[Scope], shown: Rights) -> Result<Assembled, Failure> {
    for scope in scopes {
        let filter = query::Filter {
            limit: Some(TRACE_RECORDS_MAX + 1),
            without_access_records: !call.rights.access_records,
            ..scope.filter()
        };
        let page = call.view.page(&filter, None, &())?;
        if page.found.len() > TRACE_RECORDS_MAX {
            return Err(Failure::new(
                "it has more than 50,000 records; read them page by page with search_events",
            ));
        }
        if page.found.is_empty() {
            continue;
        }
        let mut found = page.found;
        if !shown.content {
            // Labels show parts of the content.
            found = found.into_iter().map(query::Found::without_content).collect();
        }
        let trace = Trace::assemble(scope.clone(), &found);
        let (as_of, unreadable) = (page.as_of, page.unreadable.count());
        return Ok(Assembled { trace, found, as_of, unreadable });
    }
    Err(Failure::new(
        "no event that the checkpoint covers has this id; recent_events shows ids that there are",
    ))
}

/// What was asked for, and which kind of id it is.
pub(crate) fn scope(trace: &Trace) -> Value {
    let (field, id) = trace.scope.field();
    json!({ field: id })
}

fn tree_row(at: usize, node: &Node) -> Value {
    let mut row = of_summary(&node.summary);
    row.insert("position".to_owned(), at.into());
    row.insert("depth".to_owned(), node.depth.into());
    row.insert("offset_ms".to_owned(), milliseconds(node.offset_ns));
    if let Some(parent) = node.parent {
        row.insert("parent".to_owned(), parent.into());
    }
    if !node.causes.is_empty() {
        row.insert("causes".to_owned(), node.causes.clone().into());
    }
    if node.reordered {
        row.insert("reordered".to_owned(), true.into());
    }
    Value::Object(row)
}

fn milliseconds(nanoseconds: u64) -> Value {
    // Microseconds are exact in a double for 285 years.
    ((nanoseconds / 1_000) as f64 / 1_000.0).into()
}

/// The sums of a trace.
pub(crate) fn totals(trace: &Trace) -> Value {
    let totals = &trace.totals;
    let count =
        |it: &query::Count| json!({ "name": it.name, "events": it.events, "errors": it.errors });
    let costs = totals.costs.iter();
    let costs: Vec<Value> = costs
        .map(|(currency, amount)| json!({ "amount": amount.to_string(), "currency": currency }))
        .collect();
    json!({
        "events": totals.events, "errors": totals.errors,
        "started_at": totals.started_at.map(|time| time.to_string()),
        "ended_at": totals.ended_at.map(|time| time.to_string()),
        "duration_ms": milliseconds(totals.duration_ns),
        "tokens": {
            "input": totals.tokens_input, "output": totals.tokens_output,
            "total": totals.tokens_total,
        },
        "costs": costs,
        "agents": totals.agents.iter().map(count).collect::<Vec<_>>(),
        "tools": totals.tools.iter().map(count).collect::<Vec<_>>(),
    })
}

/// What is odd about a trace: how much of each kind, and the first of them.
pub(crate) fn findings(trace: &Trace) -> Value {
    let found = &trace.findings;
    let named = |items: Vec<Value>| json!({ "count": items.len(), "first": items.iter().take(NAMED_MAX).collect::<Vec<_>>() });
    let index = |node: usize| trace.nodes.get(node).map(|node| node.summary.index);
    let orphans = found.orphans.iter();
    let orphans = orphans
        .map(|it| json!({ "position": it.node, "index": index(it.node), "parent": it.parent_id }));
    let gaps = found.gaps.iter();
    let gaps = gaps.map(
        |it| json!({ "position": it.node, "index": index(it.node), "missing": it.kind.as_str() }),
    );
    let circles = found.circles.iter().map(|circle| match circle {
        Circle::Parents(nodes) => json!({ "link": "parent", "positions": nodes }),
        Circle::Causes(node) => json!({ "link": "cause", "positions": [node] }),
    });
    json!({
        "missing_parents": named(orphans.collect()),
        "without_end": named(gaps.collect()),
        "circles": named(circles.collect()),
        "reordered": named(found.reordered.iter().map(|at| json!(at)).collect()),
        "unreadable": named(found.unreadable.iter().map(|index| json!(index)).collect()),
    })
}
