//! `tacho keys rotate-redaction`: another secret (a pepper) keys the pseudonyms that redaction
//! leaves behind, and those before it may be destroyed.

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording;
use crate::terminal::{DOUBTFUL, GOOD, styled};
use clap::Args;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Redaction puts keyed hashes where values stood: the same value, the same pseudonym, so that records can be joined.
From here on the same value gets another pseudonym. Records before keep theirs. With --destroy-old nobody can find
out any more which value a pseudonym of theirs stands for, not even by trying all values with the keyring at hand;
and no new record joins with them. It cannot be undone. The log records who did it and why, before it is done.
A backup of the keyring still holds the old secret: renew your backups. docs/redaction.md says more.

Examples:
  tacho keys rotate-redaction
  tacho keys rotate-redaction --destroy-old --reason 'study ended, ticket 91'
  tacho keys rotate-redaction --format json | jq -r .destroyed";

/// Key new pseudonyms by another redaction secret, and destroy those before it if asked
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Destroy every redaction secret before the new one
    #[arg(long)]
    destroy_old: bool,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Arguments {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        if self.reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(Failure::usage("--reason is empty; say why, or leave it out"));
        }
        let log = context.log_folder()?;
        let kek = context.kek(&log)?;
        let mut writer = recording::open(context, &log, kek)?;
        let by = recording::local_principal();
        let before = writer.rotate_redaction(self.destroy_old, self.reason.as_deref(), &by)?;
        recording::close(context, &log, writer)?;
        if format == Format::Json {
            let ids: Vec<String> = before.iter().map(ToString::to_string).collect();
            let json = serde_json::json!({ "before": ids, "destroyed": self.destroy_old });
            let mut out = context.terminal.programs();
            writeln!(out, "{json}")?;
            out.flush()?;
            return Ok(Exit::Fine);
        }
        let name = &log.identity.name;
        context.terminal.note(format!(
            "{} the redaction secret of the log {name:?}: equal values get other pseudonyms from here on.",
            styled(GOOD, "Rotated"),
        ));
        if self.destroy_old {
            let renew = styled(DOUBTFUL, "Renew");
            context.terminal.note(format!(
                "Those before are destroyed, {} in all. {renew} your backups: those before hold them.",
                before.len()
            ));
        } else {
            context
                .terminal
                .note("Those before stay in the keyring; --destroy-old destroys them.".to_owned());
        }
        Ok(Exit::Fine)
    }
}
