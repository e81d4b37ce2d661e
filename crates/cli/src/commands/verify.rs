//! `tacho verify`: is it what the log says? A log's folder, a server's public log, an evidence
//! document, or a bundle.

mod anchored;
mod document;
mod print;
mod server;

pub(crate) use server::read_cosigned;

use crate::arguments::Format;
use crate::configuration_folder::ConfigurationFolder;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source;
use crate::remote::Remote;
use crate::witnessing::read_policy;
use checkpoint::{Policy, VerifierKey};
use clap::Args;
use link::Address;
use prove::{Report, Trust, Verdict};
use reading::verify::{Options, SinceFile, check_witnesses, verify};
use reading::{LogFolder, Remembered};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use store::{DiskFolder, Folder};

const AFTER_HELP: &str = "\
Every byte of the log's folder is checked: signatures, the tree, every entry and record, the journal, the
keyring, and that no file was added or removed. Nothing is changed. Without the key-encryption key only
the public part can be checked (exit code 11).

Of a server the public log is checked: signatures, every tile and every entry, and with --since that it
continues what was kept. Records stay with the server: what they say is checked where the folder is, or
record by record with `tacho prove --evidence`.

A log that was created by this user is known: its signer is checked by itself. For any other, give the
vkey that its operator published, with --key. A key that took over from it by `tacho keys rotate` is followed.
Of a log that was written to by this user it is remembered how far it came: it must continue that.

Examples:
  tacho verify
  tacho verify --since receipts.ndjson       was the log rolled back since these receipts?
  tacho verify /backup/4f…/ --key 'log.example.org/main+33a1b2c3+AaBb…' --format json
  tacho verify event.evidence.json --key VKEY
  tacho verify refund.html --key VKEY        a bundle, as `tacho bundle` makes it (.html, .zip, .json)
  tacho verify https://log.example.org/log/main --key VKEY --since receipts.ndjson
  tacho verify --policy witnesses.policy     have enough witnesses seen it? (docs/witnesses.md)
  tacho verify --authorities tsa.pem --anchors kept/     is it what was stamped? (docs/anchors.md)

Exit codes: 0 everything holds; 10 tampering or loss; 11 not everything could be assessed.";

/// Check everything; name what is wrong
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// A log's folder, an evidence document, a bundle, or a server's address; without it the log
    /// that --data (or --url) and --log name
    #[arg(value_name = "DIR|FILE|URL")]
    target: Option<PathBuf>,
    /// Key that must have signed (a vkey, as `tacho init` and `tacho keys list` print it); may be
    /// repeated
    #[arg(long, value_name = "VKEY")]
    key: Vec<String>,
    /// A C2SP tlog-policy: the log's keys, the witnesses, and how many of them must have seen the
    /// log
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A checkpoint, receipts or an evidence document that were kept from earlier: the log must
    /// continue them
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    #[command(flatten)]
    anchors: anchored::Asked,
}

/// Where what is checked lies.
enum Place {
    /// A folder, or a file.
    Here(PathBuf),
    /// A server's public log.
    Server(String),
}

/// What is checked.
pub(crate) struct Target {
    /// Where it lies.
    path: PathBuf,
    folder: Arc<dyn Folder>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let mut pinned = self.keys()?;
        let policy = self.policy.as_deref().map(read_policy).transpose()?;
        pinned.extend(policy.iter().flat_map(Policy::logs).map(|log| log.key.clone()));
        let begun = Instant::now();
        let (report, place) = match (self.server(context)?, self.target.as_deref()) {
            (Some(remote), _) => {
                let since = self.since.as_deref().map(read_since).transpose()?;
                let evidence = self.anchors.of_server(&remote)?;
                let mut report = server::check(context, &remote, pinned, since, policy.as_ref())?;
                evidence.iter().for_each(|it| it.hold_server(&remote, &mut report));
                (report, Place::Server(remote.address().to_owned()))
            }
            (None, Some(file)) if file.is_file() => {
                self.anchors.refuse("an evidence document or bundle")?;
                (document::check(file, pinned, policy)?, Place::Here(file.to_owned()))
            }
            (None, _) => {
                let target = self.target(context)?;
                let report = self.check(context, &target, pinned, policy.as_ref())?;
                (report, Place::Here(target.path))
            }
        };
        let printed = match format {
            Format::Json => print::for_programs(context, &report),
            _ => print::for_people(context, &report, &place, begun.elapsed()),
        };
        Failure::unless_nobody_reads(printed)?;
        Ok(match report.verdict() {
            Verdict::Ok => Exit::Fine,
            Verdict::Tampered => Exit::Tampered,
            Verdict::Incomplete => Exit::Incomplete,
        })
    }

    /// The server whose public log is meant, if one is: the address given, or the one that --url
    /// names, unless a folder or file is given.
    fn server(&self, context: &Context) -> Result<Option<Remote>, Failure> {
        match &self.target {
            None => Remote::named(context),
            Some(target) => match target.to_str().filter(|text| Address::looks_like_one(text)) {
                Some(url) => Remote::of_url(context, url).map(Some),
                None => Ok(None),
            },
        }
    }

    fn keys(&self) -> Result<Vec<VerifierKey>, Failure> {
        let parse =
            |key: &String| key.parse().map_err(|error| Failure::usage(format!("--key: {error}")));
        self.key.iter().map(parse).collect()
    }

    fn check(
        &self,
        context: &Context,
        target: &Target,
        pinned: Vec<VerifierKey>,
        policy: Option<&Policy>,
    ) -> Result<Report, Failure> {
        // Before the log is looked at, which goes on meanwhile.
        let evidence = self.anchors.of_folder(&*target.folder)?;
        let cosigned = target.folder.read(reading::COSIGNED_PATH).ok().flatten();
        let kek = key_source::kek_of(&context.global.key, &*target.folder)?;
        let since = self.since.as_deref().map(read_since).transpose()?;
        let memory = context.memory.as_ref().filter(|_| since.is_none());
        let remembered = memory.and_then(|memory| memory.of(&target.path));
        let since = since.or_else(|| remembered.as_ref().map(since_remembered));
        let mut options =
            Options { trust: Trust { pinned, ..Trust::default() }, origin: None, since };
        let known = match options.trust.pinned.is_empty() {
            true => pin_known(target, &mut options)?,
            false => None,
        };
        let mut progress = context.terminal.progress("entries");
        let mut report = verify(&target.folder, kek.as_ref(), &options, &mut |it| {
            progress.at(it.done, it.total);
        });
        progress.finish();
        if let Some(policy) = policy {
            let read = |path: &str| target.folder.read(path).ok().flatten();
            check_witnesses(policy, cosigned.as_deref(), &read, &mut report);
        }
        evidence.iter().for_each(|it| it.hold_folder(&*target.folder, &mut report));
        if let (Some(memory), Some(remembered)) = (memory, remembered)
            && report.verdict() != Verdict::Ok
        {
            report.note(format!(
                "the earlier checkpoint, of {} entries, is the one that {} remembers of this log",
                remembered.head.size,
                memory.path().display()
            ));
        }
        // Only a chain that holds hands on what is known.
        if let (Some((folder, id)), Verdict::Ok, Some(newest)) =
            (known, report.verdict(), report.epochs.last())
        {
            folder.remember_successor(&id, &newest.vkeys)?;
        }
        Ok(report)
    }

    /// The folder to check: the one named, the one log in it, or the log that is meant.
    fn target(&self, context: &Context) -> Result<Target, Failure> {
        let Some(path) = self.target.as_deref() else {
            return named(context);
        };
        if !path.is_dir() {
            let sentence = format!("{} is neither a folder nor a file", path.display());
            return Err(Failure::new(sentence));
        }
        let data = reading::DataFolder::new(path);
        let logs = data.logs()?;
        if logs.found.is_empty() && logs.unreadable.is_empty() {
            let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(path));
            let files = [seal::IDENTITY_PATH, seal::CHECKPOINT_PATH, seal::KEYRING_PATH];
            if !files.iter().any(|file| path.join(file).exists()) {
                let sentence =
                    format!("{} is neither a log's folder nor a data folder", path.display());
                return Err(Failure::new(sentence));
            }
            return Ok(Target { path: path.to_owned(), folder });
        }
        of_data_folder(&data, &context.global.log)
    }
}

/// Checks the log that is meant, as `tacho verify` without arguments does.
pub(crate) fn of_log(context: &Context) -> Result<Report, Failure> {
    let anchors = anchored::Asked::default();
    let arguments = Arguments { target: None, key: Vec::new(), policy: None, since: None, anchors };
    arguments.check(context, &named(context)?, Vec::new(), None)
}

/// Checks the public log of a server, as `tacho verify --url` does.
pub(crate) fn of_server(context: &Context, remote: &Remote) -> Result<Report, Failure> {
    server::check(context, remote, Vec::new(), None, None)
}

fn named(context: &Context) -> Result<Target, Failure> {
    of_data_folder(&context.data_folder(), &context.global.log)
}

/// The log of this name; one whose `log.json` does not read is taken when there is no other.
fn of_data_folder(data: &reading::DataFolder, name: &str) -> Result<Target, Failure> {
    let logs = data.logs()?;
    if !logs.found.iter().any(|log| log.identity.name == name)
        && let [(path, _)] = logs.unreadable.as_slice()
    {
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(path));
        return Ok(Target { path: path.clone(), folder });
    }
    let LogFolder { path, folder, .. } = data.find(name)?;
    Ok(Target { path, folder })
}

fn read_since(path: &Path) -> Result<SinceFile, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::io("read", path))?;
    SinceFile::parse(&bytes).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// A log that was written to here must continue what is remembered of it.
fn since_remembered(remembered: &Remembered) -> SinceFile {
    SinceFile { checkpoint: Some(remembered.note.clone()), ..SinceFile::default() }
}

/// Pins the signer of a log that this user created; returns where that is known from, and the log's
/// id. The folder's name is the log's id: what `log.json` says may be altered.
fn pin_known(
    target: &Target,
    options: &mut Options,
) -> Result<Option<(ConfigurationFolder, String)>, Failure> {
    let path = target.path.canonicalize().unwrap_or_else(|_| target.path.clone());
    let Some(id) = path.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let Some(folder) = ConfigurationFolder::locate() else { return Ok(None) };
    let Some(known) = folder.known_log(id) else { return Ok(None) };
    for key in &known.vkeys {
        options.trust.pinned.push(key.parse()?);
    }
    options.origin = Some(known.origin);
    Ok(Some((folder, id.to_owned())))
}
