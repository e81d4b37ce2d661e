//! `tacho report compliance-check`: a pack of controls held against the log.
//!
//! Not here: the controls and what they ask (`report::packs`).

use super::verify;
use crate::context::Context;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::retaining::PolicyArguments;
use crate::source::{Place, Source};
use crate::terminal::plain;
use crate::witnessing::read_policy;
use checkpoint::Policy;
use clap::Args;
use event::{Tier, Timestamp};
use prove::Verdict;
use query::{AsOf, Filter};
use reading::answer::Unreadable;
use reading::verify::seen_by_witnesses;
use report::document;
use report::packs::{self, Examined, Outside, Pack, Run, Witnessed};
use report::reports::Report;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

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
    /// A C2SP tlog-policy: the witnesses that must have seen the log, for the control that asks for
    /// them (docs/witnesses.md)
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
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
        // Before the records, because the log goes on meanwhile.
        let cosigned = self.cosigned(context)?;
        let source = context.source()?;
        let filter = Filter { from, to, ..Filter::default() };
        let as_of = source.as_of()?;
        let mut run = Run::new(&pack, self.outside(context, &source, cosigned)?);
        let mut progress = context.terminal.progress("records");
        let unreadable = source.each(&filter, &mut |found| {
            progress.at(found.index, as_of.size);
            run.offer(found);
            Ok(ControlFlow::Continue(()))
        })?;
        progress.finish();
        let answers = run.finish().as_of(&as_of);
        let report = Report { document: packs::document(&answers), json: document::json(&answers) };
        Ok((report, as_of, unreadable))
    }

    /// The policy whose witnesses are asked for, and what they cosigned.
    fn cosigned(&self, context: &Context) -> Result<Option<Cosigned>, Failure> {
        let Some(path) = &self.witnesses else { return Ok(None) };
        let policy = read_policy(path)?;
        if !policy.needs_witnesses() {
            let sentence = format!(
                "{} asks for no witness; docs/witnesses.md shows one that does",
                path.display()
            );
            return Err(Failure::usage(sentence));
        }
        let note = match Remote::named(context)? {
            Some(remote) => verify::read_cosigned(&remote)?,
            None => context.log_folder()?.folder.read(reading::COSIGNED_PATH)?,
        };
        Ok(Some(Cosigned { policy, note }))
    }

    /// What is known beside the records.
    fn outside(
        &self,
        context: &Context,
        source: &Source,
        cosigned: Option<Cosigned>,
    ) -> Result<Outside, Failure> {
        let policy = self.policy.policy()?;
        let days = Tier::ALL.map(|tier| u64::from(policy.days(tier)));
        let mut outside = Outside { retention_days: Some(days), ..Outside::default() };
        if self.verify {
            let (report, seen) = match source.place() {
                Place::Folder(_) => (verify::of_log(context)?, "entry, record and signature"),
                // What records say stays with the server.
                Place::Server(remote) => {
                    (verify::of_server(context, remote)?, "public entry and signature")
                }
            };
            if let Some(examined) = examined(&report, seen) {
                outside.examined.insert("C-INT-1", examined);
            }
        }
        outside.witnessed = cosigned.map(|it| witnessed(source, &it)).transpose()?;
        Ok(outside)
    }
}

/// What the check of the log says to the control that asks for it. What could not be assessed is no
/// proof that it holds.
fn examined(report: &prove::Report, seen: &str) -> Option<Examined> {
    let first = report.findings().iter().find(|finding| finding.kind.is_failure());
    let found = match first {
        Some(finding) => format!("`tacho verify` found: {}", plain(&finding.detail)),
        None => format!("every {seen} of {} holds", report.size),
    };
    let failures = report.findings().iter().filter(|finding| finding.kind.is_failure());
    let events = failures.filter_map(|finding| finding.index).collect();
    let holds = report.verdict() == Verdict::Ok;
    (report.verdict() != Verdict::Incomplete).then_some(Examined { holds, found, events })
}

/// A checkpoint that witnesses cosigned, if there is one, and the policy that says which count.
struct Cosigned {
    policy: Policy,
    note: Option<Vec<u8>>,
}

/// What witnesses saw of the log that is asked.
fn witnessed(source: &Source, it: &Cosigned) -> Result<Witnessed, Failure> {
    let (as_of, note) = (source.as_of()?, it.note.as_deref());
    let seen = match source.place() {
        Place::Folder(view) => {
            let folder = &view.reading().log().folder;
            let read = |path: &str| folder.read(path).ok().flatten();
            seen_by_witnesses(&it.policy, note, &as_of, &read)
        }
        Place::Server(remote) => {
            let read = |path: &str| Some(remote.get(&remote.public(path)).ok()?.bytes);
            seen_by_witnesses(&it.policy, note, &as_of, &read)
        }
    };
    Ok(match seen {
        Ok(it) => Witnessed { is_enough: true, size: it.size, found: it.found },
        Err(finding) => Witnessed { is_enough: false, size: 0, found: plain(&finding.detail) },
    })
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
