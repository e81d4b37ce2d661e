//! A log at a server: what is asked of it, and how the way there is closed.
//!
//! Answers are the server's, which are those of the commands. Not here: events on their way
//! (`outbox.rs`).

use crate::fault::Fault;
use crate::mode::Mode;
use crate::outbox::Outbox;
use crate::place::{Identity, Place};
use crate::questions::Question;
use crate::queue::Queue;
use crate::receipt::Until;
use checkpoint::VerifierKey;
use form_urlencoded::Serializer;
use link::{Answer, Link, Trouble, segment};
use prove::Trust;
use reading::verify::{NotShown, Shown, SinceFile};
use serde::Deserialize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a published checkpoint may take to cover what is in the log: a server publishes once a
/// second.
const PUBLISHED_MAX: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the end waits for a thread that is to end now.
const THREAD_MAX: Duration = Duration::from_millis(500);
/// Records of one page at most: what a server gives.
const PAGE_RECORDS_MAX: usize = 10_000;
const CHECKPOINT: &str = "checkpoint";

/// A log at a server.
pub(crate) struct There {
    pub(crate) link: Link,
    pub(crate) log: String,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) threads: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) patience: Duration,
    /// What is required waits for this.
    pub(crate) required: Until,
    /// Whether a crash leaves something behind to be sent.
    pub(crate) is_on_disk: bool,
}

/// What a server says of a log.
#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    origin: String,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    size: u64,
}

impl There {
    fn in_log(&self, rest: &str) -> String {
        format!("/api/v1/logs/{}{rest}", segment(&self.log))
    }

    fn ask(&self, path: &str) -> Result<Answer, Fault> {
        self.link.get(path).map_err(|trouble| self.fault(&trouble))
    }

    /// A file of the public log.
    fn public(&self, file: &str) -> Result<Option<Vec<u8>>, Trouble> {
        match self.link.get(&format!("/log/{}/{file}", segment(&self.log))) {
            Ok(answer) => Ok(Some(answer.bytes)),
            Err(trouble) if trouble.status() == Some(404) && file != CHECKPOINT => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    fn describe(&self) -> Result<Described, Fault> {
        let answer = self.ask(&self.in_log(""))?;
        serde_json::from_slice(&answer.bytes).map_err(|error| self.foreign(&error.to_string()))
    }

    /// Waits until the published checkpoint covers everything that the server acknowledged.
    fn wait_until_published(&self) -> Result<(), Fault> {
        let (size, begun) = (self.outbox.size(), Instant::now());
        while size > 0 && self.describe()?.size < size {
            if begun.elapsed() > PUBLISHED_MAX {
                return Err(Fault::unread(format!(
                    "{} has published no checkpoint of the newest events for {} seconds; `tacho \
                     doctor --url` says more",
                    self.link.address().as_str(),
                    PUBLISHED_MAX.as_secs()
                )));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn foreign(&self, what: &str) -> Fault {
        self.fault(&Trouble::Foreign(what.to_owned()))
    }

    /// What went wrong with a question: what, why, what to do.
    fn fault(&self, trouble: &Trouble) -> Fault {
        let (address, why) = (self.link.address().as_str(), trouble.brief());
        match trouble {
            Trouble::Answered { status: 400, detail, .. } if !detail.is_empty() => {
                Fault::usage(detail.clone())
            }
            Trouble::Answered { status: 401 | 403, .. } => {
                let token = self.link.token_place().unwrap_or("nowhere");
                Fault::unread(format!(
                    "{address} does not allow this with the token from {token}: {why}; ask for one \
                     that may (docs/access.md)"
                ))
            }
            Trouble::Answered { .. } => Fault::unread(format!("{address} answered: {why}")),
            Trouble::Certificate(_) => Fault::unread(format!(
                "the certificate of {address} is not trusted: {why}; name its authority with \
                 ca_file="
            )),
            Trouble::Foreign(_) => Fault::unread(format!(
                "what answers at {address} is no server of this version: {why}"
            )),
            Trouble::Unreachable(_) | Trouble::Lost(_) => Fault::unread(format!(
                "{address} does not answer: {why}; check the address, and that the server runs"
            )),
        }
    }
}

impl Place for There {
    fn until(&self, mode: Mode) -> Option<Until> {
        match mode {
            Mode::Buffered => None,
            Mode::Durable if self.is_on_disk => Some(Until::Stored),
            Mode::Durable => Some(Until::Sealed),
            Mode::Required => Some(self.required),
        }
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.patience)
    }

    fn outbox(&self) -> Option<&Arc<Outbox>> {
        Some(&self.outbox)
    }

    fn publish(&self) -> Result<String, Fault> {
        self.wait_until_published()?;
        let note = self.public(CHECKPOINT).map_err(|trouble| self.fault(&trouble))?;
        Ok(String::from_utf8(note.unwrap_or_default()).unwrap_or_default())
    }

    fn events(&self, question: &str) -> Result<(String, u64), Fault> {
        self.wait_until_published()?;
        let question = Question::read(question)?;
        let filter = question.filter()?;
        let mut query = Serializer::new(String::new());
        query.extend_pairs(filter.parameters());
        let limit = filter.limit.unwrap_or(PAGE_RECORDS_MAX).clamp(1, PAGE_RECORDS_MAX);
        query.append_pair("limit", &limit.to_string());
        query.append_pair("order", if filter.newest_first { "newest" } else { "oldest" });
        if let Some(cursor) = question.cursor() {
            query.append_pair("cursor", cursor);
        }
        let answer = self.ask(&self.in_log(&format!("/events?{}", query.finish())))?;
        let unreadable =
            answer.header("tachograph-unreadable").and_then(|it| it.parse().ok()).unwrap_or(0);
        let text = String::from_utf8(answer.bytes);
        Ok((text.map_err(|error| self.foreign(&error.to_string()))?, unreadable))
    }

    fn trace(&self, id: &str) -> Result<Option<String>, Fault> {
        self.wait_until_published()?;
        match self.link.get(&self.in_log(&format!("/traces/{}", segment(id)))) {
            Ok(answer) => String::from_utf8(answer.bytes)
                .map(Some)
                .map_err(|error| self.foreign(&error.to_string())),
            Err(Trouble::Answered { status: 404, code, .. }) if code == "not_found" => Ok(None),
            Err(trouble) => Err(self.fault(&trouble)),
        }
    }

    fn proof(&self, index: u64) -> Result<String, Fault> {
        self.wait_until_published()?;
        match self.link.get(&self.in_log(&format!("/events/{index}/proof"))) {
            Ok(answer) => {
                String::from_utf8(answer.bytes).map_err(|error| self.foreign(&error.to_string()))
            }
            Err(Trouble::Answered { status: 404, code, .. }) if code == "not_found" => {
                Err(Fault::usage(format!("there is no record {index}")))
            }
            Err(trouble) => Err(self.fault(&trouble)),
        }
    }

    /// The public log, from outside: what the server says of itself vouches for nothing.
    fn check(
        &self,
        keys: &[String],
        origin: Option<String>,
        since: Option<&str>,
    ) -> Result<String, Fault> {
        self.wait_until_published()?;
        let parse = |key: &String| {
            key.parse::<VerifierKey>().map_err(|error| Fault::usage(format!("the key: {error}")))
        };
        let pinned = keys.iter().map(parse).collect::<Result<_, _>>()?;
        let since = since.map(|text| SinceFile::parse(text.as_bytes())).transpose();
        let since = since.map_err(|error| Fault::usage(format!("what was kept: {error}")))?;
        let embedded = self.describe().ok().into_iter().flat_map(|it| it.keys);
        let embedded = embedded.filter_map(|key| key.parse().ok()).collect();
        let trust = Trust { pinned, embedded, ..Trust::default() };
        let ask = |file: &str| self.public(file);
        let mut shown = Shown::open(&ask).map_err(|error| match error {
            NotShown::Asked(trouble) => self.fault(&trouble),
            NotShown::Foreign(what) => self.foreign(&what),
        })?;
        if origin.is_some_and(|origin| origin != shown.origin()) {
            return Err(Fault::unread(format!(
                "{} shows another log than the one that is known: {}",
                self.link.address().as_str(),
                shown.origin()
            )));
        }
        Ok(shown.check(&trust, since.as_ref(), &mut |_| {}).to_json())
    }

    fn identity(&self) -> Result<Identity, Fault> {
        let Described { origin, keys, .. } = self.describe()?;
        Ok(Identity { name: self.log.clone(), log_id: None, origin, keys })
    }

    fn folder(&self) -> Option<&Path> {
        None
    }

    fn url(&self) -> Option<&str> {
        Some(self.link.address().as_str())
    }

    fn close(&self, queue: &Queue, patience: Option<Duration>) -> Result<u64, Fault> {
        queue.close();
        let threads: Vec<JoinHandle<()>> =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if threads.is_empty() {
            return Ok(0);
        }
        let patience = patience.unwrap_or(self.patience);
        let ends = Instant::now().checked_add(patience);
        self.outbox.end_at(ends.unwrap_or_else(Instant::now));
        // A request that is under way may take longer than anybody waits: its thread ends then.
        if self.outbox.wait_until_over(patience.saturating_add(THREAD_MAX)) {
            for thread in threads {
                let _ = thread.join();
            }
        }
        let left = queue.unsettled();
        queue.finish();
        if left > 0 && !self.is_on_disk {
            let why = self.outbox.trouble().unwrap_or_else(|| "it did not answer".to_owned());
            return Err(Fault::unavailable(format!(
                "{left} events are lost: {} took none before the end ({why}), and there is no \
                 spool; name a folder with spool=",
                self.link.address().as_str()
            )));
        }
        Ok(left)
    }
}
