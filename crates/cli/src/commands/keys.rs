//! `tacho keys`: which keys a log has. Never a secret on standard output.
//!
//! `keys/rewrap.rs` changes the key-encryption key, `keys/rotate.rs` the signing key,
//! `keys/rotate_redaction.rs` the redaction secret; `keys/export_segment.rs` hands out one key.

mod export_segment;
mod rewrap;
mod rotate;
mod rotate_redaction;

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{DIM, STRONG, styled};
use checkpoint::Epoch;
use clap::{Args, Subcommand};
use event::Timestamp;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho keys list
  tacho keys list --format json | jq -r .log.vkey
  tacho keys rotate --reason 'yearly'
  tacho keys rotate-redaction --destroy-old
  tacho keys rewrap --new-kek-file ~/.config/tachograph/kek-2027
  tacho keys export-segment SEGMENT.parquet --output segment.key";

/// Show and change the keys of a log
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List every key: id, purpose, when it was made; never a secret
    #[command(after_help = AFTER_HELP)]
    List,
    Rotate(rotate::Arguments),
    RotateRedaction(rotate_redaction::Arguments),
    Rewrap(rewrap::Arguments),
    ExportSegment(export_segment::Arguments),
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.what {
            What::List => list(context),
            What::Rotate(arguments) => arguments.run(context),
            What::RotateRedaction(arguments) => arguments.run(context),
            What::Rewrap(arguments) => arguments.run(context),
            What::ExportSegment(arguments) => arguments.run(context),
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
    let reading = context.reading()?;
    let (identity, keyring) = (&reading.log().identity, reading.keyring());
    let created = |ms: u64| Timestamp::from_milliseconds(ms).to_string();
    let keys = keyring.list().map(|key| {
        serde_json::json!({
            "id": key.id.to_string(),
            "purpose": key.purpose.to_string(),
            "created": created(key.created_ms),
        })
    });
    let mut machine = context.terminal.programs();
    match format {
        Format::Json => {
            let json = serde_json::json!({
                "log": {
                    "id": identity.log_id, "name": identity.name, "origin": identity.origin,
                    "vkey": identity.keys.first(), "vkeys": identity.keys,
                },
                "epochs": reading.epochs().iter().map(epoch).collect::<Vec<_>>(),
                "kek": { "id": keyring.kek_id().to_string() },
                "generation": keyring.generation(),
                "keys": keys.collect::<Vec<_>>(),
            });
            writeln!(machine, "{json}")?;
        }
        Format::Ndjson => {
            for key in keys {
                writeln!(machine, "{key}")?;
            }
        }
        _ => {
            drop(machine);
            let mut out = context.terminal.people();
            for vkey in &identity.keys {
                writeln!(out, "{} {vkey}", styled(STRONG, "vkey"))?;
            }
            for epoch in reading.epochs().iter().skip(1) {
                let record = epoch.record.unwrap_or_default();
                for vkey in &epoch.keys {
                    let since =
                        styled(DIM, format_args!("epoch {}, since record {record}", epoch.number));
                    writeln!(out, "{} {vkey}  {since}", styled(STRONG, "vkey"))?;
                }
            }
            writeln!(out, "{} {}", styled(STRONG, "KEK "), keyring.kek_id())?;
            for key in keyring.list() {
                let created = styled(DIM, created(key.created_ms));
                writeln!(out, "{}  {created}  {}", key.id, key.purpose)?;
            }
            out.flush()?;
            return Ok(Exit::Fine);
        }
    }
    machine.flush()?;
    Ok(Exit::Fine)
}

/// Keys that followed others, and since which record they sign.
fn epoch(epoch: &Epoch) -> serde_json::Value {
    let vkeys: Vec<String> = epoch.keys.iter().map(ToString::to_string).collect();
    serde_json::json!({ "epoch": epoch.number, "record": epoch.record, "vkeys": vkeys })
}
