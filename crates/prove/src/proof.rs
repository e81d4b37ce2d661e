//! One entry, proved: that it stands at its index in the log as of a signed checkpoint; and two
//! checkpoints of one log, of which one continues the other.
//!
//! Not here: the record behind the entry (`record.rs`), the document for both (`evidence.rs`).

use crate::report::Level;
use crate::trust::{Trust, TrustError};
use checkpoint::{Checkpoint, CheckpointError, Note, NoteError, TlogProof};
use event::{Entry, EntryError};
use merkle::{
    ConsistencyError, Hash, HashReader, InclusionError, ProofError, inclusion_proof, leaf_hash,
    verify_consistency, verify_inclusion,
};

/// Why a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The checkpoint to prove against is not a signed note.
    #[error("no proof can be made against this checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint to prove against is not a checkpoint.
    #[error("no proof can be made against this checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The tree cannot give the proof.
    #[error(transparent)]
    Tree(ProofError<E>),
}

/// Why a proof of an entry does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryProofError {
    /// The bytes are no entry.
    #[error("the entry is not one: {0}")]
    Entry(#[from] EntryError),
    /// The checkpoint in the proof is not accepted.
    #[error("the checkpoint in the proof is not accepted: {0}")]
    Trust(#[from] TrustError),
    /// The entry is not in the tree of the checkpoint.
    #[error("the entry is not in the log: {0}")]
    Inclusion(#[from] InclusionError),
    /// The first entry of a log has no predecessor.
    #[error("entry 0 names a previous leaf, but nothing comes before it")]
    First,
}

/// An entry that is in the log, and as of which checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenEntry {
    /// The entry.
    pub entry: Entry,
    /// Its index.
    pub index: u64,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// How far the checkpoint is vouched for.
    pub level: Level,
}

/// Two checkpoints of which the newer one continues the older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenGrowth {
    /// The older one.
    pub old: Checkpoint,
    /// The newer one.
    pub new: Checkpoint,
    /// How far the less vouched for of the two is vouched for.
    pub level: Level,
}

/// Why two checkpoints are not known to be of one history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrowthError {
    /// The older checkpoint is not accepted.
    #[error("the older checkpoint is not accepted: {0}")]
    Old(TrustError),
    /// The newer checkpoint is not accepted.
    #[error("the newer checkpoint is not accepted: {0}")]
    New(TrustError),
    /// The newer one does not continue the older one, or the proof does not show it.
    #[error(transparent)]
    Consistency(#[from] ConsistencyError),
}

/// Makes the proof that the entry at `index` is in the tree of the signed checkpoint `note`.
///
/// # Errors
/// When the note is no checkpoint, the index is not below its size, or a hash cannot be read.
pub fn prove_entry<R: HashReader + ?Sized>(
    reader: &R,
    index: u64,
    note: &str,
) -> Result<TlogProof, ProveError<R::Error>> {
    let checkpoint = Checkpoint::parse(Note::parse(note)?.text())?;
    let hashes = inclusion_proof(reader, index, checkpoint.size).map_err(ProveError::Tree)?;
    Ok(TlogProof { extra: None, index, hashes, checkpoint: note.to_owned() })
}

/// Checks that the 104 bytes of an entry stand in the log `origin` at the index of the proof.
///
/// # Errors
/// [`EntryProofError`] when anything about entry, proof or checkpoint does not hold.
pub fn check_entry(
    entry: &[u8],
    proof: &TlogProof,
    origin: &str,
    trust: &Trust,
) -> Result<ProvenEntry, EntryProofError> {
    let decoded = Entry::decode(entry)?;
    let (verified, level) = trust.open(&proof.checkpoint, origin)?;
    let checkpoint = verified.checkpoint;
    let leaf = leaf_hash(entry);
    verify_inclusion(proof.index, checkpoint.size, &leaf, &proof.hashes, &checkpoint.root)?;
    if proof.index == 0 && decoded.previous != [0; 32] {
        return Err(EntryProofError::First);
    }
    Ok(ProvenEntry { entry: decoded, index: proof.index, checkpoint, level })
}

/// Checks that the signed checkpoint `new` continues the signed checkpoint `old` of the log
/// `origin`, by a consistency proof.
///
/// # Errors
/// [`GrowthError`] when one is not accepted, the log shrank or forked, or the proof is wrong.
pub fn check_growth(
    old: impl AsRef<[u8]>,
    new: impl AsRef<[u8]>,
    proof: &[Hash],
    origin: &str,
    trust: &Trust,
) -> Result<ProvenGrowth, GrowthError> {
    let (old, old_level) = trust.open(old, origin).map_err(GrowthError::Old)?;
    let (new, new_level) = trust.open(new, origin).map_err(GrowthError::New)?;
    let (old, new) = (old.checkpoint, new.checkpoint);
    verify_consistency(old.size, &old.root, new.size, &new.root, proof)?;
    Ok(ProvenGrowth { old, new, level: old_level.min(new_level) })
}
