//! A witness at home: its keys, the logs that it watches, and what it saw of each, kept on disk.
//!
//! What it saw of a log is one file, the checkpoint that it cosigned last with its own lines. It is
//! durable before anybody has the cosignature, and a new one is judged and kept under one lock:
//! so no two requests that differ are cosigned over the same old tree.

use ::witness::{AddCheckpoint, Refusal, Seen};
use aws_lc_rs::digest::{SHA256, digest};
use checkpoint::{Note, SigningKey, Verified, VerifierKey, cosign, open_checkpoint};
use seal::Clock;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Folder, Lock, StoreError};

/// Held while a process is the witness.
const LOCK_PATH: &str = "lock";
/// Files of logs that contradicted themselves, of each log at most.
const EVIDENCE_MAX: usize = 16;

/// Is told in words when a log showed two histories.
pub type Alarm = Box<dyn Fn(&str) + Send + Sync>;

/// A witness.
pub struct Home {
    folder: Arc<dyn Folder>,
    /// Of one name; each makes a line.
    keys: Vec<SigningKey>,
    logs: BTreeMap<String, Watched>,
    clock: Arc<dyn Clock>,
    alarm: Alarm,
    /// Never taken: it is there to be kept.
    _lock: Mutex<Box<dyn Lock>>,
}

/// A log that is watched.
struct Watched {
    keys: Vec<VerifierKey>,
    /// Its name in paths: SHA-256 of the origin, in hexadecimal.
    id: String,
    seen: Mutex<Option<Seen>>,
}

/// Why a witness does not begin.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process is this witness.
    #[error("another process is this witness already; stop it, or give this one another folder")]
    InUse,
    /// The folder does not read or write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has no key.
    #[error("a witness needs a key that makes cosignatures")]
    NoKey,
    /// What it cosigned last does not read any more.
    #[error(
        "{path} is not what this witness kept of {origin}: {reason}; a witness that forgot what it saw \
         must not go on under the same key"
    )]
    Forgotten {
        /// The file.
        path: String,
        /// The log.
        origin: String,
        /// What is wrong.
        reason: String,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// What kind of body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Home {
    /// Opens a witness in its folder, for the logs that these keys sign: a log's origin is the name
    /// of its keys.
    ///
    /// # Errors
    /// [`HomeError`]; also when what it kept of a log was altered.
    pub fn open(
        folder: Arc<dyn Folder>,
        keys: Vec<SigningKey>,
        logs: Vec<VerifierKey>,
        clock: Arc<dyn Clock>,
        alarm: Alarm,
    ) -> Result<Self, HomeError> {
        if keys.is_empty() || keys.iter().any(|key| !key.algorithm().is_cosignature()) {
            return Err(HomeError::NoKey);
        }
        // Made without taking the place of one that another process has locked.
        drop(folder.open(LOCK_PATH)?);
        let lock = folder.lock(LOCK_PATH).map_err(|error| match error {
            StoreError::Locked { .. } => HomeError::InUse,
            error => HomeError::Store(error),
        })?;
        let mut by_origin: BTreeMap<String, Vec<VerifierKey>> = BTreeMap::new();
        for key in logs {
            by_origin.entry(key.name().to_owned()).or_default().push(key);
        }
        let mut logs = BTreeMap::new();
        for (origin, of_log) in by_origin {
            let id = hex::encode(digest(&SHA256, origin.as_bytes()));
            let seen = Mutex::new(remembered(&*folder, &keys, &origin, &id)?);
            logs.insert(origin, Watched { keys: of_log, id, seen });
        }
        Ok(Self { folder, keys, logs, clock, alarm, _lock: Mutex::new(lock) })
    }

    /// Its keys, for those whose logs it is to watch and for those who rely on it.
    pub fn verifier_keys(&self) -> impl Iterator<Item = &VerifierKey> {
        self.keys.iter().map(SigningKey::verifier_key)
    }

    /// The origins that it watches, and the size of the tree that it saw of each.
    #[must_use]
    pub fn watched(&self) -> Vec<(&str, Option<u64>)> {
        let size = |watched: &Watched| {
            watched.seen.lock().unwrap_or_else(PoisonError::into_inner).map(|seen| seen.size)
        };
        self.logs.iter().map(|(origin, watched)| (origin.as_str(), size(watched))).collect()
    }

    /// Answers `POST .../add-checkpoint`. Waits for the disk.
    #[must_use]
    pub fn add_checkpoint(&self, body: &[u8]) -> Reply {
        match self.judge(body) {
            Ok(Ok(lines)) => Reply {
                status: 200,
                content_type: "text/plain; charset=utf-8",
                body: lines.into_bytes(),
            },
            Ok(Err(refusal)) => Reply {
                status: refusal.status(),
                content_type: refusal.content_type(),
                body: refusal.body().into_bytes(),
            },
            Err(error) => {
                (self.alarm)(&format!("nothing can be cosigned: {error}"));
                let body = b"this witness cannot keep what it sees at the moment\n".to_vec();
                Reply { status: 500, content_type: "text/plain; charset=utf-8", body }
            }
        }
    }

    /// The checkpoint of a log that was cosigned last, by the name of the log in paths.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn cosigned(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.logs.values().find(|watched| watched.id == id) {
            Some(watched) => self.folder.read(&seen_path(&watched.id)),
            None => Ok(None),
        }
    }

    fn judge(&self, body: &[u8]) -> Result<Result<String, Refusal>, StoreError> {
        let asked = AddCheckpoint::parse(body).map_err(Refusal::from);
        let asked = asked.and_then(|request| Ok((request.origin()?, request)));
        let (origin, request) = match asked {
            Ok(asked) => asked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(log) = self.logs.get(&origin) else { return Ok(Err(Refusal::UnknownLog)) };
        // Until the new head is durable nobody else is judged by the old one.
        let mut seen = log.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let verified = match request.check(&origin, &log.keys, *seen) {
            Ok(verified) => verified,
            Err(refusal) => {
                if let Refusal::Inconsistent(_) = refusal {
                    self.keep_evidence(log, &origin, &request, *seen)?;
                }
                return Ok(Err(refusal));
            }
        };
        let Some((note, lines)) = self.cosign(&verified) else {
            let detail = "this witness does not cosign checkpoints with extension lines";
            return Ok(Err(Refusal::Malformed(detail.to_owned())));
        };
        self.folder.replace(&seen_path(&log.id), note.to_string().as_bytes())?;
        // INVARIANT: what the cosignature says was seen is durable before anybody has it.
        *seen = Some(Seen::of(&verified.checkpoint));
        Ok(Ok(lines))
    }

    /// The checkpoint with the log's lines that hold and ours, and ours alone.
    fn cosign(&self, verified: &Verified) -> Option<(Note, String)> {
        let (mut note, mut lines) = (Note::new(verified.note().text()).ok()?, String::new());
        for line in verified.note().signatures() {
            let holds = |made: &checkpoint::VerifiedSignature| {
                made.key_id == line.key_id() && made.name == line.name()
            };
            // Of strangers' lines nothing is kept.
            if verified.signatures.iter().any(holds) {
                note.add(line.clone()).ok()?;
            }
        }
        for key in &self.keys {
            // ML-DSA-44 states no extension lines; Ed25519 does.
            if let Ok(line) = cosign(verified, key, self.clock.now_ms() / 1_000) {
                let _ = writeln!(lines, "{line}");
                note.add(line).ok()?;
            }
        }
        (!lines.is_empty()).then_some((note, lines))
    }

    /// Two signed trees of one size with different roots: whoever shows both has proved that the
    /// log has two histories. Other requests that do not fit prove nothing: anybody can send a
    /// wrong proof.
    fn keep_evidence(
        &self,
        log: &Watched,
        origin: &str,
        request: &AddCheckpoint,
        seen: Option<Seen>,
    ) -> Result<(), StoreError> {
        let Ok(refused) = open_checkpoint(&request.note, origin, &log.keys) else { return Ok(()) };
        let Some(seen) = seen else { return Ok(()) };
        if refused.checkpoint.size != seen.size || refused.checkpoint.root == seen.root {
            return Ok(());
        }
        let (folder, root) = (format!("evidence/{}", log.id), refused.checkpoint.root.to_string());
        let path = format!("{folder}/{}-{root}", seen.size);
        let kept = self.folder.list(&folder)?;
        if kept.contains(&path) || kept.len() + 2 > EVIDENCE_MAX {
            return Ok(());
        }
        if let Some(cosigned) = self.folder.read(&seen_path(&log.id))? {
            self.folder.replace(&format!("{folder}/{}-{}", seen.size, seen.root), &cosigned)?;
        }
        self.folder.replace(&path, &request.note)?;
        (self.alarm)(&format!(
            "the log {origin} signed two trees of {} entries; both are kept in {folder}",
            seen.size
        ));
        Ok(())
    }
}

fn seen_path(id: &str) -> String {
    format!("logs/{id}")
}

/// What was cosigned last: the file must hold our own line over it.
fn remembered(
    folder: &dyn Folder,
    keys: &[SigningKey],
    origin: &str,
    id: &str,
) -> Result<Option<Seen>, HomeError> {
    let path = seen_path(id);
    let Some(bytes) = folder.read(&path)? else { return Ok(None) };
    let own: Vec<VerifierKey> = keys.iter().map(|key| key.verifier_key().clone()).collect();
    let opened = open_checkpoint(&bytes, origin, &own).map_err(|error| HomeError::Forgotten {
        path,
        origin: origin.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Some(Seen::of(&opened.checkpoint)))
}

#[cfg(test)]
#[path = "home/tests.rs"]
mod tests;
