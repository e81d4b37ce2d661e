//! The commands: one file each, with its options, its help and what it does.

mod agent;
mod agent_key;
mod alerts;
mod anchor;
mod append;
mod ask;
mod backup;
mod bench;
mod bundle;
mod completions;
mod compliance;
mod demo;
mod detect;
mod doctor;
mod erase;
pub(crate) mod events;
pub(crate) mod export;
mod forensics;
mod hold;
mod import;
mod incident;
pub(crate) mod init;
mod keys;
mod mcp;
mod prove;
mod provenance;
mod recover;
mod redact;
mod replay;
mod report;
pub(crate) mod restore;
mod retention;
mod serve;
mod session;
mod sql;
mod tail;
mod token;
mod trace;
mod verify;
mod witness;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::Subcommand;

/// What `tacho` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Bench(bench::Arguments),
    Init(init::Arguments),
    Serve(serve::Arguments),
    Token(token::Arguments),
    Append(append::Arguments),
    Import(import::Arguments),
    Verify(verify::Arguments),
    Demo(demo::Arguments),
    Events(events::Arguments),
    Tail(tail::Arguments),
    Trace(trace::Arguments),
    Replay(replay::Arguments),
    Forensics(forensics::Arguments),
    Provenance(provenance::Arguments),
    Detect(detect::Arguments),
    Alerts(alerts::Arguments),
    Session(session::Arguments),
    Agent(agent::Arguments),
    Ask(ask::Arguments),
    Report(report::Arguments),
    Sql(sql::Arguments),
    Prove(prove::Arguments),
    Bundle(bundle::Arguments),
    Export(export::Arguments),
    Mcp(mcp::Arguments),
    Redact(redact::Arguments),
    Doctor(doctor::Arguments),
    Keys(keys::Arguments),
    AgentKey(agent_key::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Recover(recover::Arguments),
    Hold(hold::Arguments),
    Erase(erase::Arguments),
    Retention(retention::Arguments),
    Witness(witness::Arguments),
    Anchor(anchor::Arguments),
    Completions(completions::Arguments),
}

/// What a command is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A log, wherever it is.
    Log,
    /// A log in a data folder.
    Folder,
    /// This machine: no server is meant, whatever the environment says.
    Machine,
}

impl Command {
    /// Where it works. What a server is not asked for yet must not happen to a folder instead.
    fn place(&self) -> Place {
        match self {
            Self::Append(_)
            | Self::Import(_)
            | Self::Events(_)
            | Self::Tail(_)
            | Self::Trace(_)
            | Self::Replay(_)
            | Self::Forensics(_)
            | Self::Provenance(_)
            | Self::Detect(_)
            | Self::Session(_)
            | Self::Agent(_)
            | Self::Prove(_)
            | Self::Verify(_)
            | Self::Doctor(_)
            | Self::Sql(_)
            | Self::Export(_)
            | Self::Mcp(_)
            | Self::Hold(_)
            | Self::Erase(_)
            | Self::AgentKey(_)
            | Self::Retention(_)
            | Self::Anchor(_) => Place::Log,
            // The command that answers says it itself.
            Self::Ask(_) => Place::Log,
            Self::Report(_) | Self::Bundle(_) => Place::Log,
            Self::Keys(_) | Self::Backup(_) | Self::Recover(_) | Self::Redact(_) => Place::Folder,
            Self::Bench(_)
            | Self::Init(_)
            | Self::Serve(_)
            | Self::Token(_)
            | Self::Demo(_)
            | Self::Alerts(_)
            | Self::Restore(_)
            | Self::Witness(_)
            | Self::Completions(_) => Place::Machine,
        }
    }

    /// Refuses an address where a command would do without it.
    fn check_place(&self, context: &Context) -> Result<(), Failure> {
        let server = &context.global.server;
        let Some(url) = server.url() else { return Ok(()) };
        match self.place() {
            Place::Folder => Err(Failure::usage(format!(
                "this command works on a data folder, not on a server ({}); run it where the folder \
                 is, with --data",
                crate::terminal::plain(url)
            ))),
            Place::Machine if server.is_url_said => Err(Failure::usage(
                "this command works on this machine, not on a server; leave --url out",
            )),
            Place::Log | Place::Machine => Ok(()),
        }
    }

    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        self.check_place(context)?;
        match self {
            Self::Bench(arguments) => arguments.run(context),
            Self::Init(arguments) => arguments.run(context),
            Self::Serve(arguments) => arguments.run(context),
            Self::Token(arguments) => arguments.run(context),
            Self::Append(arguments) => arguments.run(context),
            Self::Import(arguments) => arguments.run(context),
            Self::Verify(arguments) => arguments.run(context),
            Self::Demo(arguments) => arguments.run(context),
            Self::Events(arguments) => arguments.run(context),
            Self::Tail(arguments) => arguments.run(context),
            Self::Trace(arguments) => arguments.run(context),
            Self::Replay(arguments) => arguments.run(context),
            Self::Forensics(arguments) => arguments.run(context),
            Self::Provenance(arguments) => arguments.run(context),
            Self::Detect(arguments) => arguments.run(context),
            Self::Alerts(arguments) => arguments.run(context),
            Self::Session(arguments) => arguments.run(context),
            Self::Agent(arguments) => arguments.run(context),
            Self::Ask(arguments) => arguments.run(context),
            Self::Report(arguments) => arguments.run(context),
            Self::Sql(arguments) => arguments.run(context),
            Self::Prove(arguments) => arguments.run(context),
            Self::Bundle(arguments) => arguments.run(context),
            Self::Export(arguments) => arguments.run(context),
            Self::Mcp(arguments) => arguments.run(context),
            Self::Redact(arguments) => arguments.run(context),
            Self::Doctor(arguments) => arguments.run(context),
            Self::Keys(arguments) => arguments.run(context),
            Self::AgentKey(arguments) => arguments.run(context),
            Self::Backup(arguments) => arguments.run(context),
            Self::Restore(arguments) => arguments.run(context),
            Self::Recover(arguments) => arguments.run(context),
            Self::Hold(arguments) => arguments.run(context),
            Self::Erase(arguments) => arguments.run(context),
            Self::Retention(arguments) => arguments.run(context),
            Self::Witness(arguments) => arguments.run(context),
            Self::Anchor(arguments) => arguments.run(context),
            Self::Completions(arguments) => arguments.run(context),
        }
    }
}
