//! The end of the demo: the console of the log that was just made, for a person to look around in.

use super::place::Place;
use crate::commands::serve;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::serving::{self, configuration::Configuration};
use crate::terminal::{STRONG, styled};
use std::net::{SocketAddr, TcpListener};

/// Serves until Ctrl-C.
pub(super) fn serve(
    context: &Context,
    place: &Place,
    listen: Option<SocketAddr>,
) -> Result<Exit, Failure> {
    let mut configuration = Configuration::default();
    let usual = configuration.server.listen;
    // Somebody may look at a demo beside a server of their own.
    let free = || TcpListener::bind(usual).is_ok();
    let other = SocketAddr::new(usual.ip(), 0);
    configuration.server.listen = listen.unwrap_or_else(|| if free() { usual } else { other });
    configuration.check_exposure()?;
    // Tokens of its own: the user's stay as they are.
    configuration.access.tokens = Some(place.access.join("tokens.json"));
    configuration.access.secret = Some(place.access.join("server-secret"));
    let token = serving::admin_token(&serving::open_tokens(&configuration)?)?;
    serve::until_stopped(&place.context, &configuration, &|url| {
        context.terminal.note(format!(
            "\nThe console: {}\nSign in with {}\nwhich is good for this demo only. Ctrl-C ends it.",
            styled(STRONG, format_args!("{url}/")),
            styled(STRONG, token.expose()),
        ));
    })
}
