//! `tacho keys rewrap`: another key-encryption key for a log. Touches no data: the keyring alone is
//! encrypted anew.

use crate::arguments::NewKekArguments;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source;
use crate::recording;
use crate::terminal::{DOUBTFUL, GOOD, styled};
use clap::Args;
use keys::{KekId, Keyring, SystemEntropy};
use std::sync::Arc;

const AFTER_HELP: &str = "\
The log records the change first; then the keyring is replaced, at once and as a whole. If this is interrupted,
either the old key opens the log or the new one: `tacho keys list` with each tells. Keep the old key until
every backup of the old keyring is gone: those still open with it, and with nothing else.

Examples:
  tacho keys rewrap --new-kek-file /secure/kek-2027
  TACHO_KEK_FILE=/secure/kek-2026 tacho keys rewrap --new-kek-file /secure/kek-2027
  tacho keys rewrap --new-kek-command 'vault kv get -field=kek secret/tachograph'";

/// Wrap the keyring of a log by another key-encryption key
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    new: NewKekArguments,
}

impl Arguments {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let log = context.log_folder()?;
        let old = context.kek(&log)?;
        // Who has only the new key must not make a third one.
        let mut writer = recording::open(context, &log, Arc::clone(&old))?;
        let new = key_source::new_kek(&self.new, &SystemEntropy::new())?;
        if new.kek.id() == old.id() {
            return Err(Failure::new(format!(
                "the log is wrapped by the key-encryption key {} already; name another one",
                old.id()
            )));
        }
        let (from, to) = (old.id(), new.kek.id());
        writer.rewrap(Arc::new(new.kek), &recording::local_principal())?;
        recording::close(context, &log, writer)?;
        let name = &log.identity.name;
        context.terminal.note(format!(
            "{} the log {name:?}: its keyring opens with the key {to} ({}) now, no longer with {from}.",
            styled(GOOD, "Rewrapped"),
            new.place
        ));
        if new.is_new {
            let back_up = styled(DOUBTFUL, "Back up");
            context.terminal.note(format!("{back_up} the new key in another place."));
        }
        context.terminal.note(format!("Give it from now on: {}", hint(&self.new)));
        tell_others(context, name, from)?;
        Ok(Exit::Fine)
    }
}

/// How the new key is given to the commands after this one.
fn hint(new: &NewKekArguments) -> String {
    match (&new.new_kek_file, &new.new_kek_command) {
        (Some(path), _) => format!("--kek-file {} (or TACHO_KEK_FILE)", path.display()),
        (None, Some(_)) => "--kek-command (or TACHO_KEK_COMMAND)".to_owned(),
        (None, None) => "TACHO_KEK or TACHO_KEK_PASSPHRASE".to_owned(),
    }
}

/// Names the logs of the data folder that the old key still opens.
fn tell_others(context: &Context, name: &str, from: KekId) -> Result<(), Failure> {
    let is_by_old = |log: &reading::LogFolder| {
        let bytes = log.folder.read(seal::KEYRING_PATH).ok().flatten();
        bytes.and_then(|bytes| Keyring::header(&bytes).ok()).is_some_and(|it| it.kek_id == from)
    };
    let logs = context.data_folder().logs()?.found;
    let others: Vec<String> = logs
        .iter()
        .filter(|log| log.identity.name != name && is_by_old(log))
        .map(|log| format!("{:?}", log.identity.name))
        .collect();
    if !others.is_empty() {
        context.terminal.note(format!(
            "Other logs here are still wrapped by {from}: {}; rewrap each with --log NAME.",
            others.join(", ")
        ));
    }
    Ok(())
}
