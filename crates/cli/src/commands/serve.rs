//! `tacho serve`: the server.

use crate::context::Context;
use crate::environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::serving::held::{self, Held};
use crate::serving::{self, configuration::Configuration};
use crate::terminal::{DOUBTFUL, GOOD, STRONG, styled};
use crate::writing;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

const AFTER_HELP: &str = "\
Takes events (JSON, OpenTelemetry), answers questions, shows what is new, and publishes the log's tree.
Without any configuration it listens on 127.0.0.1:7411, makes the log main, and puts the token of whoever
administers it into the user's configuration folder.

Examples:
  tacho serve
  tacho serve --config /etc/tachograph/tachograph.toml
  curl -H \"Authorization: Bearer $(cat ~/.config/tachograph/admin-token)\" \\
       -d '{\"event_type\":\"agent.tool_call\",\"tool\":\"lookup\"}' http://127.0.0.1:7411/api/v1/logs/main/events";

/// Threads that wait for disks and answer questions.
const BLOCKING_THREADS: usize = 32;
/// Connections that wait to be taken; the kernel may have a limit of its own.
const WAITING_MAX: u32 = 4_096;

/// Run the server
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Configuration file; without one `tachograph.toml` in the user's configuration folder, if it
    /// is there
    #[arg(long, value_name = "FILE", env = "TACHO_CONFIG")]
    config: Option<PathBuf>,
    /// Address and port [default: 127.0.0.1:7411]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Serve an address that others reach without TLS: something in front of it does that
    #[arg(long)]
    insecure: bool,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut configuration = Configuration::read(self.config.as_deref())?;
        configuration.server.listen = self.listen.unwrap_or(configuration.server.listen);
        configuration.server.insecure |= self.insecure;
        configuration.check_exposure()?;
        writing::make_log(context, &configuration.server.default_log)?;
        until_stopped(context, &configuration, &|url| {
            context.terminal.note(format!("Listening on {}", styled(STRONG, url)));
        })
    }
}

/// Serves until somebody stops it. `told` hears where, once it listens.
pub(crate) fn until_stopped(
    context: &Context,
    configuration: &Configuration,
    told: &dyn Fn(&str),
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("tacho-serve")
        .build()
        .map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    runtime.block_on(run(context, configuration, told))
}

async fn run(
    context: &Context,
    configuration: &Configuration,
    told: &dyn Fn(&str),
) -> Result<Exit, Failure> {
    let listen = configuration.server.listen;
    // The port first: two servers must not fight over the logs.
    let listener = bind(listen).map_err(|error| {
        Failure::new(format!("cannot listen on {listen}: {error}; choose another with --listen"))
    })?;
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot listen on {listen}: {error}"));
    let address = listener.local_addr().map_err(failed)?;
    let ready = tokio::task::block_in_place(|| serving::prepare(context, configuration))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let scheme = if ready.tls.is_some() { "https" } else { "http" };
    if let Some(path) = &ready.new_admin_token {
        context.terminal.note(format!(
            "{} the token of whoever administers it: {}",
            styled(GOOD, "Made"),
            path.display()
        ));
    }
    if scheme == "http" && !address.ip().is_loopback() {
        context.terminal.note(format!(
            "{}: without TLS, others can read along on the way to {address}",
            styled(DOUBTFUL, "warning")
        ));
    }
    // Before anybody is told that it listens.
    let url = held::url(address, scheme == "https", ready.name.as_deref());
    let held = Held::leave(context.data_folder().path(), &url)?;
    told(&format!("{scheme}://{address}"));
    notify("READY=1");
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        notify("STOPPING=1");
        // Before the logs are closed: whoever comes next leaves an address of its own.
        drop(held);
    };
    let served = serve::serve(ready.app, listener, ready.tls, stop).await;
    served.map_err(failed)?;
    context.terminal.note("Stopped in good order.");
    Ok(Exit::Fine)
}

/// Listens, with room for as many as may be connected: of a crowd that comes at once, as after a
/// restart, whoever found none would try again a second later.
pub(super) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Tells systemd how far it is, if systemd started it (`sd_notify(3)`).
fn notify(state: &str) {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(path) = environment::text("NOTIFY_SOCKET") else { return };
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    if let (Ok(address), Ok(socket)) = (address, UnixDatagram::unbound()) {
        // Nobody waits for it who could be told that it failed.
        let _ = socket.send_to_addr(state.as_bytes(), &address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpStream};
    use std::time::Duration;

    #[tokio::test]
    async fn a_crowd_that_comes_at_once_finds_room() {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody takes them meanwhile: without room the last ones would wait for ever.
        let mut crowd = Vec::new();
        while crowd.len() < 200 {
            crowd.push(TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap());
        }
    }
}
