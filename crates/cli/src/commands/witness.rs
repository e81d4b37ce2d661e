//! `tacho witness`: being a witness for the logs of others.

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::serving::configuration::Configuration;
use crate::terminal::{BAD, STRONG, Terminal, plain, styled};
use crate::witnessing::WitnessServer;
use clap::{Args, Subcommand};
use seal::SystemClock;
use serde_json::json;
use serve::witness::{Home, listen};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use store::DiskFolder;
use tokio::signal::unix::{SignalKind, signal};

const AFTER_HELP: &str = "\
A witness keeps the largest tree that it saw of each log, and cosigns only what continues it: so a log that it
watches can neither be rolled back nor shown in two versions unnoticed. It knows nothing of what is in a log.
The section [witness.server] of the configuration says its name, its folder and the logs (docs/witnesses.md).

Examples:
  tacho witness serve
  tacho witness serve --name w1.example.org --folder /var/lib/tacho-witness --log-key VKEY
  tacho witness list";

/// Be a witness for the logs of others
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Answer POST /add-checkpoint (C2SP tlog-witness) until it is stopped
    Serve {
        #[command(flatten)]
        of: Of,
        /// Address and port [default: 127.0.0.1:7412]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Show its keys, and what it saw of each log; the witness must not be running
    List {
        #[command(flatten)]
        of: Of,
    },
}

/// Which witness.
#[derive(Debug, Args)]
struct Of {
    /// Configuration file, as for `tacho serve`
    #[arg(long, value_name = "FILE", env = "TACHO_CONFIG")]
    config: Option<PathBuf>,
    /// What its keys are called, such as w1.example.org; never changes
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Its key, and what it saw; never to be put back from a backup
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The vkey of a log that it watches, beside those of the configuration; may be repeated
    #[arg(long = "log-key", value_name = "VKEY")]
    logs: Vec<String>,
    /// Make a line with ML-DSA-44 as well
    #[arg(long)]
    post_quantum: bool,
}

impl Of {
    fn read(&self) -> Result<WitnessServer, Failure> {
        let configured = Configuration::read(self.config.as_deref())?.witness.unwrap_or_default();
        let missing = |what: &str| {
            Failure::usage(format!(
                "a witness needs a {what}: give --{what}, or `{what}` in the section [witness.server]"
            ))
        };
        let (name, folder) = (self.name.clone(), self.folder.clone());
        let mut witness = match configured.server {
            Some(server) => server,
            None => WitnessServer::new(
                name.clone().ok_or_else(|| missing("name"))?,
                folder.clone().ok_or_else(|| missing("folder"))?,
            ),
        };
        witness.name = name.unwrap_or(witness.name);
        witness.folder = folder.unwrap_or(witness.folder);
        witness.post_quantum |= self.post_quantum;
        witness.logs.extend(self.logs.iter().cloned());
        Ok(witness)
    }
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.what {
            What::Serve { of, listen } => {
                let mut witness = of.read()?;
                witness.listen = listen.unwrap_or(witness.listen);
                if witness.logs.is_empty() {
                    return Err(Failure::usage(
                        "a witness without logs has nothing to do: give --log-key VKEY, or `logs` in the \
                         section [witness.server]",
                    ));
                }
                serve(context, &witness)
            }
            What::List { of } => list(context, &of.read()?),
        }
    }
}

fn open(witness: &WitnessServer, terminal: Terminal) -> Result<Home, Failure> {
    let (keys, logs) = (witness.signing_keys()?, witness.log_keys()?);
    let folder = Arc::new(DiskFolder::new(&witness.folder));
    let alarm = Box::new(move |text: &str| {
        terminal.note(format!("{}: {}", styled(BAD, "alarm"), plain(text)));
    });
    Home::open(folder, keys, logs, Arc::new(SystemClock), alarm)
        .map_err(|error| Failure::new(error.to_string()))
}

fn serve(context: &Context, witness: &WitnessServer) -> Result<Exit, Failure> {
    let home = open(witness, context.terminal)?;
    let failed = |error: std::io::Error| {
        let address = witness.listen;
        Failure::new(format!("cannot listen on {address}: {error}; choose another with --listen"))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("tacho-witness")
        .build()
        .map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        let listener = super::serve::bind(witness.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        for key in home.verifier_keys() {
            context.terminal.note(format!("Witness {}", plain(&key.to_string())));
        }
        let address = styled(STRONG, format_args!("http://{address}"));
        context.terminal.note(format!("Listening on {address}"));
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        listen(Arc::new(home), listener, stop).await.map_err(failed)?;
        context.terminal.note("Stopped in good order.");
        Ok(Exit::Fine)
    })
}

fn list(context: &Context, witness: &WitnessServer) -> Result<Exit, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let home = open(witness, context.terminal)?;
    let keys: Vec<String> = home.verifier_keys().map(ToString::to_string).collect();
    if format == Format::Json {
        let logs =
            home.watched().into_iter().map(|(log, size)| json!({"origin": log, "size": size}));
        let document =
            json!({"name": witness.name, "vkeys": keys, "logs": logs.collect::<Vec<_>>()});
        let mut out = context.terminal.programs();
        writeln!(out, "{document}")?;
        out.flush()?;
        return Ok(Exit::Fine);
    }
    let mut out = context.terminal.people();
    for key in keys {
        writeln!(out, "{}", plain(&key))?;
    }
    for (origin, size) in home.watched() {
        let size = size.map_or("nothing yet".to_owned(), |size| format!("{size} entries"));
        writeln!(out, "  {}  {size}", plain(origin))?;
    }
    out.flush()?;
    Ok(Exit::Fine)
}
