//! `GET .../traces/{id}/forensics`: what failed first in a trace and why, as `tacho forensics` says
//! it; and the same as a report of an incident.
//!
//! What the caller may not see is not looked at: without the right to content the rules have
//! metadata alone, and say so. An examination that looked at content is a record of the log,
//! durable before the answer leaves. Not here: the rules (`report::forensics`),
//! and what an incident's report says beside them (`report::incident`).

use crate::access::policy::Action;
use crate::app::App;
use crate::ask;
use crate::gate::Granted;
use crate::gather::{Gathered, Room, Sight, gather};
use crate::paper::{self, FORMATS, Paper};
use crate::parameters::{Parameters, bad};
use crate::problem::Problem;
use crate::reports;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::Response;
use query::{Found, Scope, Trace};
use reading::View;
use reading::answer::Unreadable;
use report::document;
use report::forensics::{self, Forensics, Surroundings};
use report::incident::{self, Incident};
use serde_json::json;
use std::ops::ControlFlow;

/// What a trace may have: as many records as a trace that is drawn, and as much as a page of
/// records four times.
const ROOM: Room = Room { records: 50_000, bytes: 64 << 20 };

/// Examines a trace.
pub(crate) async fn examination(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let given = Parameters::parse(text.as_deref(), &["format", "alone", "content"])?;
    let format = given.one_of("format", FORMATS)?;
    let is_alone = given.flag("alone")?.unwrap_or(false);
    let content = ask::content(&app, &granted, given.flag("content")?)?;
    let hides = !ask::may(&app, &granted, Action::ReadAccessRecords);
    let sight = Sight::new(&app, content, hides);
    let question = json!({ "trace": id });
    let made =
        ask::ask_much(&app, &granted, move |view| examine(view, id, is_alone, format, sight));
    let paper = made.await?;
    if content {
        ask::record(&granted, "forensics", question, paper.records, paper.as_of.size).await?;
    }
    Ok(paper.respond())
}

/// Its name among the reports.
pub(crate) const INCIDENT: &str = "incident";

/// `GET .../reports/incident?trace=ID`: the same as a report to hand over, with the proofs of what
/// it rests on for those who may read proofs.
pub(crate) async fn incident(
    app: App,
    granted: Granted,
    text: Option<String>,
) -> Result<Response<Body>, Problem> {
    let given = Parameters::parse(text.as_deref(), &["format", "trace", "table", "content"])?;
    let format = given.one_of("format", reports::FORMATS)?;
    let table = given.get("table").map(str::to_owned);
    let id = given.get("trace").map(str::to_owned);
    let id = id.ok_or_else(|| bad("trace", "say which trace, task or session"))?;
    let content = ask::content(&app, &granted, given.flag("content")?)?;
    let sight = Sight::new(&app, content, !ask::may(&app, &granted, Action::ReadAccessRecords));
    let proves = ask::may(&app, &granted, Action::ReadProofs);
    let question = json!({ "report": INCIDENT, "trace": id });
    let make = move |view: &View| {
        let Examined { answer, trace, found, unreadable } = examined(view, id, false, sight)?;
        let mut incident = Incident::of(answer, &trace, &found);
        if proves {
            incident.prove(|index| {
                sight.check_time()?;
                let proof = reading::proofs::tlog_proof(view.reading(), index)?;
                Ok::<_, Problem>(proof.to_string())
            })?;
        }
        let (it, json) = (incident::document(&incident), || document::json(&incident));
        let bytes = paper::write_with_tables(&it, format, table.as_deref(), json)?;
        let (records, as_of) = (found.len() as u64, view.as_of().clone());
        Ok(Paper { bytes, format, records, as_of, unreadable })
    };
    let paper = ask::ask_much(&app, &granted, make).await?;
    if content {
        ask::record(&granted, "report", question, paper.records, paper.as_of.size).await?;
    }
    Ok(paper.respond())
}

/// A trace, task or session that was examined, and the records that it consists of.
struct Examined {
    answer: Forensics,
    trace: Trace,
    found: Vec<Found<'static>>,
    unreadable: Unreadable,
}

fn examine(
    view: &View,
    id: String,
    is_alone: bool,
    format: &'static str,
    sight: Sight,
) -> Result<Paper, Problem> {
    let Examined { answer, found, unreadable, .. } = examined(view, id, is_alone, sight)?;
    let bytes = paper::write(&forensics::document(&answer), format, || document::json(&answer));
    let (records, as_of) = (found.len() as u64, view.as_of().clone());
    Ok(Paper { bytes, format, records, as_of, unreadable })
}

fn examined(view: &View, id: String, is_alone: bool, sight: Sight) -> Result<Examined, Problem> {
    let scopes = vec![Scope::Trace(id.clone()), Scope::Task(id.clone()), Scope::Session(id)];
    let Some(Gathered { scope, found, mut unreadable }) = gather(view, scopes, sight, ROOM)? else {
        return Err(Problem::not_found("no event that the checkpoint covers has this id"));
    };
    let trace = Trace::assemble(scope, &found);
    let around = match is_alone {
        true => None,
        false => {
            let mut around = Surroundings::new(&trace, &found);
            let filter = sight.of(around.filter());
            unreadable = unreadable.and(view.each::<Problem>(&filter, &(), &mut |found| {
                sight.check_time()?;
                around.offer(&sight.shown(found));
                Ok(ControlFlow::Continue(()))
            })?);
            Some(around)
        }
    };
    let mut answer = forensics::examine(&trace, &found, view.as_of(), around.as_ref());
    let mut entries = view.reading().entries();
    answer.hash(|index| entries.leaf_hash(index));
    Ok(Examined { answer, trace, found, unreadable })
}
