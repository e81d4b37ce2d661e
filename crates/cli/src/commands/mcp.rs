//! `tacho mcp`: the log for a model, over standard input and output. What the tools are, and what
//! they tell, is `serve::mcp`'s to say; of a server, the server's.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::RecordingArguments;
use crate::remote::Remote;
use clap::Args;
use keys::Kek;
use reading::{LogFolder, Lookout, Memory, View};
use seal::{Act, Clock as _, SystemClock};
use serve::mcp::{Access, Failure as NoAnswer, Rights, Source};
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

const AFTER_HELP: &str = "\
An MCP client starts this itself, with a configuration such as

  { \"mcpServers\": { \"audit\": { \"command\": \"tacho\", \"args\": [\"--data\", \"DIR\", \"mcp\"] } } }

All tools only read. What the log holds comes marked as untrusted data. Content that is handed out is
recorded in the log first; when a server holds the log, ask it (--url), or show metadata only. A server shows
what the token may see.

Examples:
  tacho mcp
  tacho mcp --url https://log.example.org --token-file model.token
  tacho --data /srv/tachograph-data mcp --metadata-only";

/// Let a model ask the log, with tools that only read (MCP over standard input and output)
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Show no content: no parameters, results, messages. Nothing is written to the log then
    #[arg(long)]
    metadata_only: bool,
    #[command(flatten)]
    recording: RecordingArguments,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        if let Some(remote) = Remote::named(context)? {
            return self.hand_on(&remote);
        }
        let log = context.log_folder()?;
        let kek = context.kek(&log)?;
        if std::io::stdin().is_terminal() {
            context
                .terminal
                .note("an MCP client is expected to start this; `tacho help mcp` says how");
        }
        let rights = match self.metadata_only {
            true => Rights { content: false, export: false, ..Rights::ALL },
            false => Rights::ALL,
        };
        let lookout = Lookout::new(log.clone(), Arc::clone(&kek));
        // What is wrong with the key or the log is told to the person who configures the client.
        lookout.view()?;
        let recording = (self.recording, Mutex::default());
        let memory = context.memory.clone();
        let source = LocalLog { log, kek, memory, lookout, rights, recording };
        let ended = serve::mcp::stdio(Arc::new(source));
        ended.map(|()| Exit::Fine).map_err(|error| Failure::new(error.to_string()))
    }

    /// Between a client and a server.
    fn hand_on(&self, remote: &Remote) -> Result<Exit, Failure> {
        if self.metadata_only {
            return Err(Failure::usage(
                "a server shows what the token may see; leave --metadata-only out, and use the token of \
                 a reader",
            ));
        }
        // What is wrong with the address or the token is told to the person who configures the
        // client.
        remote.describe()?;
        remote.converse(std::io::stdin().lock(), std::io::stdout().lock())?;
        Ok(Exit::Fine)
    }
}

/// A log on this machine, for the user that this process runs as.
struct LocalLog {
    log: LogFolder,
    kek: Arc<Kek>,
    memory: Option<Memory>,
    lookout: Lookout,
    rights: Rights,
    /// Whether what cannot be recorded may be done; and one record at a time, because a log has one
    /// writer.
    recording: (RecordingArguments, Mutex<()>),
}

impl Source for LocalLog {
    fn view(&self) -> Result<Arc<View>, NoAnswer> {
        Ok(self.lookout.view()?)
    }

    fn rights(&self) -> Rights {
        self.rights
    }

    fn record(&self, access: Access) -> Result<(), NoAnswer> {
        let act = match access.is_export {
            true => Act::Export(access.details()),
            false => Act::Access(access.details()),
        };
        let (recording, turn) = &self.recording;
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = recording.try_record(self.memory.as_ref(), &self.log, &self.kek, act);
        recorded.map_err(|error| {
            NoAnswer::new(format!(
                "the log cannot record that content is read, so it is not shown: {error}; ask with \
                 metadata_only, or connect to the server that holds the log"
            ))
        })
    }

    fn kek(&self) -> Arc<Kek> {
        Arc::clone(&self.kek)
    }

    fn now_ms(&self) -> u64 {
        SystemClock.now_ms()
    }
}
