//! `tacho backup`: a copy of a log as of one checkpoint, checked before it counts.

use crate::arguments::Format;
use crate::backup::{self, Staging};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source;
use crate::terminal::{DOUBTFUL, GOOD, styled};
use clap::Args;
use prove::Verdict;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
A writer may be running: what is copied is the log as of the newest published checkpoint. The copy is checked
with the verifier before it gets its name; without the key-encryption key only its public part can be. The
key itself is never in a backup: keep it in another place, and one that old backups still open with.

A backup is a data folder with one log: `tacho verify DIR` checks it at any time.

Examples:
  tacho backup /backup/2026-11-27
  tacho backup /backup/main.tar
  tacho restore /backup/main.tar --data /var/lib/tachograph";

/// Copy a log as of one checkpoint, while it is being written to
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Folder to make, or file when the name ends in .tar; it must not exist
    #[arg(value_name = "DIR|FILE.tar")]
    target: PathBuf,
}

/// Whether a path names an archive.
pub(super) fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("tar"))
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let log = context.log_folder()?;
        let target = &self.target;
        if is_archive(target) && target.symlink_metadata().is_ok() {
            let sentence = format!("{} is there already; name what is not", target.display());
            return Err(Failure::new(sentence));
        }
        let kek = key_source::kek_of(&context.global.key, &*log.folder)?;
        let staging = Staging::begin(target)?;
        staging.tell(context.terminal);
        let id = &log.identity.log_id;
        let copy = staging.path().join(id);
        let mut progress = context.terminal.progress("files copied");
        let checkpoint = backup::take(&log, &copy, &mut progress)?;
        progress.finish();
        let report = backup::check(context, &copy, id, kek.as_ref(), &[], None)?;
        if report.verdict() == Verdict::Tampered || report.verdict() != Verdict::Ok && kek.is_some()
        {
            return Err(Failure::new(format!(
                "the copy does not verify, and was thrown away: {}; is the log itself all right? run \
                 `tacho verify`",
                backup::first_finding(&report)
            )));
        }
        if is_archive(target) {
            let mut progress = context.terminal.progress("files packed");
            backup::pack(&copy, id, target, &mut progress)?;
            progress.finish();
        } else {
            staging.place()?;
        }
        let root = hex::encode(checkpoint.root.as_bytes());
        if format == Format::Json {
            let json = serde_json::json!({
                "backup": target, "log": { "id": id, "name": log.identity.name },
                "checkpoint": { "origin": checkpoint.origin, "size": checkpoint.size, "root": root },
                "verdict": report.verdict(),
            });
            let mut out = context.terminal.programs();
            writeln!(out, "{json}")?;
            out.flush()?;
        }
        let name = &log.identity.name;
        context.terminal.note(format!(
            "{} the log {name:?} as of {} entries, root {root}, in {}.",
            styled(GOOD, "Backed up"),
            checkpoint.size,
            target.display()
        ));
        if kek.is_none() {
            context.terminal.note(format!(
                "{}: without the key-encryption key only the public part of the copy was checked",
                styled(DOUBTFUL, "warning")
            ));
        }
        context.terminal.note("The key-encryption key is not in it: back it up apart.");
        Ok(Exit::Fine)
    }
}
