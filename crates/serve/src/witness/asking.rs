//! One witness, as the log that asks it sees it: over HTTP, with a proof from wherever the witness
//! is.

use crate::alerts::SinkError;
use crate::alerts::http::{agent, check_url};
use ::witness::{AddCheckpoint, Answer, AnswerError, read_answer};
use checkpoint::{Checkpoint, Note, NoteSignature, VerifierKey};
use merkle::{
    TILE_WIDTH, TileCoordinate, TileReader, consistency_proof, partial_width, tree_root,
    verify_consistency,
};
use std::time::Duration;
use store::{Folder, StoreError};

/// Bytes of an answer that are read: some cosignatures.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// How often one witness is asked about one checkpoint: it says where it is, and asked from there
/// it should know.
const ATTEMPTS_MAX: usize = 3;

/// A witness of the policy.
pub(crate) struct Asked {
    name: String,
    key: VerifierKey,
    url: String,
    agent: ureq::Agent,
}

/// What it was asked about.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) checkpoint: Checkpoint,
    /// The log's own note.
    pub(crate) note: Note,
}

/// Why it did not cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It did not answer, or refused for a reason that says nothing about the log's history.
    Other(String),
    /// It saw something that this log does not have.
    History(String),
}

impl Asked {
    /// The witness with this key behind this URL, which `/add-checkpoint` is added to.
    pub(crate) fn new(
        name: &str,
        key: VerifierKey,
        url: &str,
        timeout: Duration,
        allow_private: bool,
    ) -> Result<Self, SinkError> {
        check_url(url, allow_private)?;
        let agent = agent(allow_private, timeout, 1)?;
        let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        Ok(Self { name: name.to_owned(), key, url, agent })
    }

    /// Its name in the policy.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks for a cosignature. `known` is the size that it cosigned last, as far as is known here.
    /// `published` says how large the log is by now: more than that no witness can have seen.
    pub(crate) fn ask(
        &self,
        folder: &dyn Folder,
        head: &Head,
        known: u64,
        published: &dyn Fn() -> Option<Checkpoint>,
    ) -> Result<NoteSignature, Trouble> {
        let size = head.checkpoint.size;
        let mut old_size = known.min(size);
        for _ in 0..ATTEMPTS_MAX {
            let proof = proof(folder, old_size, &head.checkpoint, published)
                .map_err(|error| Trouble::Other(format!("no proof could be made: {error}")))?;
            let note = head.note.to_string().into_bytes();
            let asked = AddCheckpoint { old_size, proof, note };
            match self.send(&asked, head)? {
                Answer::Cosigned(line) => return Ok(line),
                Answer::Behind(seen) if seen <= size && seen != old_size => old_size = seen,
                Answer::Behind(seen) => {
                    // Another request of ours may have come first, with a newer checkpoint.
                    let Some(now) = published() else {
                        return Err(Trouble::Other("the log has no checkpoint".to_owned()));
                    };
                    if seen > now.size {
                        return Err(Trouble::History(format!(
                            "it cosigned a tree of {seen} entries, and this log has {}: the log was rolled \
                             back, or somebody else signs with its key",
                            now.size
                        )));
                    }
                    return Err(Trouble::Other(format!(
                        "it says that it cosigned {seen} entries last, asked from {old_size} to {size}"
                    )));
                }
            }
        }
        Err(Trouble::Other("it does not stay where it says that it is".to_owned()))
    }

    fn send(&self, asked: &AddCheckpoint, head: &Head) -> Result<Answer, Trouble> {
        let request = self.agent.post(&self.url).header("content-type", "text/plain");
        let mut answer =
            request.send(asked.to_bytes()).map_err(|error| Trouble::Other(error.to_string()))?;
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| Trouble::Other(error.to_string()))?;
        read_answer(status, &kind, &body, &head.note, &self.key).map_err(|error| match error {
            AnswerError::Inconsistent { .. } => Trouble::History(error.to_string()),
            _ => Trouble::Other(error.to_string()),
        })
    }
}

/// The proof from one size to another. Partial tiles of a size go when the log publishes the next
/// one: what they held is the beginning of those that took their place.
fn proof(
    folder: &dyn Folder,
    old_size: u64,
    head: &Checkpoint,
    published: &dyn Fn() -> Option<Checkpoint>,
) -> Result<Vec<merkle::Hash>, String> {
    let size = head.size;
    let read = |tile: TileCoordinate| -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(bytes) = folder.read(&tile.path())? {
            return Ok(Some(bytes));
        }
        let Some(now) = published() else { return Ok(None) };
        let Some(wider) = wider(tile, now.size) else { return Ok(None) };
        let bytes = folder.read(&wider.path())?;
        Ok(bytes.map(|mut bytes| {
            bytes.truncate(usize::from(tile.width()) * merkle::HASH_SIZE);
            bytes
        }))
    };
    let reader = TileReader::new(read, size);
    let proof = consistency_proof(&reader, old_size, size).map_err(|error| error.to_string())?;
    // What a witness makes of it must say something about the log, not about a damaged tile.
    let old_root = tree_root(&reader, old_size).map_err(|error| error.to_string())?;
    verify_consistency(old_size, &old_root, size, &head.root, &proof)
        .map_err(|error| error.to_string())?;
    Ok(proof)
}

/// The tile at the same place in a tree of `size` entries.
fn wider(tile: TileCoordinate, size: u64) -> Option<TileCoordinate> {
    let (level, number) = (tile.level(), tile.number());
    let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let full = hashes / u64::from(TILE_WIDTH);
    let width = if number < full { TILE_WIDTH } else { partial_width(size, level) };
    TileCoordinate::new(level, number, width).ok()
}
