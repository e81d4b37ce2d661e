//! `tacho anchor`: time stamps of a log by an authority, asked for and listed.

use crate::anchoring::{Anchor, Elsewhere, read_authorities, read_beside, read_kept, read_shown};
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::serving::configuration::Configuration;
use crate::terminal::{BAD, DOUBTFUL, GOOD, plain, styled};
use anchor::{Authorities, Label, Stamp, StampError};
use clap::{Args, Subcommand};
use event::Timestamp;
use keys::{Entropy as _, SystemEntropy};
use reading::verify::Anchor as Kept;
use serde_json::{Value, json};
use serve::anchor::{Beside, Head, Stamped, stamped};
use std::io::Write as _;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
A time-stamping authority (RFC 3161) signs that a checkpoint existed at a time. It sees a hash, and
nothing of the log. Kept by somebody who does not run the log, an anchor shows that the log was not
rewritten since, and that what it held existed by then (docs/anchors.md). `tacho verify --authorities
FILE` compares.

The section [anchor] of the configuration says whom to ask; a server asks by itself.

Examples:
  tacho anchor add
  tacho anchor add --tsa https://tsa.example.org/ --authorities tsa.pem --to my-anchors
  tacho anchor add --url https://log.example.org --to my-anchors      anybody may, of a public log
  tacho anchor list --authorities tsa.pem

Exit codes of list: 0 fine; 10 a stamp does not hold.";

/// Have a log stamped by a time-stamping authority
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Ask an authority about the newest checkpoint, and keep its answer
    Add(Add),
    /// Show what was stamped
    List(List),
}

#[derive(Debug, Args)]
struct Add {
    /// Configuration file, as for `tacho serve`
    #[arg(long, value_name = "FILE", env = "TACHO_CONFIG")]
    config: Option<PathBuf>,
    /// Where the authority is asked
    #[arg(long, value_name = "URL")]
    tsa: Option<String>,
    /// Certificates in PEM: whose stamps count
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// What the authority is called in the names of files: small letters, digits, dashes
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The authority may be at an address that not everybody reaches, and without TLS
    #[arg(long)]
    allow_private: bool,
    /// Keep it in this folder instead of beside the log
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct List {
    /// A folder of anchors; without it those beside the log, or that the server shows
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Certificates in PEM: check each stamp, and show what it says
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.what {
            What::Add(add) => add.run(context),
            What::List(list) => list.run(context),
        }
    }
}

impl Add {
    /// What is configured, with what was said.
    fn anchor(&self) -> Result<Anchor, Failure> {
        let mut anchor = Configuration::read(self.config.as_deref())?.anchor.unwrap_or_default();
        anchor.url = self.tsa.clone().or(anchor.url);
        anchor.authorities = self.authorities.clone().or(anchor.authorities);
        anchor.name = self.name.clone().unwrap_or(anchor.name);
        anchor.allow_private |= self.allow_private;
        Ok(anchor)
    }

    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let authority = self.anchor()?.authority()?;
        let elsewhere = self.to.clone().map(Elsewhere::new);
        let mut random = [0; 8];
        SystemEntropy::new().fill(&mut random)?;
        let random = u64::from_be_bytes(random);
        let outcome = match (Remote::named(context)?, &elsewhere) {
            (Some(remote), Some(elsewhere)) => {
                stamped(&authority, elsewhere, shown(&remote)?, random)
            }
            (Some(_), None) => {
                let what =
                    "an anchor of a server's log is kept here; say in which folder, with --to";
                return Err(Failure::usage(what));
            }
            (None, elsewhere) => {
                let log = context.log_folder()?;
                let head = Head::published(&*log.folder)?
                    .ok_or_else(|| Failure::new("the log has published no checkpoint yet"))?;
                match elsewhere {
                    Some(elsewhere) => stamped(&authority, elsewhere, head, random),
                    None => stamped(&authority, &Beside(&*log.folder), head, random),
                }
            }
        };
        let outcome = outcome.map_err(|error| Failure::new(error.to_string()))?;
        tell(context, format, &outcome)?;
        Ok(Exit::Fine)
    }
}

/// The checkpoint that a server shows.
fn shown(remote: &Remote) -> Result<Head, Failure> {
    let answer = remote.get(&remote.public(seal::CHECKPOINT_PATH));
    let bytes = answer.map_err(|trouble| remote.failure(&trouble))?.bytes;
    Head::parse(bytes).ok_or_else(|| remote.foreign(&"it shows no checkpoint"))
}

fn tell(context: &Context, format: Format, outcome: &Stamped) -> Result<(), Failure> {
    let Stamped { head, stamp, path, is_old, .. } = outcome;
    let (size, root) = (head.checkpoint.size, head.checkpoint.root.to_string());
    let time = Timestamp::from_milliseconds(stamp.time_ms);
    if format == Format::Json {
        let document = json!({
            "size": size, "root": root, "path": path, "time": time.to_string(),
            "authority": stamp.authority, "is_new": !is_old,
        });
        let mut out = context.terminal.programs();
        writeln!(out, "{document}")?;
        out.flush()?;
        return Ok(());
    }
    let mut out = context.terminal.people();
    let what = styled(GOOD, if *is_old { "Stamped before" } else { "Stamped" });
    let (who, path) = (plain(&stamp.authority), plain(path));
    writeln!(out, "{what} {size} entries at {time} ({who}): {path}")?;
    out.flush()?;
    Ok(())
}

impl List {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let authorities = self.authorities.as_deref().map(read_authorities).transpose()?;
        let kept = match (&self.folder, Remote::named(context)?) {
            (Some(folder), _) => read_kept(folder)?,
            (None, Some(remote)) => read_shown(&remote)?,
            (None, None) => read_beside(&*context.log_folder()?.folder)?,
        };
        let lines: Vec<Line> =
            kept.iter().flat_map(|anchor| lines(anchor, authorities.as_ref())).collect();
        let is_bad = lines.iter().any(Line::is_bad);
        if format == Format::Json {
            let anchors: Vec<Value> = lines.iter().map(Line::to_json).collect();
            let mut out = context.terminal.programs();
            writeln!(out, "{}", json!({ "anchors": anchors }))?;
            out.flush()?;
        } else {
            let mut out = context.terminal.people();
            for line in &lines {
                writeln!(out, "{}", line.to_text())?;
            }
            out.flush()?;
        }
        Ok(if is_bad { Exit::Tampered } else { Exit::Fine })
    }
}

/// One stamp.
struct Line {
    size: u64,
    name: String,
    /// When, and by whom, if it holds and was checked.
    said: Option<(Timestamp, String)>,
    trouble: Option<StampError>,
}

fn lines(anchor: &Kept, authorities: Option<&Authorities>) -> Vec<Line> {
    let Some(authorities) = authorities else {
        let line = |(label, _): &(Label, Vec<u8>)| Line {
            size: anchor.size,
            name: label.to_string(),
            said: None,
            trouble: None,
        };
        return anchor.stamps.iter().map(line).collect();
    };
    let judged = anchor.judged(authorities).into_iter();
    let line = |(label, judged): (&Label, Result<Stamp, StampError>)| {
        let (said, trouble) = match judged {
            Ok(stamp) => {
                let time = Timestamp::from_milliseconds(stamp.time_ms);
                (Some((time, stamp.authority)), None)
            }
            Err(error) => (None, Some(error)),
        };
        Line { size: anchor.size, name: label.to_string(), said, trouble }
    };
    judged.map(line).collect()
}

impl Line {
    /// Whether it was altered. One by somebody else is only another's.
    fn is_bad(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| !trouble.may_be_whole())
    }

    fn to_json(&self) -> Value {
        let mut line = json!({ "size": self.size, "name": self.name });
        if let Some((time, authority)) = &self.said {
            line["time"] = time.to_string().into();
            line["authority"] = authority.as_str().into();
        }
        if let Some(trouble) = &self.trouble {
            line["trouble"] = trouble.to_string().into();
        }
        line
    }

    fn to_text(&self) -> String {
        let Self { size, name, said, trouble } = self;
        match (said, trouble) {
            (Some((time, who)), _) => format!("{size:>12}  {time}  {name}  {}", plain(who)),
            (None, Some(trouble)) => {
                let what = match self.is_bad() {
                    true => styled(BAD, "does not hold"),
                    false => styled(DOUBTFUL, "does not count"),
                };
                format!("{size:>12}  {name}  {what}: {}", plain(&trouble.to_string()))
            }
            (None, None) => format!("{size:>12}  {name}"),
        }
    }
}
