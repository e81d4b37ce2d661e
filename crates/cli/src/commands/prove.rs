//! `tacho prove`: one record's proof, to be checked without trusting whoever runs the log.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::{Remote, questions};
use crate::source::{Place, Source};
use crate::terminal::{STRONG, plain, styled};
use clap::Args;
use event::Standing;
use query::{Filter, State};
use reading::{Reading, proofs};
use std::io::Write as _;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
A tlog-proof (C2SP) shows that an entry is in the log. With --evidence the record itself is in the
document, and `tacho verify FILE` checks all of it offline.

Examples:
  tacho prove 41 -o 41.tlog-proof
  tacho prove 684ce501-7644-591e-a2a5-63dc3157fc3c --evidence -o refund.evidence.json
  tacho prove 41 --evidence --metadata-only";

/// Prove that an event is in the log
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The event's id, or its index in the log
    #[arg(value_name = "EVENT")]
    event: String,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write an evidence document (JSON) that holds the record too
    #[arg(long)]
    evidence: bool,
    /// Leave the content out of the evidence; the metadata still proves
    #[arg(long, requires = "evidence")]
    metadata_only: bool,
}

/// What proves an event, and how it is checked.
struct Proof {
    text: String,
    index: u64,
    /// The size of the checkpoint that it is as of.
    size: u64,
    /// The log's first key.
    first: Option<String>,
    /// The key that is in force.
    newest: Option<String>,
    /// How the signature of its agent stands, where that can be told and there is one.
    signature: Option<String>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let source = context.source()?;
        let proof = match source.place() {
            Place::Folder(view) => self.of_folder(&source, view.reading())?,
            Place::Server(remote) => self.of_server(remote)?,
        };
        let Some(proof) = proof else { return Err(self.missing(context, &source)?) };
        self.write(context, &proof.text)?;
        self.tell(context, &proof);
        Ok(Exit::Fine)
    }

    /// The proof that a folder gives; `None` when there is no such event.
    fn of_folder(&self, source: &Source, reading: &Reading) -> Result<Option<Proof>, Failure> {
        let size = reading.checkpoint().size;
        let index = match self.event.parse::<u64>() {
            Ok(index) => Some(index).filter(|index| *index < size),
            Err(_) => {
                let events = vec![self.event.clone()];
                let filter = Filter { events, limit: Some(1), ..Filter::default() };
                source.page(&filter, None)?.found.first().map(|found| found.index)
            }
        };
        let Some(index) = index else { return Ok(None) };
        let text = match self.evidence {
            true => proofs::evidence(reading, index, !self.metadata_only)?.to_json() + "\n",
            false => proofs::tlog_proof(reading, index)?.to_string(),
        };
        let first = reading.log().identity.keys.first().cloned();
        let newest = reading.epochs().in_force(size).keys.first().map(ToString::to_string);
        let signature = signature(reading, index)?;
        Ok(Some(Proof { text, index, size, first, newest, signature }))
    }

    /// The same that a server gives.
    fn of_server(&self, remote: &Remote) -> Result<Option<Proof>, Failure> {
        let evidence = self.evidence.then_some(!self.metadata_only);
        let Some(answer) = remote.proof(&self.event, evidence)? else {
            // Which of the two is not there, the event or the log?
            return remote.describe().map(|_| None);
        };
        let (Some(as_of), Some(index)) = (
            questions::as_of(&answer),
            answer.header("tachograph-index").and_then(|text| text.parse().ok()),
        ) else {
            return Err(remote.foreign(&"its proof names no checkpoint or no index"));
        };
        let newest = answer.header("tachograph-key").map(str::to_owned);
        let mut text = String::from_utf8(answer.bytes).map_err(|error| remote.foreign(&error))?;
        if self.evidence {
            text.push('\n');
        }
        // Whoever may see proofs and nothing else is told the key that is in force.
        let described = remote.describe().ok();
        let first = described.and_then(|it| it.keys.first().cloned()).or_else(|| newest.clone());
        Ok(Some(Proof { text, index, size: as_of.size, first, newest, signature: None }))
    }

    /// Why there is no proof.
    fn missing(&self, context: &Context, source: &Source) -> Result<Failure, Failure> {
        Ok(Failure::new(match self.event.parse::<u64>() {
            Ok(index) => {
                let size = source.as_of()?.size;
                format!("the log has no record {index}: it has {size}, from 0 on")
            }
            Err(_) => format!(
                "no event {:?} in the log {:?}; `tacho events` finds events by other things",
                self.event, context.global.log
            ),
        }))
    }

    fn write(&self, context: &Context, text: &str) -> Result<(), Failure> {
        match &self.output {
            Some(path) => std::fs::write(path, text).map_err(Failure::io("write", path)),
            None => {
                let mut out = context.terminal.programs();
                out.write_all(text.as_bytes())?;
                Ok(out.flush()?)
            }
        }
    }

    /// How to check it.
    fn tell(&self, context: &Context, proof: &Proof) {
        let Proof { index, size, first, newest, .. } = proof;
        context.terminal.note(format!("Record {index} is proved as of {size} entries."));
        if let Some(signature) = &proof.signature {
            context.terminal.note(format!("The agent's signature: {}.", plain(signature)));
        }
        let first = first.as_deref().unwrap_or("VKEY");
        let file =
            self.output.as_ref().map_or("FILE".to_owned(), |path| path.display().to_string());
        let how = match self.evidence {
            true => styled(STRONG, format_args!("tacho verify {file} --key '{first}'")),
            false => format!(
                "any C2SP tlog-proof verifier, with the entry and the key {}",
                newest.as_deref().unwrap_or(first)
            ),
        };
        context.terminal.note(format!("Check it with: {how}"));
    }
}

/// How the signature of the agent stands in the record at an index, by the keys that the log knew.
fn signature(reading: &Reading, index: u64) -> Result<Option<String>, Failure> {
    let Some(found) = reading::answer::at(reading, index)? else { return Ok(None) };
    let content = (found.state != State::ContentErased).then_some(&*found.content);
    let keys = reading.catalogue().agent_keys();
    let standing = keys.judge(index, &found.meta, content, &|key, statement, made| {
        checkpoint::verify_agent(key.as_bytes(), statement, made)
    });
    Ok((standing != Standing::Unsigned).then(|| standing.to_string()))
}
