//! Questions over HTTP: events, one event and its proof, traces, sessions, agents.
//!
//! What an answer holds is `query`'s to say, and is the same as the commands print with
//! `--format json`.

use crate::access::policy::Action;
use crate::app::App;
use crate::ask::{self, ask};
use crate::gate::Granted;
use crate::gather::{Gathered, Room, Sight, gather};
use crate::paper;
use crate::problem::Problem;
use crate::question::Question;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use event::Kind;
use query::row::{Rows, Shape};
use query::{AsOf, By, Cursor, Filter, Found, Scope, Trace};
use reading::View;
use reading::answer::Unreadable;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Bytes of one page at most; it ends before the first record that does not fit.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// What one trace or session may have: as many bytes as a page.
const TRACE_ROOM: Room = Room { records: 50_000, bytes: PAGE_BYTES_MAX };

/// Bytes to be sent, with what has to be recorded first.
struct Answer {
    bytes: Vec<u8>,
    kind: &'static str,
    as_of: AsOf,
    records: u64,
    /// Those of the records that the page covers which cannot be read.
    unreadable: Unreadable,
    next: Option<Cursor>,
    /// Of a proof: the index that is proved, and the key that is in force.
    proved: Option<(u64, Option<String>)>,
}

impl Answer {
    /// Bytes that tell of `records` records.
    fn new(bytes: Vec<u8>, kind: &'static str, as_of: &AsOf, records: u64) -> Self {
        let (as_of, unreadable) = (as_of.clone(), Unreadable::default());
        Self { bytes, kind, as_of, records, unreadable, next: None, proved: None }
    }
}

/// `GET .../events`.
pub(crate) async fn events(
    State(app): State<App>,
    granted: Granted,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let question = Question::parse(text.as_deref(), app.logs().now_ms(), &[])?;
    answer_page(&app, &granted, "events", question).await
}

/// `GET .../agents/{name}`: the newest events of an agent.
pub(crate) async fn agent(
    State(app): State<App>,
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let mut question = Question::parse(text.as_deref(), app.logs().now_ms(), &[])?;
    question.filter.agents = vec![name];
    answer_page(&app, &granted, "agent", question).await
}

/// `GET .../events/{id}`: the record of this id, or of this index.
pub(crate) async fn event(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let question = Question::parse(text.as_deref(), app.logs().now_ms(), &[])?;
    let content = ask::content(&app, &granted, question.content)?;
    let hides = ask::hides_access_records(&app, &granted);
    let asked = json!({ "event": id });
    let answer = ask(&app, &granted, move |view| {
        let found = one(view, &id, hides)?;
        let as_of = view.as_of().clone();
        rows(&as_of, &[found], None, Shape::Document, content)
    });
    leave(&granted, "event", asked, content, answer.await?).await
}

/// `GET .../events/{id}/proof`: the tlog-proof, or with `?evidence=1` everything that proves it.
pub(crate) async fn proof(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let question = Question::parse(text.as_deref(), app.logs().now_ms(), &["evidence"])?;
    let is_evidence = question.more.iter().any(|(_, value)| value == "1" || value == "true");
    let content = is_evidence && ask::content(&app, &granted, question.content)?;
    let hides = ask::hides_access_records(&app, &granted);
    let asked = json!({ "event": id, "evidence": is_evidence });
    let answer = ask(&app, &granted, move |view| {
        let found = one(view, &id, hides)?;
        if is_evidence && is_withheld(&found) {
            // Evidence is the record itself; its place in the tree is everybody's.
            let detail = "your credential does not show this record; its proof is there without \
                          evidence=1";
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
        }
        let index = found.index;
        let (bytes, kind) = match is_evidence {
            true => (
                reading::proofs::evidence(view.reading(), index, content)
                    .map_err(|error| ask::problem(&error))?
                    .to_json()
                    .into_bytes(),
                "application/json",
            ),
            false => (
                reading::proofs::tlog_proof(view.reading(), index)
                    .map_err(|error| ask::problem(&error))?
                    .to_string()
                    .into_bytes(),
                "text/plain; charset=utf-8",
            ),
        };
        let epochs = view.reading().epochs();
        let key = epochs.in_force(view.as_of().size).keys.first().map(ToString::to_string);
        let proved = Some((index, key));
        Ok(Answer { proved, ..Answer::new(bytes, kind, view.as_of(), 1) })
    });
    leave(&granted, "proof", asked, content, answer.await?).await
}

/// `GET .../traces/{id}`.
pub(crate) async fn trace(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let asked = json!({ "trace": id });
    let scopes = vec![Scope::Trace(id.clone()), Scope::Task(id.clone()), Scope::Session(id)];
    whole(&app, &granted, "trace", asked, scopes, text.as_deref()).await
}

/// `GET .../sessions/{id}`.
pub(crate) async fn session(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let asked = json!({ "session": id });
    whole(&app, &granted, "session", asked, vec![Scope::Session(id)], text.as_deref()).await
}

/// All of the first of these scopes that has any record, with its nodes and edges.
async fn whole(
    app: &App,
    granted: &Granted,
    route: &'static str,
    asked: Value,
    scopes: Vec<Scope>,
    text: Option<&str>,
) -> Result<Response<Body>, Problem> {
    let question = Question::parse(text, app.logs().now_ms(), &[])?;
    let content = ask::content(app, granted, question.content)?;
    let sight = Sight::new(app, content, ask::hides_access_records(app, granted));
    let answer = ask(app, granted, move |view| {
        assembled(view, scopes, sight, |trace, found, as_of| {
            let mut bytes = Vec::new();
            query::write_trace(trace, found, as_of, content, &mut bytes);
            (bytes, "application/json")
        })
    });
    leave(granted, route, asked, content, answer.await?).await
}

/// `GET .../traces/{id}/graph?format=json|dot|mermaid|svg`.
pub(crate) async fn graph(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let mut format = "json".to_owned();
    for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        match (&*name, &*value) {
            ("format", "json" | "dot" | "mermaid" | "svg") => format = value.into_owned(),
            _ => {
                return Err(Problem::malformed(
                    "bad_parameter",
                    "format: json, dot, mermaid or svg",
                ));
            }
        }
    }
    // Only metadata is drawn: kinds, agents, tools, outcomes. Labels would show parts of the
    // content.
    let sight = Sight::new(&app, false, ask::hides_access_records(&app, &granted));
    let answer = ask(&app, &granted, move |view| {
        let scopes = vec![Scope::Trace(id.clone()), Scope::Task(id.clone()), Scope::Session(id)];
        assembled(view, scopes, sight, |trace, found, as_of| match format.as_str() {
            "dot" => (query::render::dot(trace, as_of).into_bytes(), "text/vnd.graphviz"),
            "mermaid" => {
                (query::render::mermaid(trace, as_of).into_bytes(), "text/plain; charset=utf-8")
            }
            "svg" => (query::render::svg(trace, as_of).into_bytes(), "image/svg+xml"),
            _ => {
                let mut bytes = Vec::new();
                query::write_trace(trace, found, as_of, false, &mut bytes);
                (bytes, "application/json")
            }
        })
    });
    leave(&granted, "graph", json!({}), false, answer.await?).await
}

/// `GET .../agents`, `GET .../sessions`.
pub(crate) async fn agents(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    activity(&app, &granted, By::Agent).await
}

/// `GET .../sessions`.
pub(crate) async fn sessions(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    activity(&app, &granted, By::Session).await
}

async fn activity(app: &App, granted: &Granted, by: By) -> Result<Response<Body>, Problem> {
    let answer = ask(app, granted, move |view| {
        let (activity, unreadable) = view.activity(by).map_err(|error| ask::problem(&error))?;
        let beyond = activity.beyond();
        let (key, plural) = match by {
            By::Agent => ("agent", "agents"),
            By::Session => ("session", "sessions"),
        };
        let lines: Vec<Value> = activity
            .finish()
            .iter()
            .map(|line| {
                json!({
                    key: line.name, "events": line.events, "errors": line.errors,
                    "tokens": line.tokens, "first_seen": line.first_seen.to_string(),
                    "last_seen": line.last_seen.to_string(),
                })
            })
            .collect();
        let as_of = view.as_of();
        let records = lines.len() as u64;
        let mut document = json!({ "checkpoint": checkpoint(as_of), plural: lines });
        if let Some(members) = document.as_object_mut().filter(|_| beyond > 0) {
            members.insert("beyond".to_owned(), beyond.into());
        }
        let bytes = query::escape::to_json(&document);
        Ok(Answer { unreadable, ..Answer::new(bytes, "application/json", as_of, records) })
    });
    leave(granted, "activity", json!({}), false, answer.await?).await
}

/// A page of records.
async fn answer_page(
    app: &App,
    granted: &Granted,
    route: &'static str,
    mut question: Question,
) -> Result<Response<Body>, Problem> {
    question.filter.without_access_records = ask::hides_access_records(app, granted);
    let content = ask::content(app, granted, question.content)?;
    if question.filter.text.is_some() && !ask::may(app, granted, Action::ReadContent) {
        // Which records hold a word tells of their content.
        return Err(ask::no_content(
            "text looks into content, which your credential does not show",
        ));
    }
    let asked = question.described();
    let answer = ask(app, granted, move |view| {
        let Question { filter, cursor, is_lines, .. } = question;
        let page =
            view.page(&filter, cursor.as_ref(), &()).map_err(|error| ask::problem(&error))?;
        let shape = if is_lines { Shape::Lines } else { Shape::Document };
        let next = page.next.as_ref();
        let mut answer = rows(&page.as_of, &page.found, Some((&filter, next)), shape, content)?;
        answer.next = answer.next.or(page.next);
        answer.unreadable = page.unreadable;
        Ok(answer)
    });
    leave(granted, route, asked, content, answer.await?).await
}

/// Records as bytes, as many as fit.
fn rows(
    as_of: &AsOf,
    found: &[Found<'_>],
    rest: Option<(&Filter, Option<&Cursor>)>,
    shape: Shape,
    content: bool,
) -> Result<Answer, Problem> {
    let bytes = |found: &Found<'_>| found.meta.len() + found.content.len() + 256;
    let mut room = PAGE_BYTES_MAX;
    let fitting = found.iter().take_while(|found| {
        let fits = room == PAGE_BYTES_MAX || bytes(found) <= room;
        room = room.saturating_sub(bytes(found));
        fits
    });
    let count = fitting.count();
    let (shown, beyond) = found.split_at(count);
    let cut = match (beyond.first(), rest) {
        (Some(first), Some((filter, _))) => Some(Cursor::new(as_of.size, filter, first.index)),
        _ => None,
    };
    let next = cut.as_ref().or(rest.and_then(|(_, next)| next));
    let failed = |_| Problem::internal();
    let mut rows = Rows::begin(Vec::new(), shape, as_of, content).map_err(failed)?;
    for found in shown {
        rows.write(found).map_err(failed)?;
    }
    let bytes = rows.end_before(next).map_err(failed)?;
    let kind = match shape {
        Shape::Document => "application/json",
        Shape::Lines => "application/x-ndjson",
    };
    Ok(Answer { next: cut, ..Answer::new(bytes, kind, as_of, count as u64) })
}

/// The record of an id or index. Of a record that is hidden, an index shows that it is there and
/// nothing of what it says.
///
/// # Errors
/// 404 when there is none, 500 when the log cannot be read.
pub(crate) fn one(
    view: &View,
    id: &str,
    hides_access_records: bool,
) -> Result<Found<'static>, Problem> {
    let missing =
        || Problem::not_found("the log has no event of this id that its checkpoint covers");
    if let Ok(index) = id.parse::<u64>() {
        let found =
            reading::answer::at(view.reading(), index).map_err(|error| ask::problem(&error))?;
        let found = found.ok_or_else(missing)?;
        return Ok(match hides_access_records && query::is_access_record(&found) {
            true => Found { meta: Cow::default(), content: Cow::default(), ..found },
            false => found,
        });
    }
    let filter = Filter {
        events: vec![id.to_owned()],
        limit: Some(1),
        without_access_records: hides_access_records,
        ..Filter::default()
    };
    let page = view.page(&filter, None, &()).map_err(|error| ask::problem(&error))?;
    page.found.into_iter().next().ok_or_else(missing)
}

/// Whether nothing of a record was left but that it is there.
pub(crate) fn is_withheld(found: &Found<'_>) -> bool {
    found.kind == Kind::Log && found.meta.is_empty()
}

/// The first of these scopes that has any record, drawn from what the caller may see of it.
fn assembled(
    view: &View,
    scopes: Vec<Scope>,
    sight: Sight,
    draw: impl FnOnce(&Trace, &[Found<'_>], &AsOf) -> (Vec<u8>, &'static str),
) -> Result<Answer, Problem> {
    let Some(Gathered { scope, found, unreadable }) = gather(view, scopes, sight, TRACE_ROOM)?
    else {
        return Err(Problem::not_found("no event that the checkpoint covers has this id"));
    };
    let trace = Trace::assemble(scope, &found);
    let (bytes, kind) = draw(&trace, &found, view.as_of());
    let records = found.len() as u64;
    Ok(Answer { unreadable, ..Answer::new(bytes, kind, view.as_of(), records) })
}

/// Records what is protected, and only then lets it go.
async fn leave(
    granted: &Granted,
    route: &'static str,
    asked: Value,
    content: bool,
    answer: Answer,
) -> Result<Response<Body>, Problem> {
    if content {
        ask::record(granted, route, asked, answer.records, answer.as_of.size).await?;
    }
    let mut response = Response::new(Body::from(answer.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    paper::tell(headers, &answer.as_of, &answer.unreadable);
    let mut say = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if let Some(next) = answer.next {
        say("tachograph-next", next.to_string());
    }
    if let Some((index, key)) = answer.proved {
        say("tachograph-index", index.to_string());
        key.into_iter().for_each(|key| say("tachograph-key", key));
    }
    Ok(response)
}

/// The checkpoint that an answer names.
pub(crate) fn checkpoint(as_of: &AsOf) -> Value {
    json!({ "origin": as_of.origin, "size": as_of.size, "root": as_of.root_hex })
}
