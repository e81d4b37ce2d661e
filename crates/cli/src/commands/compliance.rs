//! `tacho report compliance-check`: a pack of controls held against the log.
//!
//! Not here: the controls and what they ask (`report::packs`).

use super::verify;
use crate::context::Context;
use crate::failure::Failure;
use crate::retaining::PolicyArguments;
use crate::terminal::plain;
use clap::Args;
use event::{Tier, Timestamp};
use prove::Verdict;
use query::{AsOf, Filter};
use reading::answer::Unreadable;
use report::document;
use report::packs::{self, Examined, Outside, Pack, Run};
use report::reports::Report;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;

/// Most bytes of a pack: hundreds of controls with their clauses.
const PACK_BYTES_MAX: u64 = 1 << 20;

/// What is asked beside the period.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "compliance-check")]
pub(crate) struct PackArguments {
    /// Pack of controls: a shipped one by name, or a TOML file of yours (docs/compliance.md)
    #[arg(long, value_name = "NAME|FILE", default_value = "governance")]
    pack: String,
    /// Verify the log too, for the controls that ask for it
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    policy: PolicyArguments,
}

impl PackArguments {
    /// Holds the pack against the records of a period. Says whether records may be missing.
    pub(crate) fn ask(
        &self,
        context: &Context,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<(Report, AsOf, Unreadable), Failure> {
        let pack = read(&self.pack)?;
        let source = context.source()?;
        let filter = Filter { from, to, ..Filter::default() };
        let (mut run, as_of) = (Run::new(&pack), source.as_of()?);
        let mut progress = context.terminal.progress("records");
        let unreadable = source.each(&filter, &mut |found| {
            progress.at(found.index, as_of.size);
            run.offer(found);
            Ok(ControlFlow::Continue(()))
        })?;
        progress.finish();
        let answers = run.finish(&self.outside(context)?).as_of(&as_of);
        let report = Report { document: packs::document(&answers), json: document::json(&answers) };
        Ok((report, as_of, unreadable))
    }

    /// What is known beside the records.
    fn outside(&self, context: &Context) -> Result<Outside, Failure> {
        let policy = self.policy.policy()?;
        let days = Tier::ALL.map(|tier| u64::from(policy.days(tier)));
        let mut outside = Outside { retention_days: Some(days), ..Outside::default() };
        if self.verify {
            let report = verify::of_log(context)?;
            let first = report.findings().iter().find(|finding| finding.kind.is_failure());
            let found = match first {
                Some(finding) => format!("`tacho verify` found: {}", plain(&finding.detail)),
                None => format!("every entry, record and signature of {} holds", report.size),
            };
            let failures = report.findings().iter().filter(|finding| finding.kind.is_failure());
            let events = failures.filter_map(|finding| finding.index).collect();
            // What could not be assessed is no proof that it holds.
            if report.verdict() != Verdict::Incomplete {
                let holds = report.verdict() == Verdict::Ok;
                outside.examined.insert("C-INT-1", Examined { holds, found, events });
            }
        }
        Ok(outside)
    }
}

/// A shipped pack, or one in a file.
fn read(name: &str) -> Result<Pack, Failure> {
    let wrong = |error: packs::PackError| Failure::usage(plain(&error.to_string()));
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "toml") {
        return Pack::shipped(name).map_err(wrong);
    }
    let file = std::fs::File::open(path).map_err(Failure::io("read", path))?;
    let mut text = String::new();
    file.take(PACK_BYTES_MAX + 1).read_to_string(&mut text).map_err(Failure::io("read", path))?;
    if text.len() as u64 > PACK_BYTES_MAX {
        let sentence = format!("{} has more than 1 MiB, which no pack has", path.display());
        return Err(Failure::usage(sentence));
    }
    Pack::parse(name, &text).map_err(wrong)
}
