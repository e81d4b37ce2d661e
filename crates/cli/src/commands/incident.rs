//! `tacho report incident`: an examination as a report to hand over, with the proofs of what it
//! rests on.
//!
//! Not here: what it says (`report::incident`).

use super::forensics::Examined;
use crate::context::Context;
use crate::failure::Failure;
use crate::source::Place;
use query::AsOf;
use reading::answer::Unreadable;
use report::document;
use report::incident::{self, Incident};
use report::reports::Report;

/// Its name among the reports.
pub(super) const NAME: &str = "incident";

/// Reports on what has this id: a trace, else a task, else a session. Says whether records may be
/// missing.
pub(super) fn report(context: &Context, id: &str) -> Result<(Report, AsOf, Unreadable), Failure> {
    let source = context.source()?;
    let examined = Examined::of(context, &source, (id, None), false)?;
    let mut incident = Incident::of(examined.answer, &examined.trace, &examined.found);
    if let Place::Folder(view) = source.place() {
        incident.prove(|index| {
            let proof = reading::proofs::tlog_proof(view.reading(), index)?;
            Ok::<_, Failure>(proof.to_string())
        })?;
    }
    let (document, json) = (incident::document(&incident), document::json(&incident));
    Ok((Report { document, json }, source.as_of()?, examined.unreadable))
}
