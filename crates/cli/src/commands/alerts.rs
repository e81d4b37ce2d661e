//! `tacho alerts`: whether those who are to be told of alerts can be.

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::serving::configuration::Configuration;
use crate::terminal::{BAD, GOOD, plain, styled};
use clap::{Args, Subcommand};
use keys::{Entropy as _, SystemEntropy};
use seal::{Clock as _, SystemClock};
use serde_json::json;
use serve::alerts::{Alert, Sink, Told};
use std::io::Write as _;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Sinks stand in the server's configuration (docs/detection.md). What alerts there were, and which a sink was not
told, is in the log: `tacho events --type agent.security`.

Examples:
  tacho alerts test
  tacho alerts test --config /etc/tachograph/tachograph.toml --sink on-call";

/// Try the sinks that are told of alerts
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send one test alert to every sink, once, and say what became of it
    Test {
        /// Configuration file of the server
        #[arg(long, value_name = "FILE", env = "TACHO_CONFIG")]
        config: Option<PathBuf>,
        /// Only this sink
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
    },
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let What::Test { config, sink } = &self.what;
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let configuration = Configuration::read(config.as_deref())?;
        let sinks = configuration.detect.map(|detect| detect.sinks()).transpose()?;
        let is_meant = |one: &Sink| sink.as_deref().is_none_or(|name| one.name() == name);
        let sinks: Vec<Sink> = sinks.unwrap_or_default().into_iter().filter(is_meant).collect();
        if sinks.is_empty() {
            let named = sink.as_deref().map(|name| format!(" of the name {}", plain(name)));
            return Err(Failure::usage(format!(
                "there is no sink{} in the configuration; add a section [[detect.sinks]] \
                 (docs/detection.md)",
                named.unwrap_or_default()
            )));
        }
        tell(context, &sinks, format)
    }
}

fn tell(context: &Context, sinks: &[Sink], format: Format) -> Result<Exit, Failure> {
    let now_ms = SystemClock.now_ms();
    let mut bytes = [0; 16];
    SystemEntropy::new().fill(&mut bytes)?;
    let alert = Alert::of_a_test(now_ms, &format!("test-{}", hex::encode(bytes)));
    let mut out = context.terminal.people();
    let (mut results, mut exit) = (Vec::new(), Exit::Fine);
    for sink in sinks {
        let why = match sink.tell(&alert, now_ms) {
            Told::Taken => None,
            Told::Failed(trouble) | Told::Refused(trouble) => Some(plain(&trouble.to_string())),
        };
        if why.is_some() {
            exit = Exit::Failed;
        }
        let result = json!({ "sink": sink.name(), "taken": why.is_none(), "why": why });
        match (format, &why) {
            (Format::Ndjson, _) => writeln!(out, "{result}")?,
            (Format::Json, _) => results.push(result),
            (_, None) => writeln!(out, "{}  {}", styled(GOOD, "taken   "), sink.name())?,
            (_, Some(why)) => {
                writeln!(out, "{}  {}: {why}", styled(BAD, "not told"), sink.name())?;
            }
        }
    }
    if format == Format::Json {
        writeln!(out, "{}", serde_json::Value::from(results))?;
    }
    out.flush()?;
    Ok(exit)
}
