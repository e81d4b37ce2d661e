//! What somebody can do who has every key: read all records, change them at will, and make a log of
//! them that agrees with itself: streams, chain, journal, tree, tiles, and a checkpoint that the
//! log's own key signed.

use super::Files;
use crate::kill::kek;
use crate::reading;
use checkpoint::{Algorithm, Checkpoint, SigningKey, sign_checkpoint};
use event::{ENTRY_BYTES, Event, Kind, Record, Tier};
use keys::{DataKey, HmacKey, KeyId, Keyring, Purpose, SecretKey, SystemEntropy};
use merkle::{Hash, MemoryTree};
use seal::{CHECKPOINT_PATH, IDENTITY_PATH, KEYRING_PATH};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use store::{FileJournal, Folder, FrameBuffer, Journal as _, JournalHeader, MemoryFolder};

/// Records in a frame of a forged journal.
const FRAME_RECORDS: usize = 16;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// A record that may be changed. Its stream and its place there follow from the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Altered {
    pub(super) kind: Kind,
    pub(super) tier: Tier,
    pub(super) time_ms: u64,
    pub(super) meta_salt: [u8; 16],
    pub(super) content_salt: [u8; 16],
    pub(super) meta: String,
    pub(super) content: String,
}

impl Altered {
    fn of(record: &Record<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            kind: record.kind,
            tier: record.tier,
            time_ms: record.time_ms,
            meta_salt: record.meta_salt,
            content_salt: record.content_salt,
            meta: text(record.meta),
            content: text(record.content),
        }
    }

    /// Puts one text in place of another, in metadata or content; it must be there.
    pub(super) fn replace(&mut self, from: &str, to: &str) -> Result<(), String> {
        let (meta, content) = (self.meta.replace(from, to), self.content.replace(from, to));
        if meta == self.meta && content == self.content {
            return Err(format!("{from:?} is not in the record {}{}", self.meta, self.content));
        }
        (self.meta, self.content) = (meta, content);
        Ok(())
    }

    /// The stream that it belongs to (format.md, section 6.1).
    fn stream(&self, secret: &HmacKey, index: u64) -> Result<[u8; 16], String> {
        let event = Event::from_stored(self.meta.as_bytes(), &[]).map_err(text)?;
        let index = index.to_be_bytes();
        let (letter, name): (u8, &[u8]) = match (&event.session_id, &event.trace_id) {
            _ if self.kind == Kind::Log => (b'l', b""),
            (Some(session), _) => (b's', session.as_bytes()),
            (None, Some(trace)) => (b't', trace.as_bytes()),
            (None, None) => (b'i', &index),
        };
        let day = (self.time_ms / DAY_MS).to_be_bytes();
        let code = secret.sign(&[&day, &[letter], name]);
        code.first_chunk().copied().ok_or_else(|| "a code is too short".to_owned())
    }
}

/// All records of a log, wherever they lie.
pub(super) fn history(files: &Files) -> Result<Vec<Altered>, String> {
    let contents = reading::read(&MemoryFolder::from_files(files.clone()), &kek())?;
    let of = |sealed: &reading::Sealed| sealed.record().map(|record| Altered::of(&record));
    contents.records.iter().map(of).collect()
}

/// A log of these records under the keys of the log that `files` are.
pub(super) fn rebuild(files: &Files, records: &[Altered]) -> Result<Files, String> {
    let keys = Stolen::of(files)?;
    keys.log_of(records)
}

/// A log of these records under another signing key, which its description and its first record
/// name as well.
pub(super) fn rebuild_under(
    files: &Files,
    records: &[Altered],
    seed: [u8; 32],
) -> Result<Files, String> {
    let mut keys = Stolen::of(files)?;
    let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
    let before = digest(&keys.identity);
    keys.sign_by(seed)?;
    let mut records = records.to_vec();
    let first = records.first_mut().ok_or("the log is empty")?;
    first.replace(&before, &digest(&keys.identity))?;
    keys.log_of(&records)
}

/// What the log's own key says of another tree.
pub(super) fn sign(files: &Files, size: u64, root: Hash) -> Result<String, String> {
    let keys = Stolen::of(files)?;
    keys.sign(size, root)
}

/// The keys of a log, in the hands of somebody else.
struct Stolen {
    identity: Vec<u8>,
    log_id: [u8; 16],
    origin: String,
    keyring: Keyring,
    signing: SigningKey,
    streams: HmacKey,
}

impl Stolen {
    fn of(files: &Files) -> Result<Self, String> {
        let file = |path: &str| files.get(path).ok_or_else(|| format!("{path} is missing"));
        let folder = MemoryFolder::from_files(files.clone());
        let identity = reading::identity(&folder)?;
        let mut keyring = Keyring::open(file(KEYRING_PATH)?, &kek()).map_err(text)?;
        let secret = |purpose| keyring.newest(purpose).ok_or("a key is missing");
        let (_, seed) = secret(Purpose::LogSigning)?;
        let signing = SigningKey::from_seed(&identity.origin, Algorithm::Ed25519, seed.expose());
        let signing = signing.map_err(text)?;
        let streams = HmacKey::new(secret(Purpose::StreamSecret)?.1.expose());
        // What the forged log does not have must leave no trace in its keyring.
        let of_files = |purpose| keyring.by_purpose(purpose).map(|(info, _)| info.id);
        let over: Vec<KeyId> =
            of_files(Purpose::Journal).chain(of_files(Purpose::Segment)).collect();
        for id in over {
            keyring.destroy(id).map_err(text)?;
        }
        let log_id = identity.id().map_err(text)?;
        let (origin, identity) = (identity.origin, file(IDENTITY_PATH)?.clone());
        Ok(Self { identity, log_id, origin, keyring, signing, streams })
    }

    /// Puts another signing key in place of the log's own.
    fn sign_by(&mut self, seed: [u8; 32]) -> Result<(), String> {
        let mut identity = seal::Identity::parse(&self.identity).map_err(text)?;
        let own: Vec<KeyId> =
            self.keyring.by_purpose(Purpose::LogSigning).map(|(info, _)| info.id).collect();
        for id in own {
            self.keyring.destroy(id).map_err(text)?;
        }
        let purpose = Purpose::LogSigning;
        let id = KeyId::from_bytes([7; 16]);
        self.keyring.insert(id, purpose, SecretKey::new(seed), 0).map_err(text)?;
        let key = SigningKey::from_seed(&self.origin, Algorithm::Ed25519, &seed).map_err(text)?;
        identity.keys = vec![key.verifier_key().to_string()];
        (self.identity, self.signing) = (identity.to_bytes(), key);
        Ok(())
    }

    fn sign(&self, size: u64, root: Hash) -> Result<String, String> {
        let head = Checkpoint::new(&self.origin, size, root).map_err(text)?;
        sign_checkpoint(&head, &[&self.signing]).map_err(text)
    }

    fn log_of(mut self, records: &[Altered]) -> Result<Files, String> {
        let entropy = SystemEntropy::new();
        let now_ms = records.last().map_or(0, |record| record.time_ms);
        let key_id = self.keyring.generate(Purpose::Journal, now_ms, &entropy).map_err(text)?;
        let key = self.keyring.get(key_id).map(DataKey::new).ok_or("the key is missing")?;
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
        let header =
            JournalHeader { log_id: self.log_id, key_id: key_id.to_bytes(), first_index: 0 };
        let mut journal =
            FileJournal::create(&folder, header, key, Arc::new(entropy), store::Reservation::Off)
                .map_err(text)?;
        let leaves = self.append(records, &mut journal)?;
        journal.close().map_err(text)?;
        let tree: MemoryTree = leaves.iter().map(|(leaf, _)| *leaf).collect();
        let keyring = self.keyring.to_bytes(&kek(), &SystemEntropy::new()).map_err(text)?;
        let mut files = reading::public_files(&leaves)?;
        files.insert(CHECKPOINT_PATH.to_owned(), self.sign(tree.size(), tree.root())?.into());
        files.insert(KEYRING_PATH.to_owned(), keyring);
        files.insert(IDENTITY_PATH.to_owned(), self.identity);
        for path in folder.list("").map_err(text)? {
            let bytes = folder.read(&path).map_err(text)?.unwrap_or_default();
            files.insert(path, bytes);
        }
        Ok(files)
    }

    /// Chains the records, writes them to the journal, and gives their leaves and entries.
    fn append(
        &self,
        records: &[Altered],
        journal: &mut FileJournal,
    ) -> Result<Vec<(Hash, [u8; ENTRY_BYTES])>, String> {
        let mut leaves: Vec<(Hash, [u8; ENTRY_BYTES])> = Vec::with_capacity(records.len());
        let mut lasts = std::collections::HashMap::new();
        let mut frame = FrameBuffer::default();
        // The first frame is that of the log's beginning.
        let (first, rest) = records.split_at(records.len().min(1));
        for part in std::iter::once(first).chain(rest.chunks(FRAME_RECORDS)) {
            frame.clear();
            let before = leaves.len() as u64;
            let last = |leaves: &[(Hash, _)]| leaves.last().map_or([0; 32], |(leaf, _)| leaf.0);
            frame.payload().extend_from_slice(&last(&leaves));
            for record in part {
                let stream = record.stream(&self.streams, leaves.len() as u64)?;
                let sequence = lasts.entry(stream).or_insert(0_u64);
                *sequence += 1;
                let record = Record {
                    kind: record.kind,
                    tier: record.tier,
                    time_ms: record.time_ms,
                    stream,
                    sequence: *sequence,
                    meta_salt: record.meta_salt,
                    content_salt: record.content_salt,
                    meta: record.meta.as_bytes(),
                    content: record.content.as_bytes(),
                };
                record.encode(frame.payload());
                let entry = record.entry(last(&leaves)).encode();
                leaves.push((merkle::leaf_hash(&entry), entry));
            }
            let count = u32::try_from(part.len()).map_err(text)?;
            journal.append(before, count, &mut frame).map_err(text)?;
        }
        Ok(leaves)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
