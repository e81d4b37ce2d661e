//! Reading a whole log back, as a stranger with the keys would: decrypt every frame, recompute
//! every commitment, entry, leaf, tile and root, and believe nothing that was not recomputed.
//!
//! It shares with the writer only the formats (`event`, `merkle`, `checkpoint`, the journal's
//! reader).

pub(crate) mod reports;
mod segments;

use checkpoint::{Algorithm, Checkpoint, CheckpointText, Epochs, Note, SigningKey};
use event::{Disclosed, ENTRY_BYTES, Entry, Event, KeyRotation, Kind, Record};
use keys::{DataKey, Kek, KeyId, Keyring, Purpose};
use merkle::{Hash, MemoryTree, TileBuilder, append_entry};
use seal::{CHECKPOINT_PATH, IDENTITY_PATH, Identity, KEYRING_PATH};
use std::collections::{BTreeMap, HashMap, HashSet};
use store::{Folder, FrameFound, JOURNAL_FOLDER, JournalReader, Tail};

/// One record as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    /// The id of its event.
    pub(crate) id: String,
    /// The log's own or a producer's.
    pub(crate) kind: Kind,
    /// What is left of it.
    pub(crate) left: Left,
    /// For the first record of a frame, the leaf hash that the frame says it follows.
    pub(crate) follows: Option<[u8; 32]>,
    /// The hash of its leaf.
    pub(crate) leaf: [u8; 32],
    /// Its public entry.
    pub(crate) entry: [u8; ENTRY_BYTES],
}

/// What is left of a record.
#[derive(Clone, Debug)]
pub(crate) enum Left {
    /// All of it, as it stood in its frame.
    Whole(Vec<u8>),
    /// Its metadata: the content was erased.
    Metadata(Box<segment::Row>),
    /// Its public entry alone.
    Nothing,
}

impl Sealed {
    /// The record, decoded.
    pub(crate) fn record(&self) -> Result<Record<'_>, String> {
        match &self.left {
            Left::Whole(bytes) => Record::decode(bytes).map(|(record, _)| record).map_err(text),
            _ => Err("not all of it is left".to_owned()),
        }
    }
}

/// Everything that a log holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The records, by index.
    pub(crate) records: Vec<Sealed>,
    /// The tree over their leaves.
    pub(crate) tree: MemoryTree,
    /// Segments that the ledger does not name.
    pub(crate) strays: Vec<String>,
    /// Records that were to be removed and are there.
    pub(crate) unremoved: u64,
    last: Option<Entry>,
    sequences: HashMap<[u8; 16], u64>,
}

/// The log's description.
///
/// # Errors
/// Why it cannot be read, in words.
pub(crate) fn identity(folder: &dyn Folder) -> Result<Identity, String> {
    Identity::parse(&required(folder, IDENTITY_PATH)?).map_err(text)
}

/// The log's keys as its description and its ledger have them.
///
/// # Errors
/// When one does not follow from the one before, in words.
pub(crate) fn epochs(folder: &dyn Folder, identity: &Identity) -> Result<Epochs, String> {
    let mut rotations = Vec::new();
    for path in folder.list(segment::LEDGER_FOLDER).map_err(text)? {
        // One that is torn is written again by the next start.
        let Ok(shown) = Disclosed::parse(&required(folder, &path)?) else { continue };
        let rotation = KeyRotation::from_stored(shown.meta.as_bytes(), shown.content.as_bytes());
        rotations.extend(rotation.map_err(text)?.map(|rotation| (shown.index, rotation)));
    }
    let notes = rotations.iter().map(|(index, it)| (*index, it.succession.as_str()));
    Epochs::read(&identity.origin, &identity.keys, notes).map_err(text)
}

/// Opens a signed checkpoint of this log: exactly the keys that are due signed it.
///
/// # Errors
/// Why it is not one, in words.
pub(crate) fn open_note(note: &str, epochs: &Epochs) -> Result<Checkpoint, String> {
    let due = epochs.due(head_of(note)?.size);
    let verified = checkpoint::open_checkpoint_exact(note, epochs.origin(), &due);
    Ok(verified.map_err(|error| format!("a checkpoint does not verify: {error}"))?.checkpoint)
}

/// What a checkpoint says, whoever signed it.
pub(crate) fn head_of(note: &str) -> Result<Checkpoint, String> {
    let note = Note::parse(note).map_err(text)?;
    Ok(CheckpointText::parse(note.text()).map_err(text)?.checkpoint)
}

/// The keyring has the signing keys that are in force, and no other.
fn check_signers(keyring: &Keyring, epochs: &Epochs) -> Result<(), String> {
    let seeds: Vec<_> = keyring.by_purpose(Purpose::LogSigning).collect();
    let [(_, seed)] = seeds.as_slice() else {
        return Err(format!("the keyring has {} signing keys", seeds.len()));
    };
    let key = SigningKey::from_seed(epochs.origin(), Algorithm::Ed25519, seed.expose());
    match epochs.last().keys.contains(key.map_err(text)?.verifier_key()) {
        true => Ok(()),
        false => Err("the signing key in the keyring is not the one in force".to_owned()),
    }
}

/// Reads the whole log and checks that it agrees with itself.
///
/// # Errors
/// The first thing that does not fit, in words.
pub(crate) fn read(folder: &dyn Folder, kek: &Kek) -> Result<Contents, String> {
    let identity = identity(folder)?;
    let epochs = epochs(folder, &identity)?;
    let keyring = Keyring::open(&required(folder, KEYRING_PATH)?, kek).map_err(text)?;
    check_signers(&keyring, &epochs)?;
    let mut contents = Contents::default();
    let files = folder.list(JOURNAL_FOLDER).map_err(text)?;
    let named = |path: &String| store::parse_journal_path(path).map(|first| (first, path.clone()));
    let files: Vec<(u64, String)> = files.iter().filter_map(named).collect();
    let from = files.first().map_or(u64::MAX, |(first, _)| *first);
    segments::read(folder, &keyring, from, &mut contents)?;
    for (_, path) in &files {
        contents.read_journal(folder, path, &identity.id().map_err(text)?, &keyring)?;
    }
    let note = String::from_utf8(required(folder, CHECKPOINT_PATH)?).map_err(text)?;
    let published = open_note(&note, &epochs)?;
    contents.check_head(published.size, published.root)?;
    contents.check_public_files(folder, published.size)?;
    Ok(contents)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn required(folder: &dyn Folder, path: &str) -> Result<Vec<u8>, String> {
    folder.read(path).map_err(text)?.ok_or_else(|| format!("{path} is missing"))
}

/// Every tile and bundle of a log with these leaves and their entries, by path.
///
/// # Errors
/// In words.
pub(crate) fn public_files(
    leaves: &[(Hash, [u8; ENTRY_BYTES])],
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut tiles = TileBuilder::new();
    for (leaf, _) in leaves {
        tiles.push(*leaf, |tile, bytes| {
            files.insert(tile.path(), bytes);
        });
    }
    files.extend(tiles.partial_tiles().map(|(tile, bytes)| (tile.path(), bytes.to_vec())));
    let parts = leaves.chunks(usize::from(merkle::TILE_WIDTH));
    for (bundle, part) in merkle::bundles_of_size(leaves.len() as u64).zip(parts) {
        let mut bytes = Vec::new();
        for (_, entry) in part {
            append_entry(&mut bytes, entry).map_err(text)?;
        }
        files.insert(bundle.path(), bytes);
    }
    Ok(files)
}

impl Contents {
    /// Number of records.
    #[must_use]
    pub(crate) fn size(&self) -> u64 {
        self.records.len() as u64
    }

    /// The ids of all events.
    pub(crate) fn ids(&self) -> HashSet<&str> {
        self.records.iter().map(|record| record.id.as_str()).collect()
    }

    /// Checks that a tree head that was signed once is a prefix of this log.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn check_head(&self, size: u64, root: Hash) -> Result<(), String> {
        if size > self.size() {
            return Err(format!(
                "a checkpoint of size {size} was signed, but {} are left",
                self.size()
            ));
        }
        match merkle::tree_root(&self.tree, size) {
            Ok(now) if now == root => Ok(()),
            Ok(now) => Err(format!("at size {size} the root was {root}, now it is {now}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn read_journal(
        &mut self,
        folder: &dyn Folder,
        path: &str,
        log_id: &[u8; 16],
        keyring: &Keyring,
    ) -> Result<(), String> {
        let mut reader = JournalReader::open(folder, path, log_id).map_err(text)?;
        if reader.header().first_index != self.size() {
            return Err(format!("{path} does not begin at record {}", self.size()));
        }
        let secret = keyring.get(KeyId::from_bytes(reader.header().key_id));
        let key = secret.map(DataKey::new).ok_or_else(|| format!("{path}: its key is missing"))?;
        let mut payload = Vec::new();
        loop {
            match reader.next_frame().map_err(text)? {
                FrameFound::Frame(located) => {
                    reader.open_frame(&located, &key, &mut payload).map_err(text)?;
                    let before = self.size();
                    self.read_frame(path, &payload)?;
                    if located.header.end_index() != self.size() {
                        return Err(format!("{path}: frame {before} does not hold what it says"));
                    }
                }
                FrameFound::Tail(Tail::Clean | Tail::Reserved { .. }) => return Ok(()),
                FrameFound::Tail(tail) => return Err(format!("{path} ends badly: {tail:?}")),
            }
        }
    }

    fn read_frame(&mut self, path: &str, payload: &[u8]) -> Result<(), String> {
        let short = || format!("{path}: a frame is empty");
        let (previous, mut rest) = payload.split_first_chunk::<32>().ok_or_else(short)?;
        if *previous != self.last_leaf() {
            return Err(format!("{path}: the frame at {} breaks the chain", self.size()));
        }
        let mut follows = Some(*previous);
        while !rest.is_empty() {
            let (record, after) = Record::decode(rest).map_err(text)?;
            let bytes = rest.get(..rest.len() - after.len()).unwrap_or_default().to_vec();
            self.push(&record, bytes, follows.take())?;
            rest = after;
        }
        Ok(())
    }

    fn last_leaf(&self) -> [u8; 32] {
        self.records.last().map_or([0; 32], |record| record.leaf)
    }

    fn push(
        &mut self,
        record: &Record<'_>,
        bytes: Vec<u8>,
        follows: Option<[u8; 32]>,
    ) -> Result<(), String> {
        let entry = record.entry(self.last_leaf());
        let index = self.size();
        let event = Event::from_stored(record.meta, record.content)
            .map_err(|error| format!("record {index}: {error}"))?;
        let id = event.event_id.map(std::borrow::Cow::into_owned).unwrap_or_default();
        self.push_entry(entry, id, follows, Left::Whole(bytes))
    }

    /// Adds a record of which not everything is left; its entry says what it was.
    fn push_rest(&mut self, entry: Entry, id: String, left: Left) -> Result<(), String> {
        if entry.previous != self.last_leaf() {
            return Err(format!("the entry of {} breaks the chain", self.size()));
        }
        self.push_entry(entry, id, None, left)
    }

    fn push_entry(
        &mut self,
        entry: Entry,
        id: String,
        follows: Option<[u8; 32]>,
        left: Left,
    ) -> Result<(), String> {
        let index = self.size();
        if self.last.is_some_and(|last| last.time_ms > entry.time_ms) {
            return Err(format!("record {index}: record time goes back"));
        }
        let sequence = self.sequences.entry(entry.stream).or_default();
        if entry.sequence != *sequence + 1 {
            let (got, last) = (entry.sequence, *sequence);
            return Err(format!("record {index} is number {got} of its stream, after {last}"));
        }
        *sequence += 1;
        let encoded = entry.encode();
        let leaf = merkle::leaf_hash(&encoded);
        self.records.push(Sealed {
            id,
            kind: entry.kind,
            left,
            follows,
            leaf: leaf.0,
            entry: encoded,
        });
        self.tree.push(leaf);
        self.last = Some(entry);
        Ok(())
    }

    /// Every tile and bundle of the published size is there, byte for byte, and no other.
    fn check_public_files(&self, folder: &dyn Folder, size: u64) -> Result<(), String> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let records = self.records.get(..size).ok_or("records are missing")?;
        let leaves: Vec<_> = records.iter().map(|it| (Hash(it.leaf), it.entry)).collect();
        for (path, bytes) in &public_files(&leaves)? {
            if required(folder, path)? != *bytes {
                return Err(format!("{path} is not what the records give"));
            }
        }
        Ok(())
    }
}
