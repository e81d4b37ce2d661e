//! `tacho recover`: a log goes on although it is not what was signed before, and says so.
//!
//! Not here: bringing back an older state (`restore.rs`), and what a crash left, which every start
//! mends by itself.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording;
use crate::terminal::{DOUBTFUL, GOOD, styled};
use checkpoint::{Checkpoint, CheckpointText, Note};
use clap::Args;
use keys::Kek;
use reading::LogFolder;
use seal::{Act, SealError};
use serde_json::json;
use std::sync::Arc;

const AFTER_HELP: &str = "\
A log that is opened for writing must continue what it published in this place before, as far as
the configuration folder remembers that. When its folder was put back, or another copy of it was
written to, nothing is opened (exit code 3). Look for the newest state of the log first: a backup,
a snapshot, the disk of the machine that it ran on.

If that state is lost for good, this lets the log go on from where it is. The log itself says so
(log.restored, with what was lost, why, and who decided), and whoever kept a receipt from the lost
part will see that it is gone.

Examples:
  tacho recover                 does the log continue what is remembered of it?
  tacho recover --accept-loss --reason 'disk of host a lost, put back from the snapshot of 03:00'";

/// Let a log go on whose folder was put back, and record it
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Go on without what is lost
    #[arg(long, requires = "reason")]
    accept_loss: bool,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        if self.reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(Failure::usage("--reason is empty; say why the log goes on without it"));
        }
        let log = context.log_folder()?;
        let name = &log.identity.name;
        let fine = |what: String| {
            context.terminal.note(format!("{} the log {name:?} {what}.", styled(GOOD, "Fine:")));
            Ok(Exit::Fine)
        };
        let Some(memory) = &context.memory else {
            return fine(
                "is remembered nowhere: neither XDG_CONFIG_HOME nor HOME is set".to_owned(),
            );
        };
        let Some(kept) = memory.of(&log.path) else {
            let place = memory.path().display();
            return fine(format!(
                "may go on: {place} remembers nothing of it in this place. Where another user runs \
                 it, that user's memory counts"
            ));
        };
        let kek = context.kek(&log)?;
        let opened = seal::open_continuing(
            &log.folder,
            Arc::clone(&kek),
            recording::few(),
            Some(&kept.head),
        );
        let contradiction = match opened {
            Ok(writer) => {
                writer.close()?;
                return fine(format!(
                    "continues the {} entries that are remembered",
                    kept.head.size
                ));
            }
            Err(error) if error.is_put_back() => error,
            Err(error) => return Err(error.into()),
        };
        let Some(reason) = self.reason.as_deref().filter(|_| self.accept_loss) else {
            return Err(Failure::refused(format!(
                "{}; nothing was changed: put its newest state there, or, if that is lost, give \
                 --accept-loss and a --reason",
                told(&contradiction)
            )));
        };
        let size = record(&log, kek, &kept.head, reason)?;
        memory.set_aside(&log.path)?;
        recording::remember(Some(memory), &log);
        context.terminal.note(format!(
            "{} the log {name:?} goes on with {size} entries; the last says what was lost and why.",
            styled(GOOD, "Recovered:")
        ));
        context.terminal.note(format!(
            "{}: witnesses, and whoever kept a receipt of what is lost, will contradict it; tell them",
            styled(DOUBTFUL, "note")
        ));
        Ok(Exit::Fine)
    }
}

/// What does not fit.
fn told(error: &SealError) -> String {
    match error {
        SealError::RolledBack { size, kept } => {
            format!("the log has {size} entries here, and it had {kept}")
        }
        SealError::Forked { size, kept } => format!(
            "the log has {size} entries here, and they are not those that it had when it had {kept}"
        ),
        other => other.to_string(),
    }
}

/// Says in the log from what it goes on, without what, and why. Returns how many entries it has
/// then.
fn record(log: &LogFolder, kek: Arc<Kek>, lost: &Checkpoint, reason: &str) -> Result<u64, Failure> {
    let mut writer = seal::open(&log.folder, kek, recording::few())?;
    let found = head(&writer.checkpoint())
        .ok_or_else(|| Failure::new("the checkpoint that was just signed does not read"))?;
    let named = |head: &Checkpoint| json!({ "size": head.size, "root": head.root.to_string() });
    let details = json!({ "as_of": named(&found), "lost": named(lost), "reason": reason });
    writer.record(Act::Restore(details), &recording::local_principal())?;
    let size = writer.size();
    writer.close()?;
    Ok(size)
}

fn head(note: &str) -> Option<Checkpoint> {
    Some(CheckpointText::parse(Note::parse(note).ok()?.text()).ok()?.checkpoint)
}
