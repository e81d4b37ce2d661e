//! `tacho erase`: content, or whole records, gone for good.

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::{self, local_principal};
use crate::remote::Remote;
use crate::retaining::{self, PolicyArguments, SelectorArguments};
use crate::terminal::{GOOD, styled};
use clap::Args;
use event::Scope;
use indicatif::HumanCount;
use retain::{Erased, Erasure, RetainError};
use seal::{Clock as _, SystemClock};
use std::io::Write as _;

const AFTER_HELP: &str = "\
What is erased is gone from every file of the log, and the keys of the old files are destroyed, so that copies of
those files open with nothing that is left. Every proof stays valid. The log records first who erased what and why.
A legal hold comes before an erasure (exit 3), and so does the least time that a retention profile asks for.
A backup of the keyring together with the key-encryption key still opens old copies: renew your backups.

Look first:  tacho events --session s-4711

Examples:
  tacho erase --session s-4711 --scope content --reason 'Request 88' --ground 'GDPR Art. 17(1)(b)'
  tacho erase --event 0196f0c2-7e9b-7a11-8a57-0d2f6f1c9b1e --scope record --reason 'Sent by mistake'";

/// Erase the content of records, or whole records
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selector: SelectorArguments,
    /// content: the metadata stays and still counts; record: all but the public entry goes
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    scope: Scope,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// On which legal ground; it is recorded
    #[arg(long, value_name = "TEXT")]
    ground: Option<String>,
    #[command(flatten)]
    policy: PolicyArguments,
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::from_name(name).ok_or_else(|| "choose `content` or `record`".to_owned())
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let erased = self.erase(context)?;
        if format == Format::Json {
            let mut out = context.terminal.programs();
            writeln!(out, "{}", erased.to_json(self.scope))?;
            out.flush()?;
        } else {
            let what = match self.scope {
                Scope::Content => "the content of",
                Scope::Record => "all of",
            };
            context.terminal.note(format!(
                "{} {what} {} records; record {} of the log says who and why.",
                styled(GOOD, "Erased"),
                HumanCount(erased.records),
                erased.authority
            ));
        }
        Ok(Exit::Fine)
    }

    fn erase(&self, context: &Context) -> Result<Erased, Failure> {
        let selector = self.selector.selector();
        if selector.is_empty() {
            return Err(RetainError::EmptySelection.into());
        }
        if let Some(remote) = Remote::in_charge(context, retaining::DOES)? {
            self.policy.is_the_servers(context);
            return remote.erase(&selector, self.scope, &self.reason, self.ground.as_deref());
        }
        let policy = self.policy.policy()?;
        let (reason, ground) = (self.reason.clone(), self.ground.clone());
        let (scope, by) = (self.scope, local_principal());
        let erasure = Erasure { selector, scope, reason, ground, by };
        let (log, mut writer) = retaining::open(context)?;
        let outcome = retain::erase(&mut writer, &erasure, &policy, SystemClock.now_ms());
        // A refusal is on record, and the log is closed in good order.
        let closed = recording::close(context, &log, writer);
        let erased = outcome?;
        closed?;
        Ok(erased)
    }
}
