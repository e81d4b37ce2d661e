//! `tacho keys rotate`: another key signs the log's checkpoints from here on. The old one certifies
//! it in the log, and is destroyed.

use crate::arguments::Format;
use crate::configuration_folder::ConfigurationFolder;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording;
use crate::terminal::{DOUBTFUL, GOOD, styled};
use checkpoint::{Epoch, Epochs};
use clap::Args;
use std::io::Write as _;

const AFTER_HELP: &str = "\
The log records who rotates and why, and a statement that the old key and the new one both sign. One checkpoint
is signed by both; from there on only the new key counts, and the old one is destroyed: who stole it before cannot
sign anything later. Whoever has the first vkey, or any later one, goes on with `tacho verify --key VKEY`, which
follows the keys. If this is interrupted, the next command that opens the log finishes it or undoes it.
A backup of the keyring still holds the old key: renew your backups. docs/keys.md says more.

Examples:
  tacho keys rotate
  tacho keys rotate --reason 'yearly, ticket 88'
  tacho keys rotate --format json | jq -r .vkey";

/// Let a new signing key take over from the log's old one
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
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
        let rotated = writer.rotate_keys(self.reason.as_deref(), &recording::local_principal())?;
        let epochs = writer.epochs().clone();
        recording::close(context, &log, writer)?;
        remember(context, &log.identity.log_id, &epochs);
        if format == Format::Json {
            let json = serde_json::json!({
                "epoch": rotated.epoch, "record": rotated.record, "authority": rotated.authority,
                "vkey": rotated.keys.first(), "vkeys": rotated.keys,
            });
            let mut out = context.terminal.programs();
            writeln!(out, "{json}")?;
            out.flush()?;
            return Ok(Exit::Fine);
        }
        let name = &log.identity.name;
        context.terminal.note(format!(
            "{} the signing key of the log {name:?}: epoch {} begins with record {}.",
            styled(GOOD, "Rotated"),
            rotated.epoch,
            rotated.record
        ));
        for vkey in &rotated.keys {
            context.terminal.note(format!("The new vkey: {vkey}"));
        }
        context.terminal.note(
            "The old key is destroyed; `tacho verify` leads from the old vkey to the new one."
                .to_owned(),
        );
        let renew = styled(DOUBTFUL, "Renew");
        context.terminal.note(format!("{renew} your backups: those before hold the old key."));
        Ok(Exit::Fine)
    }
}

/// The user who rotates knows the new key from now on, if the old one was known. A log whose signer
/// was another one than is known stays an alarm.
fn remember(context: &Context, log_id: &str, epochs: &Epochs) {
    let Some(folder) = ConfigurationFolder::locate() else { return };
    let Some(known) = folder.known_log(log_id) else { return };
    let vkeys =
        |epoch: &Epoch| -> Vec<String> { epoch.keys.iter().map(ToString::to_string).collect() };
    if !epochs.iter().any(|epoch| vkeys(epoch) == known.vkeys) {
        return;
    }
    if let Err(failure) = folder.remember_successor(log_id, &vkeys(epochs.last())) {
        context.terminal.note(format!(
            "{}: the key was rotated, but the new one could not be remembered; `tacho verify` follows \
             it from the old one",
            styled(DOUBTFUL, "warning")
        ));
        context.terminal.failure(&failure);
    }
}
