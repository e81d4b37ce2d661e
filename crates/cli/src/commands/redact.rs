//! `tacho redact`: what a redaction policy would do, what the rules are, which policy a log has.
//!
//! Not here: redacting what is sealed (`redact`, for every way in) and reading a log's policy
//! (`seal`).

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{BAD, DIM, DOUBTFUL, GOOD, STRONG, plain, styled};
use clap::{Args, Subcommand};
use event::{Event, Redaction};
use redact::{Policy, Preset, Redactor, Rule};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
Nothing of what is found is shown, only its kind and where it stands; nothing is sealed.

Examples:
  tacho redact test events.ndjson                        by the log's policy
  tacho redact test events.ndjson --policy gdpr.toml     by one that is being written
  tacho redact test - --preset strict --format json      by a preset
  tacho redact use gdpr.toml                             the log's policy from its next start on
  tacho redact rules";

/// Try a redaction policy, list its rules, give one to a log
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what would be taken from events, one JSON object a line
    Test {
        /// File to read; `-` for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The policy to try, instead of the log's
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// A preset to try: default, strict, pci or gdpr
        #[arg(long, value_name = "NAME", conflicts_with = "policy")]
        preset: Option<String>,
    },
    /// List the rules, and what the log's policy does with what they find
    Rules,
    /// Check a policy and make it the log's; a running server takes it when it starts again
    Use {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.what {
            What::Test { file, policy, preset } => {
                let policy = match (policy, preset) {
                    (Some(path), _) => read_policy(path)?,
                    (None, Some(name)) => Policy::preset(named(name)?),
                    (None, None) => own_policy(context)?,
                };
                test(context, file, &policy)
            }
            What::Rules => rules(context),
            What::Use { file } => {
                let policy = read_policy(file)?;
                let log = context.log_folder()?;
                let text = std::fs::read(file).map_err(Failure::io("read", file))?;
                log.folder.replace(seal::REDACTION_POLICY_PATH, &text)?;
                let told = format!("{} {}", styled(GOOD, "The log's policy:"), plain(&policy.id()));
                context.terminal.note(told);
                Ok(Exit::Fine)
            }
        }
    }
}

fn named(name: &str) -> Result<Preset, Failure> {
    Preset::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
        let known = known.join(", ");
        Failure::usage(format!("there is no preset \"{}\"; choose one of: {known}", plain(name)))
    })
}

fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::io("read", path))?;
    let wrong = |error| Failure::usage(format!("{}: {error}", plain(&path.to_string_lossy())));
    Policy::from_toml(&text).map_err(wrong)
}

/// The policy of the log that is meant; the default one where there is no log.
fn own_policy(context: &Context) -> Result<Policy, Failure> {
    match context.log_folder() {
        Ok(log) => Ok(seal::redaction_policy(&*log.folder)?),
        Err(_) => Ok(Policy::default()),
    }
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    events: u64,
    changed: u64,
    refused: u64,
    rules: BTreeMap<String, u64>,
}

fn test(context: &Context, file: &Path, policy: &Policy) -> Result<Exit, Failure> {
    let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
    // Pseudonyms of a trial are nobody's: they are not shown either.
    let redactor =
        Redactor::new(policy, [0; 32]).map_err(|error| Failure::usage(error.to_string()))?;
    let input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(std::fs::File::open(file).map_err(Failure::io("read", file))?))
    };
    let mut tally = Tally::default();
    let mut found = Vec::new();
    let mut people = context.terminal.people();
    let mut programs = context.terminal.programs();
    for (number, line) in input.split(b'\n').enumerate() {
        let line = line.map_err(Failure::io("read", file))?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        tally.events += 1;
        let Ok(event) = Event::from_json(&line) else {
            tally.refused += 1;
            continue;
        };
        let before = event.redactions.len();
        let event = redactor.redact(event).into_inner();
        let notes = event.redactions.get(before..).unwrap_or_default();
        tally.add(notes);
        match format {
            Format::Text => show(&mut people, number + 1, &event, notes)?,
            Format::Ndjson => {
                notes
                    .iter()
                    .filter(|note| note.rule != "policy")
                    .try_for_each(|note| writeln!(programs, "{}", as_json(number + 1, note)))?;
            }
            _ => {
                let own = notes.iter().filter(|note| note.rule != "policy");
                found.extend(own.map(|note| as_json(number + 1, note)));
            }
        }
    }
    match format {
        Format::Text => {
            tally.summary(&mut people, redactor.policy_id())?;
            people.flush()?;
        }
        Format::Json => {
            let answer = json!({
                "policy": redactor.policy_id(), "events": tally.events, "changed": tally.changed,
                "refused": tally.refused, "rules": tally.rules, "findings": found,
            });
            writeln!(programs, "{answer}")?;
        }
        _ => {}
    }
    programs.flush()?;
    Ok(Exit::Fine)
}

fn as_json(line: usize, note: &Redaction<'_>) -> Value {
    json!({ "line": line, "path": note.path, "rule": note.rule, "action": note.action })
}

fn show(
    out: &mut impl Write,
    line: usize,
    event: &Event<'_>,
    notes: &[Redaction<'_>],
) -> std::io::Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    let kind = plain(&event.event_type);
    writeln!(out, "{} {kind}", styled(STRONG, format_args!("line {line}")))?;
    for note in notes.iter().filter(|note| note.rule != "policy") {
        let style = match &*note.action {
            "drop" => BAD,
            "hash" | "tokenise" => DOUBTFUL,
            _ => GOOD,
        };
        let (path, rule) = (plain(&note.path), plain(&note.rule));
        writeln!(out, "  {:<10} {rule:<20} {path}", styled(style, &note.action))?;
    }
    Ok(())
}

impl Tally {
    fn add(&mut self, notes: &[Redaction<'_>]) {
        self.changed += u64::from(!notes.is_empty());
        for note in notes.iter().filter(|note| note.path != "*") {
            *self.rules.entry(note.rule.to_string()).or_default() += 1;
        }
    }

    fn summary(&self, out: &mut impl Write, policy: &str) -> std::io::Result<()> {
        let Self { events, changed, refused, .. } = self;
        writeln!(out, "{changed} of {events} events would lose something, by policy {policy}.")?;
        if *refused > 0 {
            writeln!(
                out,
                "{refused} are no events and would be refused (`tacho append` says why)."
            )?;
        }
        for (rule, count) in &self.rules {
            writeln!(out, "  {count:>8} {}", plain(rule))?;
        }
        Ok(())
    }
}

fn rules(context: &Context) -> Result<Exit, Failure> {
    let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
    let all = Rule::ALL.iter().map(|rule| {
        json!({ "rule": rule.as_str(), "group": rule.group().as_str(), "takes": rule.about() })
    });
    if format != Format::Text {
        let mut out = context.terminal.programs();
        match format {
            Format::Json => writeln!(out, "{}", Value::from_iter(all))?,
            _ => all.into_iter().try_for_each(|rule| writeln!(out, "{rule}"))?,
        }
        out.flush()?;
        return Ok(Exit::Fine);
    }
    let mut out = context.terminal.people();
    for rule in Rule::ALL {
        let (name, group) = (styled(STRONG, rule.as_str()), styled(DIM, rule.group().as_str()));
        writeln!(out, "{name} {group}\n  {}", rule.about())?;
    }
    writeln!(out, "{}", styled(DIM, format_args!("policy {}", own_policy(context)?.id())))?;
    out.flush()?;
    Ok(Exit::Fine)
}
