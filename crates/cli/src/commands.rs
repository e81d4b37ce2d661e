//! The commands: one file each, with its options, its help and what it does.

mod agent;
mod append;
mod backup;
mod bench;
mod completions;
mod demo;
mod doctor;
mod erase;
pub(crate) mod events;
mod export;
mod hold;
mod import;
pub(crate) mod init;
mod keys;
mod mcp;
mod prove;
mod replay;
mod restore;
mod retention;
mod serve;
mod session;
#[cfg(feature = "sql")]
mod sql;
mod tail;
mod token;
mod trace;
mod verify;

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
    Session(session::Arguments),
    Agent(agent::Arguments),
    #[cfg(feature = "sql")]
    Sql(sql::Arguments),
    Prove(prove::Arguments),
    Export(export::Arguments),
    Mcp(mcp::Arguments),
    Doctor(doctor::Arguments),
    Keys(keys::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Hold(hold::Arguments),
    Erase(erase::Arguments),
    Retention(retention::Arguments),
    Completions(completions::Arguments),
}

impl Command {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
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
            Self::Session(arguments) => arguments.run(context),
            Self::Agent(arguments) => arguments.run(context),
            #[cfg(feature = "sql")]
            Self::Sql(arguments) => arguments.run(context),
            Self::Prove(arguments) => arguments.run(context),
            Self::Export(arguments) => arguments.run(context),
            Self::Mcp(arguments) => arguments.run(context),
            Self::Doctor(arguments) => arguments.run(context),
            Self::Keys(arguments) => arguments.run(context),
            Self::Backup(arguments) => arguments.run(context),
            Self::Restore(arguments) => arguments.run(context),
            Self::Hold(arguments) => arguments.run(context),
            Self::Erase(arguments) => arguments.run(context),
            Self::Retention(arguments) => arguments.run(context),
            Self::Completions(arguments) => arguments.run(context),
        }
    }
}
