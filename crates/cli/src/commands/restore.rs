//! `tacho restore`: a backup becomes a log again, checked first, never over one that is there.

use super::backup::is_archive;
use crate::backup::{self, Staging};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source;
use crate::recording;
use crate::terminal::{DOUBTFUL, GOOD, styled};
use checkpoint::{Checkpoint, VerifierKey};
use clap::Args;
use event::{Disclosed, Removal};
use keys::Kek;
use prove::{Report, Verdict};
use reading::verify::SinceFile;
use reading::{DataFolder, LogFolder};
use seal::{Act, SealError};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const AFTER_HELP: &str = "\
The copy is checked with the verifier, which needs the key-encryption key, before it becomes a log. What was
written after the backup is not in it. Keep receipts or checkpoints elsewhere, and give the newest with
--since: a backup that is older than what they show, or another history, is refused (exit code 3). To go back
behind them all the same, leave --since out: whoever kept a newer checkpoint will see that the log was put back.
Where the configuration folder remembers a later state of the log in the same place, the log says that it is lost.

What was erased, or had expired, after the backup was taken is there again: do it again, or give --ledger, a later
state of the log or a copy of its public folder ledger/, and it is done at once.

Examples:
  tacho restore /backup/main.tar --data /var/lib/tachograph
  tacho restore /backup/2026-11-27 --since receipts.ndjson --ledger /mirror/ledger
  tacho restore main.tar --key 'log.example.org/main+33a1b2c3+AaBb…'";

/// The folder of a data folder that is being filled, under a hidden name made from this one.
pub(crate) const RESTORING: &str = ".restoring";

/// Put a log back from a backup
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The folder or .tar file that `tacho backup` wrote
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// A checkpoint, or receipts, that were kept from earlier: the backup must continue them
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// A later state of the log, or a copy of its folder `ledger/`: the erasures and expiries that
    /// it shows are carried out again
    #[arg(long, value_name = "FOLDER")]
    ledger: Option<PathBuf>,
    /// Key that must have signed (a vkey); may be repeated
    #[arg(long, value_name = "VKEY")]
    key: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let pinned = self.keys()?;
        let since = self.since()?;
        let data = context.data_folder();
        std::fs::create_dir_all(data.path()).map_err(Failure::io("create", data.path()))?;
        let staging = Staging::begin(&data.path().join(RESTORING))?;
        staging.tell(context.terminal);
        let copy = staging.path().join("log");
        self.fetch(context, &copy)?;
        // The name of the folder it came in may be anything; what counts is what the copy says.
        let log = LogFolder::at(&copy)?;
        let id = hex::encode(log.identity.id()?);
        refuse_existing(&data, &log, &id)?;
        let kek = key_source::kek_of(&context.global.key, &*log.folder)?;
        let kek = Arc::new(kek.ok_or_else(key_source::none)?);
        let report = check(context, &copy, &id, &kek, &pinned, since.as_ref())?;
        let target = data.path().join(&id);
        let memory = context.memory.as_ref();
        let kept = memory.and_then(|memory| memory.of(&target)).map(|it| it.head);
        // Still hidden: the log that appears has the record of how it came here.
        let lost = record(&log, &kek, &report, kept)?;
        self.reapply(context, &log, &kek, report.size)?;
        // Whoever opens the log in its place must not take it for one that was put back in secret.
        if let (Some(memory), Some(_)) = (memory, &lost) {
            memory.set_aside(&target)?;
        }
        place(&copy, &target)?;
        if let Ok(log) = LogFolder::at(&target) {
            recording::remember(memory, &log);
        }
        context.terminal.note(format!(
            "{} the log {:?} as of {} entries, root {}, in {}.",
            styled(GOOD, "Restored"),
            log.identity.name,
            report.size,
            report.root,
            target.display()
        ));
        if let Some(lost) = lost {
            context.terminal.note(format!(
                "{}: this log had {} entries in this place before, and the backup, as of {}, does not \
                 continue them: what only they had is lost, and the log says so",
                styled(DOUBTFUL, "warning"),
                lost.size,
                report.size
            ));
        }
        Ok(Exit::Fine)
    }

    /// What was removed after the backup was taken is in it still: it goes again, as far as a later
    /// ledger shows it.
    fn reapply(
        &self,
        context: &Context,
        log: &LogFolder,
        kek: &Arc<Kek>,
        shared: u64,
    ) -> Result<(), Failure> {
        let note = styled(DOUBTFUL, "note");
        let Some(folder) = &self.ledger else {
            context.terminal.note(format!(
                "{note}: what was erased or expired after the backup was taken is there again; erase it \
                 again, or restore with --ledger; set holds anew"
            ));
            return Ok(());
        };
        let removals = later_removals(folder, shared)?;
        let mut writer = seal::open(&log.folder, Arc::clone(kek), recording::few())?;
        let by = recording::local_principal();
        let count = retain::reapply(&mut writer, &removals, shared, &by)?;
        writer.close()?;
        context.terminal.note(format!(
            "{note}: {count} removals that the ledger in {} shows were carried out again; set holds anew",
            folder.display()
        ));
        Ok(())
    }

    fn keys(&self) -> Result<Vec<VerifierKey>, Failure> {
        let parse =
            |key: &String| key.parse().map_err(|error| Failure::usage(format!("--key: {error}")));
        self.key.iter().map(parse).collect()
    }

    fn since(&self) -> Result<Option<SinceFile>, Failure> {
        let Some(path) = &self.since else { return Ok(None) };
        let bytes = std::fs::read(path).map_err(Failure::io("read", path))?;
        let parsed = SinceFile::parse(&bytes);
        parsed.map(Some).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    }

    /// Copies the log in the backup into a folder that is not there yet.
    fn fetch(&self, context: &Context, to: &Path) -> Result<(), Failure> {
        let backup = &self.backup;
        if backup.is_file() {
            if !is_archive(backup) {
                let sentence = format!("{} is no .tar file and no folder", backup.display());
                return Err(Failure::new(sentence));
            }
            let mut progress = context.terminal.progress("bytes unpacked");
            backup::unpack(backup, to, &mut progress)?;
            progress.finish();
            return Ok(());
        }
        let folder = match backup.join(seal::IDENTITY_PATH).exists() {
            true => backup.clone(),
            false => only_log(&DataFolder::new(backup), &context.global.log)?.path,
        };
        let mut progress = context.terminal.progress("files copied");
        backup::copy_all(&folder, to, &mut progress)?;
        progress.finish();
        Ok(())
    }
}

/// The log of a backup: the one there is; of several, the one that --log names.
fn only_log(data: &DataFolder, name: &str) -> Result<LogFolder, Failure> {
    let mut logs = data.logs()?;
    match (logs.found.len(), logs.unreadable.first()) {
        (1, None) => logs.found.pop().ok_or_else(key_source::none),
        (0, None) => Err(Failure::new(format!("{} is no backup", data.path().display()))),
        (0, Some((path, sentence))) => {
            Err(Failure::new(format!("{} is damaged: {sentence}", path.display())))
        }
        _ => Ok(data.find(name)?),
    }
}

/// Never over a log that is there, nor beside one of its name.
fn refuse_existing(data: &DataFolder, log: &LogFolder, id: &str) -> Result<(), Failure> {
    let (name, path) = (&log.identity.name, data.path().join(id));
    let there = path.symlink_metadata().is_ok() || data.find_if_any(name)?.is_some();
    if there {
        return Err(Failure::new(format!(
            "the log {name:?} is in {} already: nothing was restored; move it away, or restore into \
             another folder with --data",
            data.path().display()
        )));
    }
    Ok(())
}

/// The verdict over the copy, which must be good.
fn check(
    context: &Context,
    copy: &Path,
    id: &str,
    kek: &Kek,
    pinned: &[VerifierKey],
    since: Option<&SinceFile>,
) -> Result<Report, Failure> {
    let report = backup::check(context, copy, id, Some(kek), pinned, since)?;
    if report.verdict() == Verdict::Ok {
        return Ok(report);
    }
    let found = backup::first_finding(&report);
    if since.is_some() {
        let alone = backup::check(context, copy, id, Some(kek), pinned, None)?;
        if alone.verdict() == Verdict::Ok {
            return Err(Failure::refused(format!(
                "the backup, as of {} entries, contradicts what was kept with --since: {found}; nothing \
                 was restored: find a newer backup, or leave --since out to go back all the same",
                alone.size
            )));
        }
    }
    let sentence = format!("the backup does not verify, and was not restored: {found}");
    Err(match report.verdict() {
        Verdict::Tampered => Failure::tampered(sentence),
        _ => Failure::incomplete(sentence),
    })
}

/// The removals that a ledger shows from the record `from` on, oldest first.
fn later_removals(folder: &Path, from: u64) -> Result<Vec<(u64, Removal)>, Failure> {
    let inside = folder.join(segment::LEDGER_FOLDER);
    let ledger = if inside.is_dir() { inside } else { folder.to_owned() };
    let names = std::fs::read_dir(&ledger).map_err(Failure::io("read", &ledger))?;
    let mut removals = Vec::new();
    for name in names {
        let name = name.map_err(Failure::io("read", &ledger))?.file_name();
        let path = format!("{}/{}", segment::LEDGER_FOLDER, name.to_string_lossy());
        let Some(index) = segment::parse_ledger_path(&path).filter(|index| *index >= from) else {
            continue;
        };
        let path = ledger.join(&name);
        let bytes = std::fs::read(&path).map_err(Failure::io("read", &path))?;
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::new(format!("{}: {error}; nothing was restored", path.display()))
        };
        let disclosed = Disclosed::parse(&bytes).map_err(|error| wrong(&error))?;
        let (meta, content) = (disclosed.meta.as_bytes(), disclosed.content.as_bytes());
        let removal = Removal::from_stored(meta, content).map_err(|error| wrong(&error))?;
        removals.extend(removal.map(|removal| (index, removal)));
    }
    removals.sort_unstable_by_key(|(index, _)| *index);
    Ok(removals)
}

/// Says in the copy how it came here, and without what: the head that is remembered in its place,
/// if the copy does not continue that.
fn record(
    log: &LogFolder,
    kek: &Arc<Kek>,
    report: &Report,
    kept: Option<Checkpoint>,
) -> Result<Option<Checkpoint>, SealError> {
    let open = |kept: Option<&Checkpoint>| {
        seal::open_continuing(&log.folder, Arc::clone(kek), recording::few(), kept)
    };
    let (mut writer, lost) = match open(kept.as_ref()) {
        Err(error) if error.is_put_back() => (open(None)?, kept),
        opened => (opened?, None),
    };
    let mut details = json!({ "as_of": { "size": report.size, "root": report.root } });
    if let Some(lost) = &lost {
        details["lost"] = json!({ "size": lost.size, "root": lost.root.to_string() });
    }
    writer.record(Act::Restore(details), &recording::local_principal())?;
    writer.close()?;
    Ok(lost)
}

/// Gives the copy its name.
fn place(copy: &Path, target: &Path) -> Result<(), Failure> {
    Staging::adopt(copy, target).place()
}
