//! What a server's log is given, as it comes: server-sent events on a thread of their own. When the
//! connection breaks it is made again, and the feed goes on behind the last record.
//!
//! The format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>, as far as the
//! server writes it.

use crate::failure::Failure;
use crate::remote::Remote;
use crate::remote::questions::question;
use link::{Trouble, of_io};
use query::row::read_row;
use query::{Filter, Found};
use serde::Deserialize;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use ureq::Body;
use ureq::http::Response;

/// Events read ahead of whoever shows them.
const AHEAD: usize = 256;
/// Bytes of one line: a record with everything in it escaped.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// Bytes of what one event says.
const DATA_BYTES_MAX: usize = 64 << 20;
/// The first pause before the connection is made again; each is twice the one before.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// However long the server wants to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// No other pause is longer.
const PAUSE_LONGEST: Duration = Duration::from_secs(10);

/// What comes.
pub(crate) enum Came {
    /// A record that matches.
    Record(Box<Found<'static>>),
    /// So many records are not shown, of which some may match.
    Missed(u64),
    /// The connection broke, or cannot be made yet; why.
    Lost(String),
    /// It is there again.
    Back,
    /// It will not come back.
    Failed(Failure),
}

/// A feed; dropping it ends the thread with the next thing that comes.
pub(crate) struct Feed(Receiver<Came>);

impl Feed {
    /// Listens to what matches, from the record `from` on.
    pub(crate) fn start(remote: Remote, filter: &Filter, from: u64) -> Self {
        let (sender, receiver) = sync_channel(AHEAD);
        let mut listener = Listener { remote, question: question(filter), next: from, sender };
        std::thread::spawn(move || listener.run());
        Self(receiver)
    }

    /// What came next, within `patience`.
    pub(crate) fn next(&self, patience: Duration) -> Option<Came> {
        match self.0.recv_timeout(patience) {
            Ok(came) => Some(came),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Came::Failed(Failure::new(
                "the feed ended in a fault of this program; run it again",
            ))),
        }
    }
}

struct Listener {
    remote: Remote,
    question: String,
    /// The index of the first record that was not shown.
    next: u64,
    sender: SyncSender<Came>,
}

/// Nobody listens any more.
struct Gone;

/// One event, as far as it was read.
#[derive(Default)]
struct Event {
    name: String,
    data: String,
}

#[derive(Deserialize)]
struct Missed {
    records: u64,
}

impl Listener {
    fn run(&mut self) {
        let (mut pause, mut is_lost) = (PAUSE_FIRST, false);
        loop {
            let ended = match self.connect() {
                Ok(response) => {
                    if std::mem::take(&mut is_lost) && self.sender.send(Came::Back).is_err() {
                        return;
                    }
                    let before = self.next;
                    match self.read(response) {
                        Err(Gone) => return,
                        Ok(ended) => {
                            if self.next > before {
                                pause = PAUSE_FIRST;
                            }
                            ended
                        }
                    }
                }
                Err(trouble) => trouble,
            };
            if !ended.may_pass() {
                let _ = self.sender.send(Came::Failed(self.remote.failure(&ended)));
                return;
            }
            if !is_lost && self.sender.send(Came::Lost(ended.brief())).is_err() {
                return;
            }
            is_lost = true;
            std::thread::sleep(ended.retry_after().unwrap_or(pause).min(RETRY_AFTER_MAX));
            pause = (pause * 2).min(PAUSE_LONGEST);
        }
    }

    fn connect(&self) -> Result<Response<Body>, Trouble> {
        let separator = if self.question.is_empty() { "" } else { "&" };
        let rest = format!("/live?{}{separator}from_index={}", self.question, self.next);
        self.remote.open(&self.remote.in_log(&rest))
    }

    /// Hands on what comes until it ends; why it did.
    fn read(&mut self, response: Response<Body>) -> Result<Trouble, Gone> {
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut reader = BufReader::new(body);
        let (mut line, mut event) = (Vec::new(), Event::default());
        loop {
            line.clear();
            match reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
                Ok(0) => return Ok(Trouble::Lost("the server ended the feed".to_owned())),
                Ok(_) if !line.ends_with(b"\n") => {
                    return Ok(Trouble::Lost("the feed broke off".to_owned()));
                }
                Ok(_) => {}
                Err(error) => return Ok(of_io(&error)),
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                if let Some(trouble) = self.hand_on(&std::mem::take(&mut event))? {
                    return Ok(trouble);
                }
                continue;
            }
            event.take(text);
        }
    }

    /// Hands an event on; what is wrong with it, if anything is.
    fn hand_on(&mut self, event: &Event) -> Result<Option<Trouble>, Gone> {
        let came = match event.name.as_str() {
            "record" => match read_row(&event.data) {
                // What was shown already comes again when the server was started anew.
                Ok(found) if found.index < self.next => return Ok(None),
                Ok(found) => {
                    self.next = found.index.saturating_add(1);
                    Came::Record(Box::new(found))
                }
                Err(error) => return Ok(Some(Trouble::Foreign(error.to_string()))),
            },
            "missed" => match serde_json::from_str::<Missed>(&event.data) {
                Ok(missed) => Came::Missed(missed.records),
                Err(error) => return Ok(Some(Trouble::Foreign(error.to_string()))),
            },
            // Comments that keep the connection open, and what a newer server may tell.
            _ => return Ok(None),
        };
        self.sender.send(came).map(|()| None).map_err(|_| Gone)
    }
}

impl Event {
    /// Reads one line of it.
    fn take(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.name),
            // No event of ours is as long; what is cut reads as none.
            "data" if self.data.len() + value.len() > DATA_BYTES_MAX => {}
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_line_by_line() {
        let mut event = Event::default();
        for line in ["id: 7", "event: record", "data: {\"a\": 1}", ": a comment", "data:x"] {
            event.take(line);
        }
        assert_eq!((event.name.as_str(), event.data.as_str()), ("record", "{\"a\": 1}\nx"));
    }
}
