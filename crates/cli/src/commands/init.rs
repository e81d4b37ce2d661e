//! `tacho init`: a data folder, a log in it, and a key-encryption key when there is none.

use crate::arguments::Format;
use crate::configuration_folder::ConfigurationFolder;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source::{self, NewKek};
use crate::terminal::{DIM, DOUBTFUL, GOOD, STRONG, styled};
use clap::Args;
use keys::SystemEntropy;
use reading::{LogFolder, new_log};
use seal::NewLog;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho init
  tacho init --data /var/lib/tachograph --log payments --origin log.example.org/payments
  TACHO_KEK_FILE=/run/secrets/kek tacho init --post-quantum";

/// Create a log
///
/// Makes the data folder, the log `main` in it (or --log NAME) and, when no other source is given,
/// a key-encryption key in the configuration folder. A log that exists is left as it is.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Origin of the log's checkpoints: a name that is unique for ever, like a URL without scheme
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Sign every checkpoint with ML-DSA-44 as well
    #[arg(long)]
    post_quantum: bool,
}

/// A log that was made, or was there.
pub(crate) struct Made {
    pub(crate) log: LogFolder,
    /// The key that wraps its keyring; `None` when the log was there already.
    pub(crate) kek: Option<NewKek>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let new = NewLog {
            name: context.global.log.clone(),
            origin: self.origin.clone(),
            post_quantum: self.post_quantum,
        };
        let made = make(context, &new)?;
        match format {
            Format::Json => print_json(context, &made),
            _ => print_text(context, &made),
        }?;
        Ok(Exit::Fine)
    }
}

/// Finds a log or makes it; makes a key-encryption key when there is none.
pub(crate) fn make(context: &Context, new: &NewLog) -> Result<Made, Failure> {
    let data = context.data_folder();
    if let Some(log) = data.find_if_any(&new.name)? {
        return Ok(Made { log, kek: None });
    }
    if !new_log::is_name(&new.name) {
        return Err(Failure::usage(new_log::NAME_RULE));
    }
    let kek = key_source::kek_for_new_log(&context.global.key, &SystemEntropy::new())?;
    let Some(log) = new_log::create(&data, new, &kek.kek)? else {
        return Ok(Made { log: data.find(&new.name)?, kek: None });
    };
    if let Some(folder) = ConfigurationFolder::locate()
        && let Err(failure) = folder.remember(&log.identity)
    {
        context.terminal.note(format!(
            "{}: the log was created, but `verify` will not know its signer by itself",
            styled(DOUBTFUL, "warning")
        ));
        context.terminal.failure(&failure);
    }
    Ok(Made { log, kek: Some(kek) })
}

fn print_json(context: &Context, made: &Made) -> Result<(), Failure> {
    let identity = &made.log.identity;
    let json = serde_json::json!({
        "created": made.kek.is_some(),
        "log": {
            "id": identity.log_id, "name": identity.name, "origin": identity.origin,
            "vkey": identity.keys.first(), "vkeys": identity.keys, "folder": made.log.path,
        },
        "kek": made.kek.as_ref().map(|kek| serde_json::json!({
            "id": kek.kek.id().to_string(), "place": kek.place, "new": kek.is_new,
        })),
    });
    let mut out = context.terminal.programs();
    writeln!(out, "{json}")?;
    Ok(out.flush()?)
}

fn print_text(context: &Context, made: &Made) -> Result<(), Failure> {
    let identity = &made.log.identity;
    let mut out = context.terminal.people();
    let name = styled(STRONG, &identity.name);
    match &made.kek {
        Some(_) => writeln!(out, "{} the log {name}", styled(GOOD, "Created"))?,
        None => writeln!(out, "The log {name} exists already; nothing was changed.")?,
    }
    let mut line = |label: &str, text: &str| {
        writeln!(out, "  {} {text}", styled(DIM, format_args!("{label:<8}")))
    };
    line("id", &identity.log_id)?;
    line("origin", &identity.origin)?;
    line("folder", &made.log.path.display().to_string())?;
    for vkey in &identity.keys {
        line("vkey", vkey)?;
    }
    if let Some(kek) = &made.kek {
        line("KEK", &format!("{} (id {})", kek.place, kek.kek.id()))?;
        writeln!(out)?;
        if kek.is_new {
            writeln!(
                out,
                "{} the key-encryption key (KEK) in another place: without it nobody can read this \
                 log, ever.",
                styled(DOUBTFUL, "Back up")
            )?;
        }
        writeln!(out, "Give the vkey to whoever is to check this log: `tacho verify --key VKEY`.")?;
    }
    Ok(out.flush()?)
}
