//! What waits for a server: lines in the order of a producer's numbers, in journal files of their
//! own that are encrypted and synced, and go when the server has acknowledged what is in them.
//!
//! One [`Writer`] and one [`Reader`] share a [`Spool`]; the numbers of its producer are the indexes
//! of its journal. A number whose event was lost stands there too, with the reason, so that the
//! server is told of it. After a crash [`Spool::recover`] finds what is there. In memory
//! ([`store::MemoryFolder`]) it is a queue, and a crash leaves nothing.
//!
//! | path in a spool | what |
//! |---|---|
//! | `keyring` | the data key, wrapped by the key-encryption key |
//! | `journal/<first number>.journal` | lines (format.md, "Journal file"; the producer as log id) |
//! | `withdrawn/<number>` | a number that is not sent any more: who waited was told so |
//!
//! A frame's payload is one entry behind another: number u64, last number u64, kind u8 (1 a line, 2
//! lost: the reason), length u32, bytes; integers are big-endian.
//!
//! Not here: sending, and who waits for what.

mod entry;
mod reader;
mod writer;

pub use entry::{Numbered, Waiting};
pub use reader::Reader;
pub use writer::Writer;

use keys::{Entropy, Kek, KeyId, Keyring, KeyringError, Purpose, SecretKey, SystemEntropy};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Folder, JOURNAL_FOLDER, StoreError, journal_path, parse_journal_path};

/// The file with the wrapped keys of a spool, or of a folder of spools.
pub const KEYRING_PATH: &str = "keyring";
const WITHDRAWN_FOLDER: &str = "withdrawn";
/// A file that has grown to this is followed by another one; smaller in a small spool, so that
/// there is something to let go.
const ROLL_BYTES_MAX: u64 = 8 << 20;
const ROLL_BYTES_MIN: u64 = 256 << 10;
/// Bytes of a spool at least: some of the largest events there are.
pub const SPOOL_BYTES_MIN: u64 = 4 << 20;

/// Why something is not in a spool, or cannot be read from it.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It holds as much as it may.
    #[error(
        "{limit} bytes wait for the server, as many as the spool may hold; see why it takes none, \
         or give the spool more room"
    )]
    Full {
        /// The most bytes.
        limit: u64,
    },
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

/// What waits of one producer.
pub struct Spool {
    folder: Arc<dyn Folder>,
    id: [u8; 16],
    key_id: KeyId,
    secret: SecretKey,
    limit: u64,
    state: Mutex<State>,
}

struct State {
    files: VecDeque<Held>,
    withdrawn: BTreeSet<u64>,
    /// Everything up to this number is acknowledged.
    settled: u64,
}

/// A journal file.
#[derive(Clone, Copy, Debug)]
struct Held {
    first: u64,
    /// The number after the last one in it; `None` when nobody knows before it was read.
    end: Option<u64>,
    bytes: u64,
}

impl Spool {
    /// A new spool for the producer `id` in an empty folder, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn create(
        folder: Arc<dyn Folder>,
        id: [u8; 16],
        kek: &Kek,
        now_ms: u64,
        limit: u64,
    ) -> Result<Arc<Self>, SpoolError> {
        let entropy = SystemEntropy::new();
        let mut keyring = Keyring::create(id, kek);
        let key_id = keyring.generate(Purpose::Journal, now_ms, &entropy)?;
        let secret = keyring.get(key_id).ok_or(KeyringError::UnknownKey { id: key_id })?;
        let secret = secret.duplicate();
        folder.replace(KEYRING_PATH, &keyring.to_bytes(kek, &entropy)?)?;
        let state = State { files: VecDeque::new(), withdrawn: BTreeSet::new(), settled: 0 };
        let limit = limit.max(SPOOL_BYTES_MIN);
        Ok(Arc::new(Self { folder, id, key_id, secret, limit, state: Mutex::new(state) }))
    }

    /// What a process that is no more left behind, to be read: everything up to `settled` was
    /// acknowledged. `None` when it never got so far as to have a key.
    ///
    /// # Errors
    /// [`SpoolError`]; [`KeyringError::WrongKek`] among them.
    pub fn recover(
        folder: Arc<dyn Folder>,
        id: [u8; 16],
        kek: &Kek,
        settled: u64,
    ) -> Result<Option<Arc<Self>>, SpoolError> {
        let Some(bytes) = folder.read(KEYRING_PATH)? else { return Ok(None) };
        let keyring = Keyring::open(&bytes, kek)?;
        let (info, secret) = keyring.newest(Purpose::Journal).ok_or(KeyringError::Damaged {
            reason: "it has no key of a journal, which the keyring of a spool has",
        })?;
        let (key_id, secret) = (info.id, secret.duplicate());
        let (mut files, mut withdrawn) = (VecDeque::new(), BTreeSet::new());
        for path in folder.list(JOURNAL_FOLDER)? {
            let Some(first) = parse_journal_path(&path) else { continue };
            let bytes = folder.size(&path)?.unwrap_or(0);
            files.push_back(Held { first, end: None, bytes });
        }
        for path in folder.list(WITHDRAWN_FOLDER)? {
            let name = path.strip_prefix(WITHDRAWN_FOLDER).and_then(|name| name.strip_prefix('/'));
            withdrawn.extend(name.and_then(|name| name.parse::<u64>().ok()));
        }
        let state = Mutex::new(State { files, withdrawn, settled });
        Ok(Some(Arc::new(Self { folder, id, key_id, secret, limit: 0, state })))
    }

    /// Notes that a number is not to be sent: whoever waited for it was told that it is not
    /// recorded. Survives a crash when it returns.
    ///
    /// # Errors
    /// [`SpoolError::Store`]; then it is noted in memory only.
    pub fn withdraw(&self, number: u64) -> Result<(), SpoolError> {
        self.state().withdrawn.insert(number);
        Ok(self.folder.replace(&withdrawn_path(number), b"")?)
    }

    /// Whether a number is not to be sent.
    #[must_use]
    pub fn is_withdrawn(&self, number: u64) -> bool {
        self.state().withdrawn.contains(&number)
    }

    /// Everything up to this number is acknowledged: what holds nothing else goes, but for the file
    /// that is being written.
    ///
    /// # Errors
    /// [`SpoolError::Store`]: what could not be removed stays, and is sent again after a crash.
    pub fn settle(&self, number: u64) -> Result<(), SpoolError> {
        let mut state = self.state();
        state.settled = state.settled.max(number);
        let later = state.withdrawn.split_off(&(number + 1));
        for withdrawn in std::mem::replace(&mut state.withdrawn, later) {
            self.folder.remove(&withdrawn_path(withdrawn))?;
        }
        self.tidy(&mut state)
    }

    /// Bytes that it takes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state().files.iter().map(|file| file.bytes).sum()
    }

    /// Takes everything away, the key first.
    ///
    /// # Errors
    /// [`SpoolError::Store`].
    pub fn remove(&self) -> Result<(), SpoolError> {
        self.folder.remove(KEYRING_PATH)?;
        for path in self.folder.list("")? {
            self.folder.remove(&path)?;
        }
        self.state().files.clear();
        Ok(())
    }

    /// Removes files before the last one that hold nothing that is not acknowledged.
    fn tidy(&self, state: &mut State) -> Result<(), SpoolError> {
        while state.files.len() > 1
            && let Some(file) = state.files.front().copied()
            && let Some(next) = state.files.get(1)
            && next.first <= state.settled.saturating_add(1)
        {
            self.folder.remove(&journal_path(file.first))?;
            state.files.pop_front();
        }
        Ok(())
    }

    fn roll_bytes(&self) -> u64 {
        (self.limit / 8).clamp(ROLL_BYTES_MIN, ROLL_BYTES_MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn withdrawn_path(number: u64) -> String {
    format!("{WITHDRAWN_FOLDER}/{number:020}")
}

/// The secret of the pseudonyms that redaction leaves behind, of everybody who shares a folder of
/// spools; made when there is none. Whoever calls holds a lock.
///
/// # Errors
/// [`SpoolError`].
pub fn redaction_secret(
    folder: &dyn Folder,
    kek: &Kek,
    now_ms: u64,
) -> Result<SecretKey, SpoolError> {
    let damaged = KeyringError::Damaged {
        reason: "it has no redaction secret, which the keyring of a folder of spools has",
    };
    if let Some(bytes) = folder.read(KEYRING_PATH)? {
        let keyring = Keyring::open(&bytes, kek)?;
        let (_, secret) = keyring.newest(Purpose::RedactionSecret).ok_or(damaged)?;
        return Ok(secret.duplicate());
    }
    let entropy = SystemEntropy::new();
    let mut id = [0; 16];
    entropy.fill(&mut id).map_err(KeyringError::from)?;
    let mut keyring = Keyring::create(id, kek);
    let key = keyring.generate(Purpose::RedactionSecret, now_ms, &entropy)?;
    let secret = keyring.get(key).map(SecretKey::duplicate).ok_or(damaged)?;
    folder.replace(KEYRING_PATH, &keyring.to_bytes(kek, &entropy)?)?;
    Ok(secret)
}

#[cfg(test)]
mod tests;
