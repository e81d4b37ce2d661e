//! `tacho agent-key`: the keys with which agents sign their events.
//!
//! Not here: the log's own keys (`keys.rs`), and what a signature means (`event`, docs/keys.md).

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::{self, local_principal};
use crate::remote::Remote;
use crate::retaining;
use crate::terminal::{BAD, DIM, DOUBTFUL, GOOD, STRONG, plain, styled};
use checkpoint::AgentSigner;
use clap::{Args, Subcommand};
use event::{AgentKey, Registration};
use keys::{AgentSeed, SystemEntropy};
use seal::{AgentKeyError, NewAgentKey, Writer};
use std::io::Write as _;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
An agent that has a key signs each event in its own process, after redaction (Python: agent_key=).
The log knows whose key it is from its registration on: an event that bears a signature by a
registered key is refused when it does not hold, or names another agent. With --required, events
that name these agents are refused without one. `tacho verify` checks every signature again. Names
and keys in a registration can be read by everybody who has the log's public part; who registered
a key, and why, stands in a record that is not shown. docs/keys.md says more.

Examples:
  tacho agent-key generate planner.key
  tacho agent-key register ed25519:kZ1x... --agent planner --required --reason 'rollout'
  tacho agent-key register ed25519:kZ1x... --agent '*'
  tacho agent-key list
  tacho agent-key revoke 3f9c2a7e51d0b846 --reason 'laptop lost'";

/// Register, revoke and list the keys with which agents sign their events
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key: a file for the agent alone; prints the public key
    #[command(after_help = AFTER_HELP)]
    Generate {
        /// The file, which must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the public key of a key file
    #[command(after_help = AFTER_HELP)]
    Show {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Let a key sign for agents from now on; again for other agents
    #[command(after_help = AFTER_HELP)]
    Register {
        /// The public key: `ed25519:` and 44 characters
        #[arg(value_name = "KEY", value_parser = key)]
        key: AgentKey,
        /// The name of an agent (`agent_name` of its events), or `*` for all; may be repeated
        #[arg(long = "agent", value_name = "NAME", required = true)]
        agents: Vec<String>,
        /// Refuse events that name these agents and bear no signature by a key of theirs
        #[arg(long)]
        required: bool,
        /// Why; it is recorded
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a key sign for nobody any more, for ever
    #[command(after_help = AFTER_HELP)]
    Revoke {
        /// The key's id, or the public key
        #[arg(value_name = "KEY")]
        key: String,
        /// Why; it is recorded
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// List every key that was ever registered
    #[command(after_help = AFTER_HELP)]
    List,
}

fn key(text: &str) -> Result<AgentKey, String> {
    AgentKey::parse(text).ok_or_else(|| {
        "expected `ed25519:` and 44 characters, as `tacho agent-key generate` prints it".to_owned()
    })
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.what {
            What::Generate { file } => {
                let seed = AgentSeed::create(file, &SystemEntropy::new());
                let public = print_public(context, seed)?;
                let next = format!("tacho agent-key register {public} --agent NAME");
                context.terminal.note(format!(
                    "{} {}; give it to the agent alone. Next: {next}",
                    styled(GOOD, "Made"),
                    plain(&file.display().to_string())
                ));
            }
            What::Show { file } => {
                print_public(context, AgentSeed::load(file))?;
            }
            What::Register { key, agents, required, reason } => {
                let (agents, required) = (agents.clone(), *required);
                let new = NewAgentKey { key: *key, agents, required };
                told(context, &register(context, new, reason.as_deref())?)?;
            }
            What::Revoke { key, reason } => {
                told(context, &revoke(context, key, reason.as_deref())?)?;
            }
            What::List => list(context)?,
        }
        Ok(Exit::Fine)
    }
}

fn print_public(
    context: &Context,
    seed: Result<AgentSeed, keys::AgentSeedError>,
) -> Result<AgentKey, Failure> {
    let seed = seed.map_err(|error| Failure::new(error.to_string()))?;
    let public = AgentKey::from_bytes(AgentSigner::from_seed(seed.expose()).public());
    let mut out = context.terminal.programs();
    writeln!(out, "{public}")?;
    out.flush()?;
    Ok(public)
}

fn register(
    context: &Context,
    new: NewAgentKey,
    reason: Option<&str>,
) -> Result<Registration, Failure> {
    if let Some(remote) = Remote::in_charge(context, retaining::DOES)? {
        return remote.register_agent_key(&new, reason);
    }
    in_log(context, |writer| writer.register_agent_key(new, reason, &local_principal()))
}

fn revoke(context: &Context, key: &str, reason: Option<&str>) -> Result<Registration, Failure> {
    if let Some(remote) = Remote::in_charge(context, retaining::DOES)? {
        return remote.revoke_agent_key(key, reason);
    }
    in_log(context, |writer| writer.revoke_agent_key(key, reason, &local_principal()))
}

fn in_log(
    context: &Context,
    act: impl FnOnce(&mut Writer) -> Result<Registration, AgentKeyError>,
) -> Result<Registration, Failure> {
    let log = context.log_folder()?;
    let kek = context.kek(&log)?;
    let mut writer = recording::open(context, &log, kek)?;
    let outcome = act(&mut writer);
    // A log of which something was asked that cannot be is closed in good order all the same.
    let closed = match &outcome {
        Err(AgentKeyError::Seal(_)) => Ok(()),
        _ => recording::close(context, &log, writer),
    };
    let done = outcome.map_err(|error| match error {
        AgentKeyError::Seal(error) => error.into(),
        error => Failure::refused(error.to_string()),
    })?;
    closed?;
    Ok(done)
}

/// Says what came of it.
fn told(context: &Context, key: &Registration) -> Result<(), Failure> {
    if context.format(&[Format::Text, Format::Json])? == Format::Json {
        let mut out = context.terminal.programs();
        writeln!(out, "{}", key.to_json())?;
        return Ok(out.flush()?);
    }
    let (id, agents) = (key.key.id(), plain(&key.agents.join(", ")));
    context.terminal.note(match key.until {
        Some(record) => {
            format!("{} {id} of {agents}, with record {record}.", styled(GOOD, "Revoked"))
        }
        None => format!(
            "{} {id} for {agents}, from record {} on{}.",
            styled(GOOD, "Registered"),
            key.from,
            if key.required { "; they must sign" } else { "" }
        ),
    });
    Ok(())
}

/// The keys of the log, the oldest first.
fn registered(context: &Context) -> Result<Vec<Registration>, Failure> {
    if let Some(remote) = Remote::in_charge(context, retaining::ANSWERS)? {
        return remote.agent_keys();
    }
    Ok(context.reading()?.catalogue().agent_keys().iter().cloned().collect())
}

fn list(context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
    let keys = registered(context)?;
    if format != Format::Text {
        let mut out = context.terminal.programs();
        let mut told = keys.iter().map(Registration::to_json);
        match format {
            Format::Json => writeln!(out, "{}", serde_json::Value::from_iter(told))?,
            _ => told.try_for_each(|key| writeln!(out, "{key}"))?,
        }
        return Ok(out.flush()?);
    }
    let mut out = context.terminal.people();
    if keys.is_empty() {
        writeln!(out, "No keys of agents.")?;
    }
    for (number, key) in keys.iter().enumerate() {
        let is_last = !keys.iter().skip(number + 1).any(|it| it.key == key.key);
        let state = match key.until {
            Some(record) => styled(BAD, format_args!("revoked with record {record}")),
            None if !is_last => styled(DOUBTFUL, "registered anew since"),
            None if key.required => "required".to_owned(),
            None => String::new(),
        };
        let agents = plain(&key.agents.join(", "));
        writeln!(out, "{}  {agents}  {state}", styled(STRONG, key.key.id()))?;
        let since = format!("{} since record {}", key.key, key.from);
        writeln!(out, "  {}", styled(DIM, since))?;
    }
    Ok(out.flush()?)
}
