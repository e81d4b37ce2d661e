//! `tacho bundle`: the evidence for a session, a trace or an event as one file that checks itself.
//!
//! Records leave the log's protection with it, so the log records it before the file has its name
//! (docs/decisions/0021). What is in it is put together in `reading`, written in `report::bundle`.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::RecordingArguments;
use crate::remote::Remote;
use crate::source::{Place, Source};
use crate::terminal::{DOUBTFUL, STRONG, plain, styled};
use crate::whole_file::WholeFile;
use clap::Args;
use prove::{
    Bundle, CheckedBundle, Completeness, Extent, Subject, SubjectKind, Trust, verify_bundle,
};
use query::{Filter, Scope};
use reading::answer::{self, Unreadable};
use reading::{Reading, View};
use report::bundle::{self, Exported, Form, WriteError};
use seal::Act;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
A bundle holds the records, a proof for each, the signed checkpoint, figures, and public entries that show
that no record of the session was left out. FILE.html is one page that checks itself in a browser, offline;
FILE.zip has that page, the same as JSON, and tlog-proofs for other verifiers. `tacho verify FILE` says the
same as the page. docs/evidence.md tells what each of them proves.

A bundle is not encrypted. The log records who made it (`log.export`) before the file is in place. With --url
the server makes it, for those who may; what comes is checked here before it is written.

Examples:
  tacho bundle --session session-refund-7731 -o refund.html
  tacho bundle --trace task-refund-order-1042 -o refund.zip --metadata-only
  tacho bundle --event 684ce501-7644-591e-a2a5-63dc3157fc3c -o refund.html
  tacho bundle --session session-refund-7731 -o refund.html --url https://log.example.org";

/// Hand over evidence as one file that checks itself: a page (.html) or a zip file
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[command(group = clap::ArgGroup::new("subject").required(true).args(["trace", "session", "event"]))]
pub(crate) struct Arguments {
    /// All events of this trace, or when no event has it, of this task
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// All events of this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// The event with this id, or at this index of the log
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// File to write, whole or not at all: .html, .zip or .json
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Leave the content out; the metadata still proves
    #[arg(long)]
    metadata_only: bool,
    #[command(flatten)]
    recording: RecordingArguments,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let form = form_of(&self.output)?;
        let source = context.source()?;
        match source.place() {
            Place::Folder(view) => self.make(context, &source, view, form),
            Place::Server(remote) => self.fetch(context, remote, form),
        }
    }

    /// Makes it out of the folder.
    fn make(
        &self,
        context: &Context,
        source: &Source,
        view: &View,
        form: Form,
    ) -> Result<Exit, Failure> {
        let reading = view.reading();
        let (subject, indexes) = self.find(context, source)?;
        let bundle = reading::bundle(reading, subject, &indexes, !self.metadata_only)?;
        let mut file = WholeFile::begin(&self.output)?;
        let bytes = form.write(&bundle, prove::BUNDLE_BYTES_MAX).map_err(unwritten)?;
        file.write(&bytes)?;
        file.sync()?;
        let exported = Exported { form, with_content: !self.metadata_only, to: "file" };
        let act = Act::Export(exported.told(&bundle, &bytes, &answer::as_of(reading)));
        self.recording.record(context, reading.log(), act)?;
        file.place()?;
        let checked = verify_bundle(bundle.to_json().as_bytes(), &Trust::default());
        self.tell(context, &checked, &bundle);
        Ok(Exit::Fine)
    }

    /// Has a server make it, and keeps what it made if it holds.
    fn fetch(&self, context: &Context, remote: &Remote, form: Form) -> Result<Exit, Failure> {
        if !self.recording.is_required() {
            let sentence = "a server records it always; leave --unrecorded out";
            return Err(Failure::usage(sentence));
        }
        let subject = [("session", &self.session), ("trace", &self.trace), ("event", &self.event)];
        let named = subject.into_iter().find_map(|(kind, id)| Some((kind, id.as_deref()?)));
        let (kind, id) = named.ok_or_else(|| Failure::usage("name what it is to be about"))?;
        let may_see_all = |may: &[String]| may.iter().any(|it| it == "ReadContent");
        if !self.metadata_only && !may_see_all(&remote.describe()?.may) {
            return Err(Failure::refused(format!(
                "{} does not show you content; --metadata-only asks for a bundle without it",
                remote.address()
            )));
        }
        let bytes = remote.bundle(kind, id, form.name(), !self.metadata_only)?;
        let checked = bundle::verify(&bytes, &Trust::default());
        let checked = checked.ok_or_else(|| remote.foreign(&"it is no bundle"))?;
        let findings = checked.report.findings();
        if let Some(finding) = findings.iter().find(|finding| finding.kind.is_failure()) {
            let detail = plain(&finding.detail);
            return Err(remote.foreign(&format!("the bundle does not hold: {detail}")));
        }
        let Some(bundle) = &checked.bundle else {
            return Err(remote.foreign(&"the bundle does not read"));
        };
        let mut file = WholeFile::begin(&self.output)?;
        file.write(&bytes)?;
        file.sync()?;
        file.place()?;
        self.tell(context, &checked, bundle);
        Ok(Exit::Fine)
    }

    /// What it is about, and where its records are.
    fn find(&self, context: &Context, source: &Source) -> Result<(Subject, Vec<u64>), Failure> {
        let scopes = match (&self.trace, &self.session) {
            (Some(id), _) => vec![Scope::Trace(id.clone()), Scope::Task(id.clone())],
            (_, Some(id)) => vec![Scope::Session(id.clone())],
            _ => return self.find_event(source),
        };
        for scope in &scopes {
            let (kind, id) = match scope {
                Scope::Trace(id) => (SubjectKind::Trace, id),
                Scope::Task(id) => (SubjectKind::Task, id),
                Scope::Session(id) => (SubjectKind::Session, id),
            };
            let indexes = indexes(source, &scope.filter())?;
            if !indexes.is_empty() {
                return Ok((Subject { kind, id: id.clone() }, indexes));
            }
        }
        let id = self.trace.as_ref().or(self.session.as_ref()).map_or("", String::as_str);
        let by = self.session.is_some().then_some(super::trace::By::Session);
        // Records that cannot be read ended it before.
        Err(super::trace::unknown(context, source, id, by, &Unreadable::default())?)
    }

    fn find_event(&self, source: &Source) -> Result<(Subject, Vec<u64>), Failure> {
        let given = self.event.as_deref().unwrap_or_default();
        let kind = SubjectKind::Event;
        let size = source.as_of()?.size;
        let filter = match given.parse::<u64>() {
            Ok(index) if index < size => {
                let Place::Folder(view) = source.place() else {
                    return Err(Failure::usage("a bundle is made where the folder is"));
                };
                let id = event_id(view.reading(), index)?.unwrap_or_else(|| format!("#{index}"));
                return Ok((Subject { kind, id }, vec![index]));
            }
            Ok(index) => {
                let sentence = format!("the log has no record {index}: it has {size}, from 0 on");
                return Err(Failure::new(sentence));
            }
            Err(_) => Filter { events: vec![given.to_owned()], ..Filter::default() },
        };
        match indexes(source, &filter)?.first() {
            Some(index) => Ok((Subject { kind, id: given.to_owned() }, vec![*index])),
            None => Err(Failure::new(format!(
                "no event {given:?} in the log; `tacho events` finds events by other things"
            ))),
        }
    }

    /// What the file holds, and how it is checked.
    fn tell(&self, context: &Context, checked: &CheckedBundle, bundle: &Bundle) {
        if let Some(Completeness { extent, sentence, .. }) = &checked.report.completeness {
            context.terminal.note(match extent {
                Extent::Complete => plain(sentence),
                _ => format!("{} {}", styled(DOUBTFUL, "!"), plain(sentence)),
            });
        }
        let Some(vkey) = bundle.vkeys.first() else { return };
        let path = self.output.display();
        let how = styled(STRONG, format_args!("tacho verify {path} --key '{vkey}'"));
        context.terminal.note(format!("Check it with: {how}"));
        let print = prove::fingerprint(vkey);
        context.terminal.note(format!(
            "Give the key, or its fingerprint {print}, to the reader by another way than the file."
        ));
    }
}

/// The indexes of the records that a filter takes.
fn indexes(source: &Source, filter: &Filter) -> Result<Vec<u64>, Failure> {
    let mut indexes = Vec::new();
    let unreadable = source.each(filter, &mut |found| {
        indexes.push(found.index);
        Ok(ControlFlow::Continue(()))
    })?;
    if unreadable.count() > 0 {
        return Err(Failure::new(format!(
            "{} records of the log cannot be read, and so nothing complete can be made of it; run \
             `tacho verify`",
            unreadable.count()
        )));
    }
    Ok(indexes)
}

/// The id of the event at an index.
fn event_id(reading: &Reading, index: u64) -> Result<Option<String>, Failure> {
    let evidence = reading::proofs::evidence(reading, index, false)?;
    let event = event::Event::from_stored(evidence.record.meta.as_bytes(), &[])
        .map_err(|error| Failure::new(format!("record {index}: {error}")))?;
    Ok(event.event_id.map(|id| id.into_owned()))
}

/// The form of a file, by its name.
fn form_of(path: &Path) -> Result<Form, Failure> {
    let ending = path.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase);
    let name = ending.as_deref().map(|name| if name == "htm" { "html" } else { name });
    name.and_then(Form::from_name).ok_or_else(|| {
        Failure::usage(format!(
            "{} ends in none of .html (a page that checks itself), .zip and .json",
            path.display()
        ))
    })
}

/// Why there is no file.
fn unwritten(error: WriteError) -> Failure {
    let advice = match &error {
        WriteError::TooLarge { .. } => {
            ": ask for less, or leave the content out with --metadata-only"
        }
        WriteError::Archive(_) => "",
    };
    Failure::new(format!("{error}{advice}"))
}
