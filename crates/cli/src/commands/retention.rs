//! `tacho retention`: what would go, and when; and what is due goes.

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::{self, local_principal};
use crate::remote::Remote;
use crate::remote::acts::Planned;
use crate::retaining::{self, PolicyArguments};
use crate::terminal::{DIM, GOOD, STRONG, plain, styled};
use clap::{Args, Subcommand};
use event::{Tier, Timestamp};
use indicatif::{HumanBytes, HumanCount};
use retain::Expired;
use seal::{Clock as _, Settled, SystemClock};
use segment::Row;
use serde_json::Value;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Records stay as long as their tier says: debug 7 days, info 30, compliance 365, critical 730, or what the section
[retention] of the configuration says. They go a day after that, counted from the newest record of a segment, so that
a clock that is fast by a day removes nothing early. Holds keep what they name; the log's own records always stay.

  [retention]
  profile = \"eu-ai-act\"      # default, eu-ai-act, pci-dss, hipaa, sec-17a-4: raises what is less
  info-days = 200

Examples:
  tacho retention plan
  tacho retention plan --profile hipaa --format json
  tacho retention apply";

/// What is no sign of a clock that is wrong, in milliseconds.
const MOMENT_MS: u64 = 60_000;

/// Show what would expire and when; expire what is due
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what would go, and when
    Plan {
        #[command(flatten)]
        policy: PolicyArguments,
    },
    /// Remove what is due, after recording it in the log
    Apply {
        #[command(flatten)]
        policy: PolicyArguments,
    },
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        match &self.what {
            What::Plan { policy } => {
                let planned = planned(context, policy)?;
                match format {
                    Format::Json => write_json(context, &planned.document)?,
                    _ => write_text(context, &planned)?,
                }
            }
            What::Apply { policy } => {
                let expired = expire(context, policy)?;
                if format == Format::Json {
                    write_json(context, &expired.to_json())?;
                } else {
                    let (records, held) = (HumanCount(expired.records), HumanCount(expired.held));
                    let done = styled(GOOD, "Expired");
                    context.terminal.note(format!("{done} {records} records; {held} are held."));
                }
            }
        }
        Ok(Exit::Fine)
    }
}

fn planned(context: &Context, policy: &PolicyArguments) -> Result<Planned, Failure> {
    if let Some(remote) = Remote::in_charge(context, retaining::ANSWERS)? {
        policy.is_the_servers(context);
        return remote.plan();
    }
    let policy = policy.policy()?;
    let now_ms = SystemClock.now_ms();
    let look = |settled: &Settled, tail: &[&Row]| retain::plan(settled, tail, &policy, now_ms);
    let plan = retaining::look(context, look)?;
    let days = Tier::ALL.into_iter().map(|tier| (tier, policy.days(tier))).collect();
    let (profile, document) = (policy.profile.as_str().to_owned(), plan.to_json(&policy));
    Ok(Planned { plan, profile, days, document })
}

fn expire(context: &Context, policy: &PolicyArguments) -> Result<Expired, Failure> {
    if let Some(remote) = Remote::in_charge(context, retaining::DOES)? {
        policy.is_the_servers(context);
        return remote.expire();
    }
    let policy = policy.policy()?;
    let (log, mut writer) = retaining::open(context)?;
    let now_ms = SystemClock.now_ms();
    let expired = retain::expire(&mut writer, &policy, now_ms, &local_principal())?;
    recording::close(context, &log, writer)?;
    Ok(expired)
}

fn write_json(context: &Context, document: &Value) -> Result<(), Failure> {
    let mut out = context.terminal.programs();
    writeln!(out, "{document}")?;
    Ok(out.flush()?)
}

fn write_text(context: &Context, planned: &Planned) -> Result<(), Failure> {
    let mut out = context.terminal.people();
    let Planned { plan, profile, days, .. } = planned;
    let days: Vec<String> =
        days.iter().map(|(tier, days)| format!("{} {days}", tier.as_str())).collect();
    let profile = plain(profile);
    writeln!(out, "{} {profile}: {} days", styled(DIM, "policy"), days.join(", "))?;
    // Records may come while it is made.
    if plan.now_ms.saturating_add(MOMENT_MS) < plan.newest_ms {
        writeln!(out, "The clock is behind the newest record: nothing is due until it is right.")?;
    }
    let head = format!("{:<12}{:<12}{:<22}{:>12}{:>12}", "tier", "day", "goes", "records", "size");
    writeln!(out, "{}", styled(DIM, head))?;
    for class in &plan.classes {
        let (tier, date) = (class.tier.as_str(), Timestamp::date_of_day(class.day));
        let due = match class.due_ms <= plan.now_ms {
            true if class.going == 0 => "stays".to_owned(),
            true => "now".to_owned(),
            false => Timestamp::from_milliseconds(class.due_ms).date(),
        };
        let records = HumanCount(class.records).to_string();
        let bytes = HumanBytes(class.bytes).to_string();
        let line = format!("{tier:<12}{date:<12}{due:<22}{records:>12}{bytes:>12}");
        let mut notes = Vec::new();
        if class.held > 0 {
            notes.push(format!("{} held", HumanCount(class.held)));
        }
        if class.own > 0 {
            notes.push(format!("{} the log's own", HumanCount(class.own)));
        }
        writeln!(out, "{line}  {}", notes.join(", "))?;
    }
    let going = styled(STRONG, HumanCount(plan.going()));
    writeln!(out, "{going} records are due; `tacho retention apply` removes them.")?;
    Ok(out.flush()?)
}
