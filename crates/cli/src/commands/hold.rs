//! `tacho hold`: legal holds.

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::{self, local_principal};
use crate::remote::Remote;
use crate::retaining::{self, SelectorArguments};
use crate::terminal::{DIM, GOOD, STRONG, plain, styled};
use clap::{Args, Subcommand};
use event::Timestamp;
use retain::{Hold, RetainError, Selector};
use std::io::Write as _;

const AFTER_HELP: &str = "\
A hold keeps every record that it names, those that come later too: no erasure and no expiry takes them.
Who put it on and why is recorded in the log first.

Examples:
  tacho hold add --session s-4711 --reason 'Case 12/2026'
  tacho hold add --agent Billing --from 2026-11-01 --to 2026-11-08 --reason 'Incident 93'
  tacho hold list
  tacho hold release hold-1042 --reason 'Case 12/2026 closed'";

/// Put records under a legal hold, release it, list what is held
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put a hold on records
    Add {
        #[command(flatten)]
        selector: SelectorArguments,
        /// Why; it is recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Release a hold
    Release {
        /// The hold's name
        #[arg(value_name = "HOLD")]
        name: String,
        /// Why; it is recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the holds in force
    List,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.what {
            What::Add { selector, reason } => {
                let selector = selector.selector();
                let name = add(context, &selector, reason)?;
                let what = plain(&selector.describe());
                context.terminal.note(format!("{} {what}.", styled(GOOD, "Held:")));
                let mut out = context.terminal.programs();
                writeln!(out, "{}", plain(&name))?;
                out.flush()?;
            }
            What::Release { name, reason } => {
                match Remote::in_charge(context, retaining::DOES)? {
                    Some(remote) => remote.release(name, reason)?,
                    None => {
                        let (log, mut writer) = retaining::open(context)?;
                        retain::release(&mut writer, name, reason, &local_principal())?;
                        recording::close(context, &log, writer)?;
                    }
                }
                context.terminal.note(format!("{} {}.", styled(GOOD, "Released"), plain(name)));
            }
            What::List => return list(context),
        }
        Ok(Exit::Fine)
    }
}

/// Puts a hold on what is selected, and gives its name.
fn add(context: &Context, selector: &Selector, reason: &str) -> Result<String, Failure> {
    if selector.is_empty() {
        return Err(RetainError::EmptySelection.into());
    }
    if let Some(remote) = Remote::in_charge(context, retaining::DOES)? {
        return remote.hold(selector, reason);
    }
    let (log, mut writer) = retaining::open(context)?;
    let name = retain::hold(&mut writer, selector, reason, &local_principal())?;
    recording::close(context, &log, writer)?;
    Ok(name)
}

fn holds(context: &Context) -> Result<Vec<Hold>, Failure> {
    if let Some(remote) = Remote::in_charge(context, retaining::ANSWERS)? {
        return remote.holds();
    }
    retaining::look(context, retain::holds_seen)
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
    let holds = holds(context)?;
    if format != Format::Text {
        let mut out = context.terminal.programs();
        match format {
            Format::Json => {
                writeln!(out, "{}", serde_json::Value::from_iter(holds.iter().map(Hold::to_json)))?;
            }
            _ => holds.iter().try_for_each(|hold| writeln!(out, "{}", hold.to_json()))?,
        }
        out.flush()?;
        return Ok(Exit::Fine);
    }
    let mut out = context.terminal.people();
    if holds.is_empty() {
        writeln!(out, "No holds.")?;
    }
    for hold in &holds {
        let since = Timestamp::from_milliseconds(hold.since_ms).date();
        let (name, what) = (styled(STRONG, plain(&hold.name)), plain(&hold.selector.describe()));
        let (reason, by) = (plain(&hold.reason), plain(hold.by.as_deref().unwrap_or("?")));
        writeln!(out, "{name}  {what}")?;
        writeln!(out, "  {}", styled(DIM, format_args!("since {since} by {by}: {reason}")))?;
    }
    out.flush()?;
    Ok(Exit::Fine)
}
