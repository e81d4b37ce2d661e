//! The writer of one log: the commit protocol, told in the order it happens.
//!
//! Synchronous and single-threaded, so that a simulation drives exactly this code; `log` puts
//! threads around it. Nothing is acknowledged that the journal does not hold durably, and after the
//! first failure nothing is acknowledged at all until the log is opened again.

use crate::agents::InForce;
use crate::batch::{Batch, Fingerprints, Salts};
use crate::clock::Clock;
use crate::error::SealError;
use crate::identity::Identity;
use crate::ledger::Holdings;
use crate::life;
use crate::publish::{Head, Publisher};
use crate::receipt::{Outcome, Receipt};
use crate::roll::Closed;
use crate::rotation::Signer;
use crate::sequence::{Group, Sequence};
use crate::streams::DAY_MS;
use checkpoint::{Checkpoint, Epochs};
use event::{Event, Kind};
use keys::{DataKey, Entropy, Kek, Keyring, Purpose};
use redact::Redactor;
use std::sync::Arc;
use store::{
    FileJournal, Folder, FrameBuffer, Journal, JournalHeader, Lock, Reservation, journal_path,
};

/// The path of the keyring.
pub const KEYRING_PATH: &str = "keyring";

/// Bytes that stand before a group's records: the hash of the leaf before them.
const PREVIOUS_BYTES: usize = 32;

/// Bytes of records in one group at most: a frame has a limit, and life events need a little room.
pub(crate) const GROUP_BYTES_LIMIT: usize = store::FRAME_PAYLOAD_BYTES_MAX - (1 << 20);

/// What the writer is given from outside, and how it is to behave.
#[derive(Clone)]
pub struct Options {
    /// Record time.
    pub clock: Arc<dyn Clock>,
    /// Salts, nonces, ids and new keys.
    pub entropy: Arc<dyn Entropy>,
    /// A journal file that has grown beyond this many bytes is followed by a new one.
    pub journal_roll_bytes: u64,
    /// A log that is busy keeps up to this many ended journal files waiting for a quiet moment,
    /// or for a minute, before it makes segments of them.
    pub roll_backlog: usize,
    /// A log writes a group of more than this many bytes in a thread of its own, and orders the
    /// next one meanwhile; for a small one the detour takes longer than it saves.
    pub aside_bytes: usize,
    /// Whether to reserve journal space ahead.
    pub reservation: Reservation,
    /// A heartbeat is sealed after this long without an event, in milliseconds; 0 for none.
    pub heartbeat_ms: u64,
    /// A checkpoint is published at most this often, in milliseconds.
    pub publish_ms: u64,
}

impl Options {
    /// What a server uses: the system's clock and randomness, files of 256 MiB (some 300,000 usual
    /// events: rolled into segments within seconds, and large enough for these to compress well), a
    /// heartbeat a minute, a checkpoint a second.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(crate::clock::SystemClock),
            entropy: Arc::new(keys::SystemEntropy::new()),
            journal_roll_bytes: 256 << 20,
            roll_backlog: 8,
            aside_bytes: 128 << 10,
            reservation: Reservation::Background,
            heartbeat_ms: 60_000,
            publish_ms: 1_000,
        }
    }
}

/// The only one who writes a log.
pub struct Writer {
    pub(crate) folder: Arc<dyn Folder>,
    pub(crate) identity: Identity,
    pub(crate) kek: Arc<Kek>,
    pub(crate) keyring: Keyring,
    pub(crate) options: Options,
    /// Every signing key in the keyring: those in force, and others while they take over.
    pub(crate) signers: Vec<Signer>,
    /// Which keys are due at which size.
    pub(crate) epochs: Epochs,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) sequence: Sequence,
    pub(crate) journal: Option<FileJournal>,
    /// What is known of the journal file while another thread writes to it.
    pub(crate) lent: Option<Lent>,
    pub(crate) publisher: Option<Publisher>,
    pub(crate) frame: FrameBuffer,
    pub(crate) note: Arc<str>,
    pub(crate) published: u64,
    /// Life events to be sealed before the next event: recovery, start.
    pub(crate) announcements: Vec<Event<'static>>,
    pub(crate) started: bool,
    pub(crate) poisoned: Option<String>,
    pub(crate) holdings: Holdings,
    /// The keys of agents, for whoever encodes batches.
    pub(crate) in_force: InForce,
    /// The day of the current journal file's first record.
    pub(crate) journal_day: Option<u64>,
    /// Whether the current journal file is to be followed by another, whatever its size.
    pub(crate) journal_ends: bool,
    pub(crate) _lock: Box<dyn Lock>,
}

/// A journal file that another thread has.
#[derive(Clone, Copy)]
pub(crate) struct Lent {
    first_index: u64,
    /// Its size when what is being written is written.
    bytes: u64,
}

/// A group in memory: ordered, its records in the frame, its head signed. Nobody must be told
/// before the frame is in the journal.
pub(crate) struct Prepared {
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) first_index: u64,
    /// Records in the frame; none when all were there already.
    pub(crate) count: u32,
}

impl Writer {
    /// Number of entries, all of them durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.sequence.size()
    }

    /// Number of entries that the published checkpoint covers.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published
    }

    /// The signed checkpoint of the current size.
    #[must_use]
    pub fn checkpoint(&self) -> Arc<str> {
        Arc::clone(&self.note)
    }

    /// The log's public description.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The keyed names of this log, with which batches are encoded.
    #[must_use]
    pub fn fingerprints(&self) -> &Fingerprints {
        &self.fingerprints
    }

    /// The log's redactor, keyed by its own secret.
    #[must_use]
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// Seals batches as one group: one frame, one sync, one signed tree head for all of them.
    ///
    /// # Errors
    /// [`SealError::Poisoned`] after any failure: nothing of the group was acknowledged, some of it
    /// may be found on disk when the log is opened again, and a retry then yields duplicates, not
    /// copies.
    pub fn commit(&mut self, batches: Vec<Batch>) -> Result<Vec<Receipt>, SealError> {
        self.refuse_if_poisoned()?;
        let outcome = if batches.iter().map(Batch::bytes).sum::<usize>() <= GROUP_BYTES_LIMIT {
            self.commit_group(batches)
        } else {
            batches.into_iter().map(|batch| self.commit_pieces(batch)).collect()
        };
        if let Err(error) = &outcome {
            self.poison(error.to_string());
        }
        outcome
    }

    /// After any failure nothing is done any more until the log is opened again.
    pub(crate) fn refuse_if_poisoned(&self) -> Result<(), SealError> {
        match &self.poisoned {
            Some(reason) => Err(SealError::Poisoned { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    fn commit_group(&mut self, batches: Vec<Batch>) -> Result<Vec<Receipt>, SealError> {
        let prepared = self.prepare(batches)?;
        self.write(prepared)
    }

    /// Seals what is to be announced into the journal file that is there.
    pub(crate) fn commit_into_file(&mut self, now_ms: u64) -> Result<Vec<Receipt>, SealError> {
        let prepared = self.order(Vec::new(), now_ms)?;
        self.write(prepared)
    }

    fn write(&mut self, prepared: Prepared) -> Result<Vec<Receipt>, SealError> {
        // 3. Durability: encrypt, write, sync. A crash before the sync returns may leave the frame
        //    whole, torn or absent; nobody was told, and recovery keeps it or cuts it.
        if prepared.count > 0 {
            let Some(journal) = &mut self.journal else { return Err(SealError::Closed) };
            journal.append(prepared.first_index, prepared.count, &mut self.frame)?;
        }
        // 4. The acknowledgement. From here on a crash must lose nothing of the group.
        Ok(prepared.receipts)
    }

    /// Orders a group and signs its head, all in memory: [`Writer::frame`] then holds what must be
    /// appended to the journal before anybody is told. After any failure, here or there, the writer
    /// must be poisoned.
    pub(crate) fn prepare(&mut self, batches: Vec<Batch>) -> Result<Prepared, SealError> {
        let now_ms = self.options.clock.now_ms();
        self.begin_file_if_due(now_ms)?;
        self.order(batches, now_ms)
    }

    fn order(&mut self, batches: Vec<Batch>, now_ms: u64) -> Result<Prepared, SealError> {
        let mut life = self.life_batch(&batches, now_ms)?;
        self.frame.clear();
        // Room at once: growing into it would move megabytes, and leave up to twice the room.
        let records: usize = std::iter::once(&life).chain(&batches).map(Batch::bytes).sum();
        self.frame.reserve(PREVIOUS_BYTES + records);
        // 1. Order: indexes, record time, streams, leaves. In memory only; a crash here loses
        //    nothing that anyone was told.
        let all = std::iter::once(&life).chain(&batches);
        let mut group = self.sequence.seal(all, now_ms, self.frame.payload())?;
        // 2. The tree head over it, signed; it is as secret as the rest until the frame is durable.
        if group.count > 0 {
            self.sign()?;
        }
        self.holdings.note(&life, group.outcomes.first().map_or(&[], Vec::as_slice));
        if !life.is_empty() {
            self.announcements.clear();
            self.started = true;
            life.items.clear();
        }
        group.outcomes.remove(0);
        let (first_index, count) = (group.first_index, group.count);
        Ok(Prepared { receipts: self.receipts(batches, group)?, first_index, count })
    }

    /// Seals a batch that one frame may not hold in several, and acknowledges it as a whole. After
    /// a crash in between a retry finds the first pieces there.
    fn commit_pieces(&mut self, batch: Batch) -> Result<Receipt, SealError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for piece in batch.pieces(GROUP_BYTES_LIMIT) {
            for receipt in self.commit_group(vec![piece])? {
                outcomes.extend(receipt.outcomes);
            }
        }
        let (recorded_ms, checkpoint) = (self.sequence.time_ms, self.checkpoint());
        Ok(Receipt { batch, outcomes, recorded_ms, checkpoint })
    }

    /// Hands out the journal for appending the frame that was prepared.
    pub(crate) fn lend_journal(&mut self) -> Option<FileJournal> {
        let journal = self.journal.take()?;
        let bytes = journal.bytes() + self.frame.payload_bytes() as u64;
        self.lent = Some(Lent { first_index: journal.first_index(), bytes });
        Some(journal)
    }

    /// Takes the journal back.
    pub(crate) fn journal_is_back(&mut self, journal: FileJournal) {
        (self.lent, self.journal) = (None, Some(journal));
    }

    /// Whether the next group must begin a new journal file, so that the journal must be back
    /// before it is prepared.
    pub(crate) fn file_is_due(&self) -> bool {
        let now_ms = self.options.clock.now_ms();
        self.lent.is_none_or(|lent| self.must_begin_file(now_ms, lent))
    }

    fn must_begin_file(&self, now_ms: u64, current: Lent) -> bool {
        let day = self.sequence.time_ms.max(now_ms) / DAY_MS;
        let of_today = self.journal_day.is_none_or(|begun| begun == day);
        let full = current.bytes >= self.options.journal_roll_bytes;
        let empty = current.first_index == self.size();
        !empty && (!of_today || full || self.journal_ends)
    }

    fn receipts(&self, batches: Vec<Batch>, group: Group) -> Result<Vec<Receipt>, SealError> {
        let mut receipts = Vec::with_capacity(batches.len());
        for (batch, mut outcomes) in batches.into_iter().zip(group.outcomes) {
            for outcome in &mut outcomes {
                if let Some(index) = outcome.unknown_leaf() {
                    *outcome = Outcome::Duplicate { index, leaf_hash: self.leaf_hash(index)? };
                }
            }
            let (recorded_ms, checkpoint) = (self.sequence.time_ms, self.checkpoint());
            receipts.push(Receipt { batch, outcomes, recorded_ms, checkpoint });
        }
        Ok(receipts)
    }

    /// The hash of an older leaf, from its tile.
    fn leaf_hash(&self, index: u64) -> Result<[u8; 32], SealError> {
        let (number, place) = (index / 256, usize::try_from(index % 256).unwrap_or(0));
        let corrupt =
            |detail: &str| SealError::corrupt("tile/0", format!("leaf {index}: {detail}"));
        let tile = merkle::TileCoordinate::new(0, number, merkle::TILE_WIDTH)
            .map_err(|error| corrupt(&error.to_string()))?;
        let partial = || {
            let mut tiles = self.sequence.tree.partial_tiles();
            let (_, bytes) = tiles.find(|(it, _)| it.level() == 0 && it.number() == number)?;
            Some(bytes.to_vec())
        };
        let bytes = match self.sequence.unwritten(&tile.path()) {
            Some(bytes) => bytes,
            None => match self.folder.read(&tile.path())?.or_else(partial) {
                Some(bytes) => bytes.into(),
                None => return Err(corrupt("its tile is missing")),
            },
        };
        let hash = bytes.chunks_exact(32).nth(place).ok_or_else(|| corrupt("its tile is short"))?;
        hash.try_into().map_err(|_| corrupt("its tile is short"))
    }

    /// The life events that must stand before the next event.
    fn life_batch(&mut self, batches: &[Batch], now_ms: u64) -> Result<Batch, SealError> {
        let mut batch = Batch::default();
        // A run that only redelivers what is there already leaves no trace of itself.
        let nothing_new =
            || batches.iter().flat_map(|b| &b.items).all(|i| self.sequence.window.knows(i.name));
        if self.announcements.is_empty() && (self.started || nothing_new()) {
            return Ok(batch);
        }
        let mut events = self.announcements.clone();
        if !self.started {
            events.push(life::started(
                self.size(),
                self.keyring.generation(),
                self.redactor.policy_id(),
            ));
        }
        let mut salts = Salts::new(&*self.options.entropy);
        for event in events {
            let event = self.redactor.redact(event);
            batch.push(event.borrowed(), Kind::Log, &self.fingerprints, &mut salts, now_ms)?;
        }
        Ok(batch)
    }

    /// Seals a life event by itself.
    pub(crate) fn commit_life(&mut self, event: Event<'static>) -> Result<(), SealError> {
        self.announcements.push(event);
        self.commit(Vec::new()).map(|_| ())
    }

    /// Says that the log is alive although nothing happens.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn heartbeat(&mut self) -> Result<(), SealError> {
        if !self.started {
            return Ok(());
        }
        self.commit_life(life::heartbeat(self.size()))
    }

    /// Publishes the current head: tiles, then the checkpoint. Does nothing when it is published
    /// already.
    ///
    /// # Errors
    /// [`SealError::Store`]: the public files are behind the journal, the log must be reopened.
    pub fn publish(&mut self) -> Result<(), SealError> {
        self.refuse_if_poisoned()?;
        if let Some((files, head)) = self.publication()? {
            let Some(publisher) = &mut self.publisher else { return Ok(()) };
            let outcome = publisher.write_full(files).and_then(|()| publisher.publish(head));
            self.published_up_to(self.size(), outcome)?;
        }
        Ok(())
    }

    /// Takes the outcome of a publication into account. After a failure the full tiles are no
    /// longer in memory: reopening makes them again from the journal.
    pub(crate) fn published_up_to(
        &mut self,
        size: u64,
        outcome: Result<(), store::StoreError>,
    ) -> Result<(), SealError> {
        match outcome {
            Ok(()) => self.published = self.published.max(size),
            Err(error) => {
                self.poison(error.to_string());
                return Err(error.into());
            }
        }
        let settled = self.settle();
        if let Err(error) = &settled {
            self.poison(error.to_string());
        }
        settled
    }

    /// What must be written to publish the current head; `None` when nothing is new.
    pub(crate) fn publication(
        &mut self,
    ) -> Result<Option<(Vec<crate::sequence::PublicFile>, Head)>, SealError> {
        if self.published == self.size() || self.poisoned.is_some() {
            return Ok(None);
        }
        let head = Head { partial: self.sequence.partial_files()?, note: self.checkpoint() };
        Ok(Some((self.sequence.hand_over(usize::MAX), head)))
    }

    /// Ends writing in good order: says so in the log, publishes, gives reserved space back.
    ///
    /// # Errors
    /// As [`Writer::commit`] and [`Writer::publish`]; what was acknowledged stays acknowledged.
    pub fn close(mut self) -> Result<(), SealError> {
        self.finish()
    }

    pub(crate) fn finish(&mut self) -> Result<(), SealError> {
        self.refuse_if_poisoned()?;
        if self.started {
            self.commit_life(life::stopped(self.size()))?;
        }
        if let Some(journal) = &mut self.journal {
            journal.close()?;
        }
        self.publish()
    }

    pub(crate) fn poison(&mut self, reason: String) {
        self.poisoned.get_or_insert(reason);
        // The file's handle goes, so that nothing can be written through it any more.
        (self.journal, self.lent) = (None, None);
    }

    /// Signs the head of the current size.
    pub(crate) fn sign(&mut self) -> Result<(), SealError> {
        let note = sign_head(
            &self.epochs,
            &self.identity.origin,
            &self.sequence,
            &self.signers,
            self.options.clock.now_ms(),
        )?;
        self.note = note.into();
        Ok(())
    }

    /// Begins a new journal file when the current one is large or of an earlier day, or when there
    /// is none.
    fn begin_file_if_due(&mut self, now_ms: u64) -> Result<(), SealError> {
        let here = |j: &FileJournal| Lent { first_index: j.first_index(), bytes: j.bytes() };
        let current = self.lent.or_else(|| self.journal.as_ref().map(here));
        if current.is_some_and(|current| !self.must_begin_file(now_ms, current)) {
            return Ok(());
        }
        let day = self.sequence.time_ms.max(now_ms) / DAY_MS;
        (self.journal_day, self.journal_ends) = (Some(day), false);
        if let Some(mut journal) = self.journal.take() {
            journal.close()?;
            let (first, end) = (journal.first_index(), self.size());
            let closed = Closed { path: journal_path(first), first, end, key_id: journal.key_id() };
            self.holdings.closed.push(closed);
        }
        let key_id = self.keyring.generate(Purpose::Journal, now_ms, &*self.options.entropy)?;
        // The key is durable before anything is encrypted with it; a crash in between leaves a key
        // that nothing uses.
        self.store_keyring()?;
        let header = JournalHeader {
            log_id: self.identity.id()?,
            key_id: key_id.to_bytes(),
            first_index: self.size(),
        };
        let key = journal_key(&self.keyring, key_id)?;
        let entropy = Arc::clone(&self.options.entropy);
        let reservation = self.options.reservation;
        self.journal = Some(FileJournal::create(&self.folder, header, key, entropy, reservation)?);
        if self.started {
            let generation = self.keyring.generation();
            let added = [(Purpose::Journal, key_id)];
            self.announcements.push(life::keys_added(&added, generation));
        }
        Ok(())
    }
}

/// The data key of a journal file.
pub(crate) fn journal_key(keyring: &Keyring, id: keys::KeyId) -> Result<DataKey, SealError> {
    keyring.get(id).map(DataKey::new).ok_or_else(|| {
        SealError::corrupt(KEYRING_PATH, format!("the key {id} of a journal file is not in it"))
    })
}

/// Signs the head of a sequence with every key that is due at its size.
pub(crate) fn sign_head(
    epochs: &Epochs,
    origin: &str,
    sequence: &Sequence,
    signers: &[Signer],
    now_ms: u64,
) -> Result<String, SealError> {
    let corrupt = |detail: String| SealError::corrupt(crate::publish::CHECKPOINT_PATH, detail);
    let head = Checkpoint::new(origin, sequence.size(), sequence.tree.root())
        .map_err(|error| corrupt(error.to_string()))?;
    let due = epochs.due(head.size).into_iter().map(|due| {
        let signer = signers.iter().find(|signer| *signer.key.verifier_key() == due);
        signer.map(|signer| &signer.key).ok_or_else(|| {
            SealError::corrupt(KEYRING_PATH, format!("the signing key {due} is not in it"))
        })
    });
    let due = due.collect::<Result<Vec<_>, _>>()?;
    checkpoint::sign_checkpoint_at(&head, &due, now_ms / 1000)
        .map_err(|error| corrupt(error.to_string()))
}
