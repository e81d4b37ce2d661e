//! A server that a command talks to: its address, the credential, one connection, and what went
//! wrong. Whatever a command wants of a server goes through [`Remote::get`], [`Remote::post`],
//! [`Remote::act`] or [`Remote::open`].
//!
//! | question | file |
//! |---|---|
//! | where does the token come from? | `remote/credential.rs` |
//! | how is what went wrong told? | `remote/trouble.rs` |
//! | how do events get there, once? | `remote/sending.rs` |
//! | what does it know? | `remote/questions.rs` |
//! | what is it to do: hold, erase, let go? | `remote/acts.rs` |
//! | which keys do agents sign with? | `remote/agent_keys.rs` |
//! | what comes there? | `remote/feed.rs` |
//! | how does a model's client reach it? | `remote/model.rs` |
//!
//! Not here: the connection itself (`link`), which answers a command has from a folder as well
//! (`source.rs`), and the server (`serve`).

pub(crate) mod acts;
mod agent_keys;
mod credential;
pub(crate) mod feed;
mod model;
pub(crate) mod questions;
pub(crate) mod sending;
pub(crate) mod trouble;

use crate::context::Context;
use crate::failure::Failure;
use crate::serving::held;
use crate::terminal::{DIM, styled};
use link::{Address, Answer, Link, Parcel, Tls, Trouble, segment};
use serde_json::Value;
use trouble::Asked;
use ureq::Body;
use ureq::http::Response;

/// What a server is told of who asks.
const PROGRAM: &str = concat!("tacho/", env!("CARGO_PKG_VERSION"));

/// A server, and the log there that is meant.
#[derive(Clone)]
pub(crate) struct Remote {
    link: Link,
    log: String,
}

/// What a server is shown of who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sends {
    /// Nothing: it was not named as the one that a token is for.
    Nothing,
    /// The token that there is.
    Token,
    /// The same, first that of whoever administers the server on this machine.
    OwnToken,
}

impl Remote {
    /// The server that the command line or the environment names, if one is named.
    pub(crate) fn named(context: &Context) -> Result<Option<Self>, Failure> {
        let Some(url) = context.global.server.url() else { return Ok(None) };
        Self::at(context, parse(url)?, Sends::Token).map(Some)
    }

    /// The server that holds the data folder, if one does.
    pub(crate) fn of_folder(context: &Context) -> Result<Option<Self>, Failure> {
        let Some(url) = held::find(context.data_folder().path()) else { return Ok(None) };
        Self::at(context, parse(&url)?, Sends::OwnToken).map(Some)
    }

    /// The server that is in charge of the log: the one that is named, or the one that holds the
    /// folder and knows the log; `does` says what is left to it.
    pub(crate) fn in_charge(context: &Context, does: &str) -> Result<Option<Self>, Failure> {
        if let Some(remote) = Self::named(context)? {
            return Ok(Some(remote));
        }
        let Some(remote) = Self::of_folder(context)? else { return Ok(None) };
        if !remote.has_log()? {
            return Ok(None);
        }
        let note = format_args!("A server holds this folder: {does} {}", remote.address());
        context.terminal.note(styled(DIM, note));
        Ok(Some(remote))
    }

    /// Whether the server knows the log: one that was made after it had started it does not. A
    /// server that does not say has it: what it answers to the act itself is clearer.
    fn has_log(&self) -> Result<bool, Failure> {
        match self.get(&self.in_log("")) {
            Ok(_) => Ok(true),
            Err(trouble) if trouble.status() == Some(404) => Ok(false),
            Err(trouble) if trouble.status().is_some() => Ok(true),
            Err(trouble) => Err(self.failure(&trouble)),
        }
    }

    /// The server at an address that may name a public log: `https://log.example.org/log/main`.
    pub(crate) fn of_url(context: &Context, url: &str) -> Result<Self, Failure> {
        let (base, log) = match url.trim_end_matches('/').rsplit_once("/log/") {
            Some((base, log)) if !log.is_empty() && !log.contains('/') => (base, Some(log)),
            _ => (url, None),
        };
        let address = parse(base)?;
        // Whoever runs a public log that is to be checked has no business with a token for another.
        let named = context.global.server.url().map(parse).transpose()?;
        let is_for_it = named.as_ref() == Some(&address)
            || context.global.server.is_token_file_said
            || address.is_loopback();
        let sends = if is_for_it { Sends::Token } else { Sends::Nothing };
        let remote = Self::at(context, address, sends)?;
        Ok(match log {
            Some(log) => Self { log: log.to_owned(), ..remote },
            None => remote,
        })
    }

    fn at(context: &Context, address: Address, sends: Sends) -> Result<Self, Failure> {
        let arguments = &context.global.server;
        let file = arguments.token_file.as_deref().filter(|path| !path.as_os_str().is_empty());
        let is_ours = sends == Sends::OwnToken;
        let usual = credential::Usual { is_ours, has_certificate: arguments.client_cert.is_some() };
        let credential = match sends {
            Sends::Nothing => None,
            Sends::Token | Sends::OwnToken => credential::find(file, &address, usual)?,
        };
        if let Some(token) = &credential
            && address.is_exposed()
            && !arguments.insecure
        {
            return Err(Failure::refused(format!(
                "{} is not https: others could read the token from {} on the way there; use https, \
                 or say --insecure when the way is safe",
                address.as_str(),
                token.place()
            )));
        }
        let own = arguments.client_cert.clone().zip(arguments.client_key.clone());
        let tls = Tls { ca_file: arguments.ca_file.clone(), own };
        let link = Link::new(address, credential, &tls, PROGRAM)?;
        Ok(Self { link, log: context.global.log.clone() })
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        self.link.address().as_str()
    }

    /// Its address, as far as it says who can read along.
    pub(crate) fn way(&self) -> &Address {
        self.link.address()
    }

    /// Where the token came from.
    pub(crate) fn token_place(&self) -> Option<&str> {
        self.link.token_place()
    }

    /// What went wrong, for a person.
    pub(crate) fn failure(&self, trouble: &Trouble) -> Failure {
        trouble::failure(trouble, Asked { address: self.address(), token: self.token_place() })
    }

    /// The path of something in the log that is meant; `rest` begins with a slash, or is empty.
    pub(crate) fn in_log(&self, rest: &str) -> String {
        format!("/api/v1/logs/{}{rest}", segment(&self.log))
    }

    /// The path of a file of the public log.
    pub(crate) fn public(&self, file: &str) -> String {
        format!("/log/{}/{file}", segment(&self.log))
    }

    /// The log's name.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }

    /// Asks, and reads the answer; asks again when the server has no time just now.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.link.get(path)
    }

    /// Asks for something that is read as it comes.
    pub(crate) fn open(&self, path: &str) -> Result<Response<Body>, Trouble> {
        self.link.open(path)
    }

    /// Asks for something, once: when the connection breaks, nobody knows whether it was done.
    pub(crate) fn act(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        self.link.act(path, body)
    }

    /// Sends events, and reads what became of them. A refusal of all of them is an answer, not
    /// trouble.
    pub(crate) fn post(&self, path: &str, parcel: &Parcel<'_>) -> Result<Answer, Trouble> {
        self.link.post(path, parcel)
    }
}

/// Reads an address that a person wrote.
fn parse(text: &str) -> Result<Address, Failure> {
    Address::parse(text).map_err(|error| Failure::usage(format!("--url (or TACHO_URL) {error}")))
}
