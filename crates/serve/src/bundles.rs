//! `GET .../bundle`: the evidence for a session, a trace or an event as one file that checks
//! itself, as `tacho bundle` makes it.
//!
//! Records leave the log's protection with it, also without their content, so the log records who
//! made it (`log.export`), durably, before it leaves. Not here: what is in it (`reading`), and its
//! page and zip file (`report::bundle`).

use crate::access::policy::Action;
use crate::answers::{is_withheld, one};
use crate::app::App;
use crate::ask;
use crate::gate::Granted;
use crate::gather::{Gathered, Room, Sight, gather};
use crate::paper::Paper;
use crate::parameters::{Parameters, bad};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Response, StatusCode};
use prove::{Subject, SubjectKind};
use query::Scope;
use reading::View;
use report::bundle::{Exported, Form, WriteError};
use seal::Act;
use serde_json::Value;

/// What the records of a bundle may have. It is made, checked and written in memory, several times
/// as large.
const ROOM: Room = Room { records: 10_000, bytes: 12 << 20 };
/// Bytes of a bundle's text: a page of records.
const TEXT_BYTES_MAX: usize = 16 << 20;
const KNOWN: &[&str] = &["session", "trace", "event", "format", "content"];

/// What a bundle is to be about.
enum Wanted {
    /// The first of these that has records.
    Scopes(Vec<Scope>),
    /// The event with this id, or at this index.
    Event(String),
}

/// A bundle, what the log is told of it, and what it is called.
struct Made {
    paper: Paper,
    act: Value,
    name: String,
}

/// Makes a bundle.
pub(crate) async fn bundle(
    State(app): State<App>,
    granted: Granted,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let given = Parameters::parse(text.as_deref(), KNOWN)?;
    let wanted = Wanted::of(&given)?;
    let form = Form::from_name(given.one_of("format", Form::NAMES)?);
    let form = form.ok_or_else(Problem::internal)?;
    let content = ask::content(&app, &granted, given.flag("content")?)?;
    if !ask::may(&app, &granted, Action::ReadMetadata) {
        let detail = "a bundle holds records, which your credential does not show";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    let hides = !ask::may(&app, &granted, Action::ReadAccessRecords);
    let sight = Sight::new(&app, content, hides);
    let made = ask::ask_much(&app, &granted, move |view| make(view, wanted, form, sight)).await?;
    granted.log()?.record(Act::Export(made.act), &granted.principal()).await?;
    Ok(made.paper.respond_as_file(&made.name))
}

impl Wanted {
    fn of(given: &Parameters) -> Result<Self, Problem> {
        let id = |name: &str| given.get(name).map(str::to_owned);
        match (id("session"), id("trace"), id("event")) {
            (Some(id), None, None) => Ok(Self::Scopes(vec![Scope::Session(id)])),
            (None, Some(id), None) => {
                Ok(Self::Scopes(vec![Scope::Trace(id.clone()), Scope::Task(id)]))
            }
            (None, None, Some(id)) => Ok(Self::Event(id)),
            _ => Err(bad("session, trace, event", "name one of them")),
        }
    }

    /// What it is about, and where its records are.
    fn find(self, view: &View, sight: Sight) -> Result<(Subject, Vec<u64>), Problem> {
        let scopes = match self {
            Self::Scopes(scopes) => scopes,
            Self::Event(id) => return find_event(view, &id, sight),
        };
        let Some(Gathered { scope, found, unreadable }) = gather(view, scopes, sight, ROOM)? else {
            return Err(Problem::not_found("no event that the checkpoint covers has this id"));
        };
        if unreadable.count() > 0 {
            let count = unreadable.count();
            let detail = format!(
                "{count} records of the log cannot be read, and so nothing complete can be made of \
                 it; run `tacho verify`"
            );
            return Err(unusable(detail));
        }
        let (kind, id) = match scope {
            Scope::Trace(id) => (SubjectKind::Trace, id),
            Scope::Task(id) => (SubjectKind::Task, id),
            Scope::Session(id) => (SubjectKind::Session, id),
        };
        Ok((Subject { kind, id }, found.iter().map(|found| found.index).collect()))
    }
}

fn find_event(view: &View, id: &str, sight: Sight) -> Result<(Subject, Vec<u64>), Problem> {
    let found = one(view, id, sight.hides_access_records)?;
    if is_withheld(&found) {
        let detail = "your credential does not show this record";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    let event = found.event().map_err(|error| unusable(error.to_string()))?;
    let id = event.event_id.map_or_else(|| format!("#{}", found.index), |id| id.into_owned());
    Ok((Subject { kind: SubjectKind::Event, id }, vec![found.index]))
}

fn make(view: &View, wanted: Wanted, form: Form, sight: Sight) -> Result<Made, Problem> {
    let (subject, indexes) = wanted.find(view, sight)?;
    sight.check_time()?;
    let name = format!("{}-{}", subject.kind.as_str(), subject.id);
    let bundle = reading::bundle(view.reading(), subject, &indexes, sight.content)
        .map_err(|error| ask::problem(&error))?;
    let bytes = form.write(&bundle, TEXT_BYTES_MAX).map_err(|error| match error {
        WriteError::TooLarge { .. } => Problem::too_large(format!(
            "{error}; ask for less, without content, or where the log's folder is (`tacho bundle \
             --data`)"
        )),
        WriteError::Archive(error) => Problem::too_large(error.to_string()),
    })?;
    let as_of = view.as_of().clone();
    let exported = Exported { form, with_content: sight.content, to: "http" };
    let act = exported.told(&bundle, &bytes, &as_of);
    let (records, format) = (bundle.records.len() as u64, form.name());
    let unreadable = reading::answer::Unreadable::default();
    Ok(Made { paper: Paper { bytes, format, records, as_of, unreadable }, act, name })
}

fn unusable(detail: String) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "log_unreadable", detail)
}
