//! `GET .../traces/{id}/forensics`: what failed first in a trace and why, as `tacho forensics` says
//! it.
//!
//! What the caller may not see is not looked at: without the right to content the rules have
//! metadata alone, and say so. An examination that looked at content is a record of the log,
//! durable before the answer leaves. Not here: the rules (`report::forensics`).

use crate::access::policy::Action;
use crate::app::App;
use crate::ask;
use crate::gate::Granted;
use crate::gather::{Gathered, Room, Sight, gather};
use crate::paper::{self, FORMATS, Paper};
use crate::parameters::Parameters;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::Response;
use query::{Scope, Trace};
use reading::View;
use report::document;
use report::forensics::{self, Surroundings};
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

fn examine(
    view: &View,
    id: String,
    is_alone: bool,
    format: &'static str,
    sight: Sight,
) -> Result<Paper, Problem> {
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
    let as_of = view.as_of().clone();
    let mut answer = forensics::examine(&trace, &found, &as_of, around.as_ref());
    let mut entries = view.reading().entries();
    answer.hash(|index| entries.leaf_hash(index));
    let bytes = paper::write(&forensics::document(&answer), format, || document::json(&answer));
    let records = found.len() as u64;
    Ok(Paper { bytes, format, records, as_of, unreadable })
}
