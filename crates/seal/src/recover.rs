//! Opening a log: from what is really on disk to a writer that goes on.
//!
//! The order of belief: the signed checkpoint says what must be there; the journal says what is
//! there; the tiles are made again from the journal where they are behind. Opening after a clean
//! end and after a crash is the same code.

mod holdings;
mod tree;

use crate::agents::InForce;
use crate::batch::Fingerprints;
use crate::continuity;
use crate::error::SealError;
use crate::identity::{IDENTITY_PATH, Identity};
use crate::ledger::{Holdings, disclosure};
use crate::life;
use crate::publish::{CHECKPOINT_PATH, Publisher, partial_paths, remove_strays};
use crate::report::Unreported;
use crate::roll::Closed;
use crate::rotation::{self, Signer};
use crate::sequence::Sequence;
use crate::streams::{DAY_MS, Streams};
use crate::window::WINDOW_EVENTS;
use crate::writer::{KEYRING_PATH, Options, Writer, journal_key};
use checkpoint::{Checkpoint, CheckpointText, Epochs, Note};
use event::{Disclosed, Event, Record};
use holdings::{Documents, Ledger, PastIds, remove_strays as remove_stray_segments};
use keys::{Kek, KeyId, Keyring, Purpose};
use redact::{Policy, Redactor};
use std::sync::Arc;
use store::{
    BLOCK_BYTES, FileJournal, Folder, FrameBuffer, FrameFound, JOURNAL_FOLDER,
    JOURNAL_HEADER_BYTES, JournalHeader, JournalReader, Position, StoreError, Tail,
};
use tree::entry_at;
use zeroize::Zeroizing;

/// The redaction policy of a log, if it has one of its own.
pub const REDACTION_POLICY_PATH: &str = "redaction.toml";

/// The secrets of a log, out of its keyring.
pub(crate) struct Secrets {
    /// Every signing key that is there.
    pub(crate) signers: Vec<Signer>,
    pub(crate) stream: Zeroizing<[u8; 32]>,
    pub(crate) idempotency: Zeroizing<[u8; 32]>,
    pub(crate) redactor: Arc<Redactor>,
}

impl Secrets {
    pub(crate) fn read(
        keyring: &Keyring,
        origin: &str,
        policy: &Policy,
    ) -> Result<Self, SealError> {
        let secret = |purpose: Purpose| {
            let newest = keyring.newest(purpose).map(|(_, key)| Zeroizing::new(*key.expose()));
            newest.ok_or_else(|| {
                SealError::corrupt(KEYRING_PATH, format!("there is no {purpose} key"))
            })
        };
        let signers = rotation::signers(keyring, origin)?;
        let redactor = Redactor::new(policy, *secret(Purpose::RedactionSecret)?)
            .map_err(|error| SealError::Policy { detail: error.to_string() })?;
        Ok(Self {
            signers,
            stream: secret(Purpose::StreamSecret)?,
            idempotency: secret(Purpose::IdempotencySecret)?,
            redactor: Arc::new(redactor),
        })
    }
}

/// What this log's redactor does: the policy in its folder, or the default one.
///
/// # Errors
/// [`SealError::Policy`] when the file cannot be used; [`StoreError`] when it cannot be read.
pub fn redaction_policy(folder: &dyn Folder) -> Result<Policy, SealError> {
    let Some(bytes) = folder.read(REDACTION_POLICY_PATH)? else { return Ok(Policy::default()) };
    let wrong = |detail: String| SealError::Policy { detail };
    let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    Policy::from_toml(&text).map_err(|error| wrong(error.to_string()))
}

/// Opens a log for writing, recovering whatever a crash left.
///
/// # Errors
/// [`StoreError::Locked`] when another writer has it; [`SealError::Truncated`],
/// [`SealError::Corrupt`] or [`StoreError::Damaged`] when acknowledged records are gone or changed:
/// nothing is written then.
pub fn open(
    folder: &Arc<dyn Folder>,
    kek: Arc<Kek>,
    options: Options,
) -> Result<Writer, SealError> {
    open_continuing(folder, kek, options, None)
}

/// The same for a log of which a signed head was `kept` elsewhere: it must continue that.
///
/// # Errors
/// As [`open`]; [`SealError::RolledBack`] or [`SealError::Forked`] when it does not: nothing is
/// written or signed then.
pub fn open_continuing(
    folder: &Arc<dyn Folder>,
    kek: Arc<Kek>,
    options: Options,
    kept: Option<&Checkpoint>,
) -> Result<Writer, SealError> {
    let lock = folder.lock(IDENTITY_PATH)?;
    let identity = Identity::parse(&required(&**folder, IDENTITY_PATH)?)?;
    let mut keyring = Keyring::open(&required(&**folder, KEYRING_PATH)?, &kek)?;
    if keyring.log_id() != identity.id()? {
        return Err(SealError::corrupt(KEYRING_PATH, "it belongs to another log"));
    }
    let policy = redaction_policy(&**folder)?;
    let secrets = Secrets::read(&keyring, &identity.origin, &policy)?;
    let documents = Documents::read(&**folder)?;
    let mut epochs = rotation::epochs(&identity, documents.successions())?;
    let (published, note) = published_head(&**folder, &epochs, &secrets.signers)?;
    let fingerprints = Fingerprints::new(&secrets.idempotency);
    let reading = Reading { folder, keyring: &keyring, identity: &identity, published: &published };
    let mut found = reading.find(documents, &secrets, &fingerprints)?;
    rotation::follow(&mut epochs, &found.holdings.undisclosed)?;
    check_signers(&note, &epochs, published.size)?;
    if let Some(kept) = kept {
        continuity::check(&**folder, &found.sequence, kept)?;
    }
    let undisclosed = &mut found.holdings.undisclosed;
    undisclosed
        .extend(unfinished_rotation(&**folder, &epochs, &secrets.signers)?.filter(|shown| {
            undisclosed.iter().all(|undisclosed| undisclosed.index != shown.index)
        }));
    // From here on the log is whole, and the folder may be changed. The names that were believed
    // may be those of a process that died before it synced them.
    folder.sync(&[CHECKPOINT_PATH, KEYRING_PATH, IDENTITY_PATH].map(str::to_owned))?;
    remove_strays(&**folder, published.size, found.sequence.size())?;
    let journal_first = found.journal_first();
    remove_stray_segments(&**folder, &mut keyring, &found.holdings, journal_first)?;
    let journal =
        found.end.map(|end| end.resume(folder, &keyring, &options)).transpose()?.flatten();
    let publisher = Publisher::new(Arc::clone(folder), partial_paths(published.size)?);
    let mut writer = Writer {
        folder: Arc::clone(folder),
        identity,
        kek,
        keyring,
        options,
        signers: secrets.signers,
        epochs,
        redactor: secrets.redactor,
        fingerprints,
        sequence: found.sequence,
        journal,
        lent: None,
        publisher: Some(publisher),
        frame: FrameBuffer::default(),
        note: note.into(),
        published: published.size,
        announcements: found.announcements,
        started: false,
        poisoned: None,
        holdings: found.holdings,
        in_force: InForce::default(),
        journal_day: found.journal_day,
        journal_ends: false,
        _lock: lock,
    };
    finish_what_was_begun(&mut writer)?;
    writer.in_force.set(writer.agent_keys());
    Ok(writer)
}

/// Publishes what the journal has and the checkpoint does not, and ends what a crash interrupted.
fn finish_what_was_begun(writer: &mut Writer) -> Result<(), SealError> {
    if writer.size() > writer.published() {
        writer.sign()?;
        writer.publish()?;
    }
    // A roll that a crash interrupted is finished, and so is a removal that wants only its report.
    writer.settle()?;
    writer.report_removals()?;
    writer.publish()?;
    if !writer.announcements.is_empty() {
        // What was cut is on record before anything else happens.
        writer.commit(Vec::new())?;
        writer.publish()?;
    }
    Ok(())
}

/// What a log consists of, as far as it can be believed.
struct Found {
    sequence: Sequence,
    announcements: Vec<Event<'static>>,
    holdings: Holdings,
    end: Option<End>,
    journal_day: Option<u64>,
}

impl Found {
    /// The first index that the journal holds.
    fn journal_first(&self) -> u64 {
        let closed = self.holdings.closed.first().map(|closed| closed.first);
        let last = self.end.as_ref().map(|end| end.header.first_index);
        closed.or(last).unwrap_or_else(|| self.sequence.size())
    }
}

/// Reading a log without changing anything.
struct Reading<'r> {
    folder: &'r Arc<dyn Folder>,
    keyring: &'r Keyring,
    identity: &'r Identity,
    published: &'r Checkpoint,
}

impl Reading<'_> {
    fn find(
        &self,
        documents: Documents,
        secrets: &Secrets,
        names: &Fingerprints,
    ) -> Result<Found, SealError> {
        let folder = &**self.folder;
        let streams = Streams::new(&secrets.stream, self.folder);
        let sequence = tree::restore(folder, streams, self.published, &secrets.idempotency)?;
        let ledger = Ledger::of(documents, folder, self.published.size)?;
        let mut recovery = Recovery {
            folder,
            keyring: self.keyring,
            identity: self.identity,
            ledger: &ledger,
            sequence,
            announcements: Vec::new(),
            closed: Vec::new(),
            undisclosed: Vec::new(),
            unreported: Unreported::default(),
            first_time_ms: None,
        };
        let end = recovery.replay_journal(&PastIds {
            folder: self.folder,
            keyring: self.keyring,
            catalogue: &ledger.catalogue,
            names,
            secret: &secrets.idempotency,
        })?;
        let Recovery { sequence, announcements, closed, undisclosed, unreported, .. } = recovery;
        ledger.check(folder, &undisclosed)?;
        if sequence.size() < self.published.size {
            let (journal, checkpoint) = (sequence.size(), self.published.size);
            return Err(SealError::Truncated { journal, checkpoint });
        }
        let begun_ms = match &end {
            Some(end) => entry_at(folder, end.header.first_index, self.published.size)?
                .map(|entry| entry.time_ms)
                .or(recovery.first_time_ms),
            None => None,
        };
        let journal_day = begun_ms.map(|time_ms| time_ms / DAY_MS);
        let holdings = Holdings { catalogue: ledger.catalogue, closed, undisclosed, unreported };
        Ok(Found { sequence, announcements, holdings, end, journal_day })
    }
}

fn required(folder: &dyn Folder, path: &str) -> Result<Vec<u8>, SealError> {
    Ok(folder.read(path)?.ok_or_else(|| StoreError::Missing { path: path.to_owned() })?)
}

/// The published checkpoint, signed by exactly the keys that are due at its size, as far as the
/// ledger shows them. A crash may have come before it shows the newest succession: then the keys
/// that take over signed as well, and the journal must have that record ([`check_signers`]).
fn published_head(
    folder: &dyn Folder,
    epochs: &Epochs,
    signers: &[Signer],
) -> Result<(Checkpoint, String), SealError> {
    let corrupt = |detail: String| SealError::corrupt(CHECKPOINT_PATH, detail);
    let note = String::from_utf8(required(folder, CHECKPOINT_PATH)?)
        .map_err(|_| corrupt("it is not UTF-8".to_owned()))?;
    let parsed = Note::parse(&note).map_err(|error| corrupt(error.to_string()))?;
    let claimed =
        CheckpointText::parse(parsed.text()).map_err(|error| corrupt(error.to_string()))?;
    let mut keys = epochs.due(claimed.checkpoint.size);
    let error = match checkpoint::open_checkpoint_exact(&note, epochs.origin(), &keys) {
        Ok(verified) => return Ok((verified.checkpoint, note)),
        Err(error) => error,
    };
    let mine = signers.iter().map(|signer| signer.key.verifier_key());
    keys.extend(mine.filter(|key| epochs.number_of(key).is_none()).cloned());
    let verified = checkpoint::open_checkpoint_exact(&note, epochs.origin(), &keys)
        .map_err(|_| corrupt(error.to_string()))?;
    Ok((verified.checkpoint, note))
}

/// Whether the published checkpoint is signed by the keys that are due, with all successions that
/// ledger and journal have.
fn check_signers(note: &str, epochs: &Epochs, size: u64) -> Result<(), SealError> {
    let opened = checkpoint::open_checkpoint_exact(note, epochs.origin(), &epochs.due(size));
    opened.map(|_| ()).map_err(|error| SealError::corrupt(CHECKPOINT_PATH, error.to_string()))
}

/// The document of a rotation whose old keys are there still. The process that wrote it may have
/// died, or failed to sync it, so it is written again before they go: without it nobody could tell
/// whose the next checkpoints are.
fn unfinished_rotation(
    folder: &dyn Folder,
    epochs: &Epochs,
    signers: &[Signer],
) -> Result<Option<Disclosed>, SealError> {
    let last = epochs.last();
    let is_over = |signer: &Signer| {
        epochs.number_of(signer.key.verifier_key()).is_some_and(|number| number < last.number)
    };
    let Some(record) = last.record.filter(|_| signers.iter().any(is_over)) else {
        return Ok(None);
    };
    let bytes = folder.read(&segment::ledger_path(record))?;
    Ok(bytes.and_then(|bytes| Disclosed::parse(&bytes).ok()))
}

/// Reading the journal back.
struct Recovery<'r> {
    folder: &'r dyn Folder,
    keyring: &'r Keyring,
    identity: &'r Identity,
    ledger: &'r Ledger,
    sequence: Sequence,
    announcements: Vec<Event<'static>>,
    /// Journal files before the last.
    closed: Vec<Closed>,
    /// Records that the ledger should show and does not.
    undisclosed: Vec<Disclosed>,
    /// Removals that the log has not said to be done.
    unreported: Unreported,
    /// Record time of the first record of the last file, where it was read.
    first_time_ms: Option<u64>,
}

/// Where the last journal file ends.
struct End {
    header: JournalHeader,
    position: Position,
}

impl End {
    fn resume(
        self,
        folder: &Arc<dyn Folder>,
        keyring: &Keyring,
        options: &Options,
    ) -> Result<Option<FileJournal>, SealError> {
        let key = journal_key(keyring, KeyId::from_bytes(self.header.key_id))?;
        let entropy = Arc::clone(&options.entropy);
        let journal = FileJournal::resume(
            folder,
            self.header,
            key,
            entropy,
            self.position,
            options.reservation,
        )?;
        Ok(Some(journal))
    }
}

impl Recovery<'_> {
    /// Replays what the tiles do not have yet, and remembers the ids of the last million records.
    fn replay_journal(&mut self, past: &PastIds<'_>) -> Result<Option<End>, SealError> {
        let files: Vec<(u64, String)> = self
            .folder
            .list(JOURNAL_FOLDER)?
            .into_iter()
            .filter_map(|path| Some((store::parse_journal_path(&path)?, path)))
            .collect();
        // Segments took the place of these, and a crash came before all of them were removed.
        let replaced = |(_, path): &(u64, String)| self.ledger.catalogue.replaces(path);
        let (replaced, files): (Vec<_>, Vec<_>) = files.into_iter().partition(replaced);
        for (first, path) in replaced {
            self.close_file(first, first, path)?;
        }
        let from = self.sequence.size().saturating_sub(WINDOW_EVENTS as u64);
        // The last file that begins at or before the first record wanted, and all after it.
        let skip = files.iter().rposition(|(first, _)| *first <= from).unwrap_or(0);
        let covered = self.ledger.catalogue.covered();
        let begins = files.first().map_or(covered, |(first, _)| *first);
        if begins > covered {
            let detail =
                format!("records {covered} to {begins} are in no journal file and no segment");
            return Err(SealError::corrupt(JOURNAL_FOLDER, detail));
        }
        let mut expected = files.get(skip).map_or(begins, |(first, _)| *first);
        past.remember(&mut self.sequence.window, from, expected)?;
        for pair in files.windows(2) {
            let [(first, path), (end, _)] = pair else { continue };
            self.close_file(*first, *end, path.clone())?;
        }
        let mut end = None;
        for (position, (first, path)) in files.iter().enumerate().skip(skip) {
            let last = position + 1 == files.len();
            if *first != expected {
                let detail = format!("records {expected} to {first} are in no journal file");
                return Err(SealError::corrupt(path, detail));
            }
            if last && self.is_unborn(path)? {
                self.folder.remove(path)?;
                break;
            }
            let found = self.replay_file(path, from, past.names, last)?;
            expected = found.position.next_index;
            end = Some(found);
        }
        // The last file is written on, also when it is so because a later one was never born.
        let resumed = end.as_ref().map(|end| end.header.first_index);
        self.closed.retain(|closed| Some(closed.first) != resumed);
        Ok(end)
    }

    /// Notes a journal file that nothing more is written to.
    fn close_file(&mut self, first: u64, end: u64, path: String) -> Result<(), SealError> {
        let reader = JournalReader::open(self.folder, &path, &self.identity.id()?)?;
        let key_id = KeyId::from_bytes(reader.header().key_id);
        self.closed.push(Closed { path, first, end, key_id });
        Ok(())
    }

    /// A file whose creation was cut short: its header does not read, and nothing lies behind the
    /// header, which is synced before the first frame is written.
    fn is_unborn(&self, path: &str) -> Result<bool, SealError> {
        let bytes = self.folder.size(path)?.unwrap_or(0);
        let mut block = vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(0)];
        let count = self.folder.read_at(path, 0, &mut block)?;
        block.truncate(count);
        let (header, behind) = block.split_at(count.min(JOURNAL_HEADER_BYTES));
        let whole = JournalHeader::decode(header, path).is_ok();
        let empty = bytes <= BLOCK_BYTES && behind.iter().all(|byte| *byte == 0);
        Ok(!whole && empty && self.covered(path))
    }

    /// True when every record that was signed lies before the file at `path`.
    fn covered(&self, path: &str) -> bool {
        store::parse_journal_path(path).is_some_and(|first| first >= self.sequence.size())
    }

    fn replay_file(
        &mut self,
        path: &str,
        from: u64,
        names: &Fingerprints,
        last: bool,
    ) -> Result<End, SealError> {
        let mut reader = JournalReader::open(self.folder, path, &self.identity.id()?)?;
        let header = *reader.header();
        let key = journal_key(self.keyring, KeyId::from_bytes(header.key_id))?;
        let mut payload = Vec::new();
        let mut last_frame = 0;
        let tail = loop {
            match reader.next_frame()? {
                FrameFound::Frame(located) if located.header.end_index() <= from => {
                    last_frame = located.offset;
                }
                FrameFound::Frame(located) => {
                    last_frame = located.offset;
                    reader.open_frame(&located, &key, &mut payload)?;
                    self.replay_frame(path, located.header.first_index, &payload, names)?;
                }
                FrameFound::Tail(tail) => break tail,
            }
        };
        let position =
            Position { bytes: reader.offset(), next_index: reader.next_index(), last_frame };
        match tail {
            Tail::Clean | Tail::Reserved { .. } => {}
            Tail::Torn { offset, bytes } if last && reader.next_index() >= self.sequence.size() => {
                self.announcements.push(life::recovered(path, offset, bytes));
            }
            Tail::Torn { offset, .. } | Tail::Damaged { offset, .. } => {
                let detail = format!("record {} cannot be read", reader.next_index());
                return Err(StoreError::Damaged { path: path.to_owned(), offset, detail }.into());
            }
        }
        Ok(End { header, position })
    }

    fn replay_frame(
        &mut self,
        path: &str,
        first_index: u64,
        payload: &[u8],
        names: &Fingerprints,
    ) -> Result<(), SealError> {
        let corrupt = |index: u64, detail: &str| {
            SealError::corrupt(path, format!("record {index}: {detail}"))
        };
        let (previous, mut rest) = payload
            .split_first_chunk::<32>()
            .ok_or_else(|| corrupt(first_index, "the frame is empty"))?;
        if first_index == self.sequence.size() && *previous != self.sequence.previous.0 {
            return Err(corrupt(first_index, "it does not follow the record before it"));
        }
        let mut index = first_index;
        while !rest.is_empty() {
            let (record, after) =
                Record::decode(rest).map_err(|error| corrupt(index, &error.to_string()))?;
            if index == self.sequence.size() {
                self.sequence.replay(&record)?;
            }
            if store::parse_journal_path(path) == Some(index) {
                self.first_time_ms = Some(record.time_ms);
            }
            self.undisclosed
                .extend(disclosure(index, &record).filter(|_| !self.ledger.shown.contains(&index)));
            self.unreported.note(index, &record);
            self.sequence.remember(&record, index, names);
            (rest, index) = (after, index + 1);
        }
        Ok(())
    }
}
