//! `tacho demo`: recorded multi-agent systems played into a fresh log, looked at, verified, and
//! tampered with in a copy. Everything it shows it has checked; it fails when anything is not as it
//! tells.

mod console;
mod place;
mod recorded;
mod story;
mod tamper;

use super::trace;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::source::Source;
use crate::writing::Writing;
use clap::Args;
use event::Event;
use keys::Kek;
use place::Place;
use prove::{Finding, Report, Trust, Verdict};
use query::{AsOf, Scope, Trace};
use reading::LogFolder;
use reading::answer;
use reading::verify::{Options, verify};
use reading::{Reading, View};
use recorded::{PLANTED, Played, SOURCES};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use tamper::Tampered;

const AFTER_HELP: &str = "\
Without --data the log goes to a temporary folder, with a key of its own; nothing else is touched. Exit
code 0 only if the log verified, and the changed byte was found in the right record of the copy. Without
--headless it goes on serving the console of that log, until Ctrl-C.

Examples:
  tacho demo
  tacho demo --listen 127.0.0.1:7500
  tacho demo --headless --data ./demo-data
  tacho demo --headless --format json";

/// Play recorded agents into a fresh log, verify it, tamper with a copy
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Only print, and end
    #[arg(long)]
    headless: bool,
    /// Where to serve the console [default: 127.0.0.1:7411, or another port if that is taken]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "headless")]
    listen: Option<SocketAddr>,
}

/// What the demo did and saw.
struct Demo {
    place: Place,
    log: LogFolder,
    played: Vec<Played>,
    as_of: AsOf,
    redacted: Redacted,
    incident: Trace,
    agent: Trace,
    verified: Report,
    verified_in: Duration,
    /// The record that was tampered with in the copy.
    target: u64,
    tampered: Tampered,
    tampered_report: Report,
    leaks: Leaks,
    /// What did not go as it should.
    problems: Vec<String>,
}

/// What was taken out before sealing, as the records say.
#[derive(Default)]
struct Redacted {
    values: u64,
    events: u64,
    rules: BTreeMap<String, u64>,
    /// A message that held a secret: its record, and how it was sealed.
    example: Option<(u64, String)>,
}

/// Where the planted texts were looked for, and how often they were found.
#[derive(Default)]
struct Leaks {
    in_sources: u64,
    files: u64,
    in_files: u64,
    records: u64,
    in_records: u64,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let demo = Demo::play(context)?;
        match format {
            Format::Json => story::for_programs(context, &demo)?,
            _ => story::for_people(context, &demo)?,
        }
        for problem in &demo.problems {
            context.terminal.failure(&Failure::new(problem));
        }
        if !demo.problems.is_empty() {
            return Ok(Exit::Failed);
        }
        match self.headless {
            true => Ok(Exit::Fine),
            false => console::serve(context, &demo.place, self.listen),
        }
    }
}

impl Demo {
    fn play(context: &Context) -> Result<Self, Failure> {
        let place = Place::fresh(context)?;
        let writing = Writing::open(&place.context, false)?;
        let played: Result<Vec<Played>, Failure> =
            SOURCES.iter().map(|source| recorded::play(&writing, source)).collect();
        let closed = writing.close(context);
        let played = played?;
        closed?;

        let log = place.context.log_folder()?;
        let kek = place.context.kek(&log)?;
        let view = View::open(log.clone(), &kek)?;
        let (redacted, mut leaks) = look(view.reading())?;
        let as_of = view.as_of().clone();
        let asked = Source::of(view, place.context.terminal);
        let trace_of = |source: usize| {
            let id = played.get(source).and_then(|played| played.trace.clone()).unwrap_or_default();
            let (scope, found, _) = trace::find(&asked, &id, Some(trace::By::Trace))?;
            Ok::<_, Failure>(Trace::assemble(scope, &found))
        };
        let (incident, agent) = (trace_of(0)?, trace_of(1)?);
        let begun = Instant::now();
        let verified = check(&log, &log, &kek)?;
        let verified_in = begun.elapsed();

        let target = refund_call(&incident)?;
        let tampered = tamper::tamper(&log, &kek, &place.tampered, target)?;
        let tampered_report = check(&log, &tampered.log, &kek)?;
        for folder in [&place.data, &place.tampered] {
            let (found, files) = tamper::search(folder, &recorded::planted_in)?;
            leaks.in_files += found;
            leaks.files += files;
        }
        let mut demo = Self {
            as_of,
            place,
            log,
            played,
            redacted,
            incident,
            agent,
            verified,
            verified_in,
            target,
            tampered,
            tampered_report,
            leaks,
            problems: Vec::new(),
        };
        demo.judge();
        Ok(demo)
    }

    /// The finding that names the record that was changed, and no other.
    fn finding(&self) -> Option<&Finding> {
        let mut findings = self.tampered_report.findings().iter();
        findings.find(|it| it.index == Some(self.target) && it.count == 1)
    }

    /// Compares what was seen with what must be.
    fn judge(&mut self) {
        let verdict = |report: &Report| serde_json::json!(report.verdict()).to_string();
        let corrupt = self.tampered_report.counts.corrupt;
        let checks = [
            (self.played.iter().all(|it| it.refused == 0 && it.events > 0), {
                "some of the recorded events were refused".to_owned()
            }),
            (self.incident.totals.errors > 0 && self.agent.totals.tokens_total > 0, {
                "a recorded trace lacks its errors or tokens".to_owned()
            }),
            (self.redacted.values > 0 && self.leaks.in_sources > 0, {
                "nothing was redacted, although the recordings hold secrets".to_owned()
            }),
            (self.leaks.in_files == 0 && self.leaks.in_records == 0, {
                format!(
                    "planted secrets were found: {} in files, {} in records",
                    self.leaks.in_files, self.leaks.in_records
                )
            }),
            (self.verified.verdict() == Verdict::Ok, {
                format!("the fresh log does not verify: {}", verdict(&self.verified))
            }),
            (self.tampered_report.verdict() == Verdict::Tampered, {
                format!("the changed copy was not detected: {}", verdict(&self.tampered_report))
            }),
            (self.finding().is_some() && corrupt == 1, {
                format!("verify did not name record {} alone ({corrupt} corrupt)", self.target)
            }),
        ];
        let problems = checks.into_iter().filter(|(fine, _)| !fine).map(|(_, problem)| problem);
        self.problems = problems.collect();
    }
}

/// Reads every record: what was redacted, and whether a planted text is left in one.
fn look(reading: &Reading) -> Result<(Redacted, Leaks), Failure> {
    let (mut redacted, mut leaks) = (Redacted::default(), Leaks::default());
    let sources = SOURCES.iter().flat_map(|source| source.files);
    leaks.in_sources = sources.map(|bytes| recorded::planted_in(bytes)).sum();
    let unreadable = answer::scan::<Failure>(reading, 0, &mut |found| {
        leaks.records += 1;
        leaks.in_records +=
            recorded::planted_in(&found.meta) + recorded::planted_in(&found.content);
        let Ok(event) = found.event() else { return Ok(ControlFlow::Continue(())) };
        redacted.add(found.index, &event);
        Ok(ControlFlow::Continue(()))
    })?;
    if unreadable != answer::Unreadable::default() {
        return Err(Failure::new("the fresh log cannot be read to its end; run `tacho verify`"));
    }
    Ok((redacted, leaks))
}

impl Redacted {
    fn add(&mut self, index: u64, event: &Event<'_>) {
        self.events += u64::from(!event.redactions.is_empty());
        // The entry of path `*` names the policy, no value.
        for redaction in event.redactions.iter().filter(|redaction| redaction.path != "*") {
            self.values += 1;
            *self.rules.entry(redaction.rule.to_string()).or_default() += 1;
        }
        if let Some(message) = event.content.error_message()
            && message.contains("[redacted:")
        {
            self.example.get_or_insert((index, message));
        }
    }
}

/// Verifies a copy of a log, or the log itself, against the keys that the log was made with.
fn check(log: &LogFolder, copy: &LogFolder, kek: &Kek) -> Result<Report, Failure> {
    let mut pinned = Vec::new();
    for key in &log.identity.keys {
        pinned.push(key.parse()?);
    }
    let origin = Some(log.identity.origin.clone());
    let options = Options { trust: Trust { pinned, ..Trust::default() }, origin, since: None };
    Ok(verify(&copy.folder, Some(kek), &options, &mut |_| {}))
}

/// The record of the last call that asked for money.
fn refund_call(incident: &Trace) -> Result<u64, Failure> {
    let calls =
        incident.nodes.iter().filter(|node| node.summary.tool.as_deref() == Some("process_refund"));
    let index = calls.map(|node| node.summary.index).max();
    index.ok_or_else(|| Failure::new("the recorded incident has no refund in it"))
}

/// The id that a scope is about.
fn id_of(scope: &Scope) -> &str {
    scope.field().1
}
