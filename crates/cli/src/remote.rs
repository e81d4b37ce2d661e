//! A server that a command talks to: its address, the credential, one connection, and what went
//! wrong. Whatever a command wants of a server goes through [`Remote::get`], [`Remote::post`],
//! [`Remote::act`] or [`Remote::open`].
//!
//! | question | file |
//! |---|---|
//! | which address is meant? may a token go there? | `remote/address.rs` |
//! | where does the token come from? | `remote/credential.rs` |
//! | what went wrong, and does asking again help? | `remote/trouble.rs` |
//! | how do events get there, once? | `remote/sending.rs` |
//! | what does it know? | `remote/questions.rs` |
//! | what is it to do: hold, erase, let go? | `remote/acts.rs` |
//! | what comes there? | `remote/feed.rs` |
//! | how does a model's client reach it? | `remote/model.rs` |
//!
//! Not here: which answers a command has from a folder as well (`source.rs`), and the server
//! (`serve`).

pub(crate) mod acts;
pub(crate) mod address;
mod credential;
pub(crate) mod feed;
mod model;
pub(crate) mod questions;
pub(crate) mod sending;
pub(crate) mod trouble;

use crate::arguments::ServerArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::serving::held;
use crate::terminal::{DIM, styled};
use address::Address;
use credential::Credential;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use trouble::{Asked, Trouble};
use ureq::http::Response;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestBuilder};

/// A connection comes about within this time.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// An answer begins within this time, and goes on: a server gives up after 120 seconds, and a feed
/// says every 15 seconds that it is there.
const ANSWER_MAX: Duration = Duration::from_secs(150);
/// What is to be done may take longer: erasing rewrites segments.
const ACT_MAX: Duration = Duration::from_secs(3600);
/// A connection that rested longer is not used again: a server closes it after 15 seconds.
const IDLE_MAX: Duration = Duration::from_secs(10);
/// Bytes of an answer: a page holds at most 16 MiB, but for one record that is longer.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// Bytes of a refusal.
const REFUSAL_BYTES_MAX: u64 = 64 << 10;
/// Questions are asked so often when the server has no time; events have patience of their own.
const TRIES: u32 = 4;
/// And waits no longer than this before each.
const PAUSE_BETWEEN_MAX: Duration = Duration::from_secs(3);

/// A server, and the log there that is meant.
#[derive(Clone)]
pub(crate) struct Remote {
    agent: Agent,
    address: Address,
    credential: Option<Arc<Credential>>,
    log: String,
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    head: Response<()>,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// A header; `None` when it is not there, or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers().get(name)?.to_str().ok()
    }
}

/// What is sent.
pub(crate) struct Parcel<'p> {
    /// The bytes, packed by zstd.
    pub(crate) packed: &'p [u8],
    /// What events without an id are told by when it is sent again.
    pub(crate) key: &'p str,
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
        Self::at(context, Address::parse(url)?, Sends::Token).map(Some)
    }

    /// The server that holds the data folder, if one does.
    pub(crate) fn of_folder(context: &Context) -> Result<Option<Self>, Failure> {
        let Some(url) = held::find(context.data_folder().path()) else { return Ok(None) };
        Self::at(context, Address::parse(&url)?, Sends::OwnToken).map(Some)
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
        let address = Address::parse(base)?;
        // Whoever runs a public log that is to be checked has no business with a token for another.
        let named = context.global.server.url().map(Address::parse).transpose()?;
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
        if let Some(Credential { place, .. }) = &credential
            && address.is_exposed()
            && !arguments.insecure
        {
            return Err(Failure::refused(format!(
                "{} is not https: others could read the token from {place} on the way there; use \
                 https, or say --insecure when the way is safe",
                address.as_str()
            )));
        }
        let agent = agent(arguments, &address)?;
        let (credential, log) = (credential.map(Arc::new), context.global.log.clone());
        Ok(Self { agent, address, credential, log })
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Its address, as far as it says who can read along.
    pub(crate) fn way(&self) -> &Address {
        &self.address
    }

    /// Where the token came from.
    pub(crate) fn token_place(&self) -> Option<&str> {
        self.credential.as_ref().map(|credential| credential.place.as_str())
    }

    /// What went wrong, for a person.
    pub(crate) fn failure(&self, trouble: &Trouble) -> Failure {
        trouble.failure(Asked { address: self.address(), token: self.token_place() })
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
        let mut tries = 1;
        loop {
            match self.get_once(path) {
                Err(trouble) if tries < tries_of(&trouble) => {
                    let pause = trouble.retry_after().unwrap_or(Duration::from_millis(200));
                    std::thread::sleep(pause.min(PAUSE_BETWEEN_MAX));
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    /// Asks once.
    pub(crate) fn get_once(&self, path: &str) -> Result<Answer, Trouble> {
        read(self.open(path)?)
    }

    /// Asks for something that is read as it comes.
    pub(crate) fn open(&self, path: &str) -> Result<Response<Body>, Trouble> {
        good(self.shown(self.agent.get(format!("{}{path}", self.address()))).call()?)
    }

    /// Asks for something, once: when the connection breaks, nobody knows whether it was done.
    pub(crate) fn act(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let request = self.agent.post(format!("{}{path}", self.address())).config();
        let request = request.timeout_recv_response(Some(ACT_MAX)).build();
        let request = self.shown(request).header("content-type", "application/json");
        read(good(request.send(body.to_string())?)?)
    }

    /// The same request, with who is asking.
    fn shown<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let Some(credential) = &self.credential else { return request };
        request.header("authorization", format!("Bearer {}", credential.token.expose()))
    }

    /// Sends events, and reads what became of them. A refusal of all of them is an answer, not
    /// trouble.
    pub(crate) fn post(&self, path: &str, parcel: &Parcel<'_>) -> Result<Answer, Trouble> {
        let request = self.shown(self.agent.post(format!("{}{path}", self.address())));
        let request = request
            .header("content-type", "application/x-ndjson")
            .header("content-encoding", "zstd")
            .header("idempotency-key", parcel.key);
        let response = request.send(parcel.packed)?;
        // Those that say what became of each event (docs/server.md, "Appending").
        let is_answer = matches!(response.status().as_u16(), 200 | 207 | 409 | 413 | 422)
            && kind(&response).starts_with("application/json");
        read(if is_answer { response } else { good(response)? })
    }
}

/// How often a question is asked at most: again when the server has no time, and once more when a
/// connection that had rested was closed meanwhile.
fn tries_of(trouble: &Trouble) -> u32 {
    match trouble {
        Trouble::Lost(_) => 2,
        Trouble::Answered { .. } if trouble.may_pass() => TRIES,
        _ => 1,
    }
}

/// A part of a path, in which nothing has a meaning.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into());
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn kind(response: &Response<Body>) -> &str {
    let header = response.headers().get("content-type");
    header.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_problem(response: &Response<Body>) -> bool {
    kind(response).starts_with("application/problem+json")
}

/// Whether it is the answer that was asked for; otherwise what is wrong.
fn good(mut response: Response<Body>) -> Result<Response<Body>, Trouble> {
    let status = response.status().as_u16();
    if matches!(status, 200 | 201) {
        return Ok(response);
    }
    if (300..400).contains(&status) {
        // Whoever sends a token elsewhere has to be named by a person.
        return Err(Trouble::Foreign(format!("it sends on to another address (status {status})")));
    }
    let is_problem = is_problem(&response);
    let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let after = after.map(str::to_owned);
    let body = response.body_mut().with_config().limit(REFUSAL_BYTES_MAX).read_to_vec();
    Err(Trouble::answered(status, is_problem, after.as_deref(), &body.unwrap_or_default()))
}

fn read(response: Response<Body>) -> Result<Answer, Trouble> {
    let (parts, body) = response.into_parts();
    let mut bytes = Vec::new();
    let mut reader = body.into_with_config().limit(ANSWER_BYTES_MAX).reader();
    reader.read_to_end(&mut bytes).map_err(|error| trouble::of_io(&error))?;
    Ok(Answer { head: Response::from_parts(parts, ()), bytes })
}

/// The connection: no redirects, no proxy, no cookies; the system's authorities and those that a
/// person names.
fn agent(arguments: &ServerArguments, address: &Address) -> Result<Agent, Failure> {
    let mut config = Agent::config_builder()
        .timeout_connect(Some(CONNECT_MAX))
        .timeout_recv_response(Some(ANSWER_MAX))
        .timeout_per_read(Some(ANSWER_MAX))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_age(IDLE_MAX)
        .http_status_as_error(false)
        // Otherwise it is taken from the environment.
        .proxy(None)
        .user_agent(concat!("tacho/", env!("CARGO_PKG_VERSION")));
    if address.is_tls() {
        config = config.tls_config(tls(arguments)?);
    }
    Ok(config.build().into())
}

fn tls(arguments: &ServerArguments) -> Result<TlsConfig, Failure> {
    let system = rustls_native_certs::load_native_certs().certs;
    let mut roots: Vec<Certificate<'static>> =
        system.iter().map(|root| Certificate::from_der(root.as_ref()).to_owned()).collect();
    if let Some(path) = &arguments.ca_file {
        roots.extend(certificates(path)?);
    }
    if roots.is_empty() {
        return Err(Failure::new(
            "this machine has no certificates of authorities to check the server with; install \
             ca-certificates, or name a file of them with --ca-file",
        ));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let own = match (&arguments.client_cert, &arguments.client_key) {
        (Some(certificate), Some(key)) => Some(own(certificate, key, &provider)?),
        _ => None,
    };
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::from(roots))
        .client_cert(own)
        .unversioned_rustls_crypto_provider(provider)
        .build())
}

/// Our own certificate.
fn own(
    certificate: &Path,
    key: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<ClientCert, Failure> {
    let bytes = std::fs::read(key).map_err(Failure::io("read", key))?;
    let no_key = |what: String| {
        Failure::new(format!("{} is no key for {}: {what}", key.display(), certificate.display()))
    };
    let private = PrivateKey::from_pem(&bytes)
        .map_err(|_| no_key("it holds no private key in PEM".to_owned()))?;
    let chain = certificates(certificate)?;
    // The connection takes them for granted, so whether they fit is found out here.
    let der = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| no_key(error.to_string()))?;
    let parts = chain.iter().map(|part| CertificateDer::from(part.der().to_vec())).collect();
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            let roots = RootCertStore::empty();
            config.with_root_certificates(roots).with_client_auth_cert(parts, der)
        })
        .map_err(|error| no_key(error.to_string()))?;
    Ok(ClientCert::new_with_certs(&chain, private))
}

/// The certificates in a file.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::io("read", path))?;
    let found: Vec<Certificate<'static>> = ureq::tls::parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(Failure::new(format!("{} holds no certificate in PEM", path.display())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_changes_the_path() {
        assert_eq!(segment("main"), "main");
        assert_eq!(segment("a/b?c#d e%"), "a%2Fb%3Fc%23d%20e%25");
        assert_eq!(segment("ä"), "%C3%A4");
    }
}
