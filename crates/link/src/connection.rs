//! One connection to a server: asking, sending, and reading answers to their end.

use crate::address::Address;
use crate::tls::{Tls, TlsError};
use crate::token::Token;
use crate::trouble::{Trouble, of_io};
use serde_json::Value;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Response;
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

/// A server, and who asks it. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Link {
    agent: Agent,
    address: Address,
    token: Option<Arc<Token>>,
}

/// An answer that was read to its end.
pub struct Answer {
    head: Response<()>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header; `None` when it is not there, or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers().get(name)?.to_str().ok()
    }
}

/// What is sent.
pub struct Parcel<'p> {
    /// The bytes, packed by zstd.
    pub packed: &'p [u8],
    /// What events without an id are told by when it is sent again; `None` when all have one.
    pub key: Option<&'p str>,
}

impl Link {
    /// The way to a server; nothing is sent yet. `program` is what the server is told of who asks.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(
        address: Address,
        token: Option<Token>,
        tls: &Tls,
        program: &str,
    ) -> Result<Self, TlsError> {
        let agent = agent(tls, &address, program)?;
        Ok(Self { agent, address, token: token.map(Arc::new) })
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where the token came from; `None` when there is none.
    #[must_use]
    pub fn token_place(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.place())
    }

    /// Asks, and reads the answer; asks again when the server has no time just now.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn get(&self, path: &str) -> Result<Answer, Trouble> {
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

    fn get_once(&self, path: &str) -> Result<Answer, Trouble> {
        read(self.open(path)?)
    }

    /// Asks for something that is read as it comes.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(&self, path: &str) -> Result<Response<Body>, Trouble> {
        good(self.shown(self.agent.get(format!("{}{path}", self.address.as_str()))).call()?)
    }

    /// Asks for something, once: when the connection breaks, nobody knows whether it was done.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn act(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let request = self.agent.post(format!("{}{path}", self.address.as_str())).config();
        let request = request.timeout_recv_response(Some(ACT_MAX)).build();
        let request = self.shown(request).header("content-type", "application/json");
        read(good(request.send(body.to_string())?)?)
    }

    /// The same request, with who is asking.
    fn shown<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let Some(token) = &self.token else { return request };
        request.header("authorization", token.header())
    }

    /// Sends events, and reads what became of them. A refusal of all of them is an answer, not
    /// trouble.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn post(&self, path: &str, parcel: &Parcel<'_>) -> Result<Answer, Trouble> {
        let request = self.shown(self.agent.post(format!("{}{path}", self.address.as_str())));
        let request = request
            .header("content-type", "application/x-ndjson")
            .header("content-encoding", "zstd");
        let request = match parcel.key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let response = request.send(parcel.packed)?;
        // Those that say what became of each event (docs/server.md, "Appending").
        let is_answer = matches!(response.status().as_u16(), 200 | 207 | 409 | 413 | 422)
            && kind(&response).starts_with("application/json");
        read(if is_answer { response } else { good(response)? })
    }

    /// Hands on a message of another protocol, as JSON, and reads what is said to it; `None` when
    /// it was taken and there is nothing to say. An error of that protocol is an answer.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn hand_on(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        message: &[u8],
    ) -> Result<Option<Answer>, Trouble> {
        let request = self.shown(self.agent.post(format!("{}{path}", self.address.as_str())));
        let request = request
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send(message)?;
        if response.status().as_u16() == 202 {
            return Ok(None);
        }
        let is_answer = kind(&response).starts_with("application/json");
        read(if is_answer { response } else { good(response)? }).map(Some)
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
#[must_use]
pub fn segment(text: &str) -> String {
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
    reader.read_to_end(&mut bytes).map_err(|error| of_io(&error))?;
    Ok(Answer { head: Response::from_parts(parts, ()), bytes })
}

/// The connection: no redirects, no proxy, no cookies; the system's authorities and those that a
/// person names.
fn agent(tls: &Tls, address: &Address, program: &str) -> Result<Agent, TlsError> {
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
        .user_agent(program);
    if address.is_tls() {
        config = config.tls_config(tls.config()?);
    }
    Ok(config.build().into())
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
