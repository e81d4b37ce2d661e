//! Signed tree heads: C2SP `signed-note`, `tlog-checkpoint`, `tlog-cosignature`, `tlog-proof` and
//! `tlog-policy`; and the statement by which a log's next key takes over. The only crate that
//! signs.
//!
//! No I/O, no clock, no randomness: seeds and times come from the caller, and both signature
//! algorithms are deterministic. The tree itself is `merkle`'s; where a seed is kept is `keys`'.
//!
//! ```text
//! log.example/main                                   origin
//! 70000                                              size
//! 0/8ntt16ik/gS1+++J/wBBj8KxyW2pkuOMxyT6qZZdA=       root
//!                                                    (empty line: end of the signed text)
//! — log.example/main r/yPcly3ioW/YoN8En0zrj...       one line for each signature
//! ```
//!
//! | question | file |
//! |---|---|
//! | text and signature lines | `note.rs` |
//! | public keys and verification | `verifier.rs` |
//! | secret keys and signing | `signer.rs` |
//! | origin, size, root | `head.rs` |
//! | what a cosignature signs | `cosignature.rs` |
//! | signing and opening a whole checkpoint | `open.rs` |
//! | which witnesses are enough | `policy.rs`, `policy_text.rs` |
//! | an entry's offline proof | `proof.rs` |
//! | a key takes over from another | `succession.rs` |
//! | which keys are due at which size | `epochs.rs` |
//! | an agent's signature of an event | `agent.rs` |

mod agent;
mod canonical;
mod cosignature;
mod epochs;
mod head;
mod note;
mod open;
mod policy;
mod policy_text;
mod proof;
mod signer;
mod succession;
mod verifier;

pub use agent::{AgentSigner, is_agent_key, verify_agent};
pub use cosignature::MAX_TIMESTAMP_S;
pub use epochs::{Epoch, EpochError, Epochs};
pub use head::{Checkpoint, CheckpointError, CheckpointText, MAX_ORIGIN_BYTES};
pub use note::{
    MAX_NOTE_BYTES, MAX_SIGNATURE_BYTES, MAX_SIGNATURES, Note, NoteError, NoteSignature,
};
pub use open::{
    OpenError, Verified, VerifiedSignature, cosign, open_checkpoint, open_checkpoint_exact,
    sign_checkpoint, sign_checkpoint_at, sign_note, verify_note,
};
pub use policy::{MAX_POLICY_NAMES, Policy, PolicyKey, PolicyVerdict, Witness};
pub use policy_text::{MAX_POLICY_BYTES, PolicyError};
pub use proof::{MAX_EXTRA_BYTES, ProofOpenError, TlogProof, TlogProofError};
pub use signer::{SEED_BYTES, SignError, SigningKey};
pub use succession::{SUCCESSION_BYTES_MAX, Succession, SuccessionError};
pub use verifier::{Algorithm, KeyError, MAX_KEY_NAME_BYTES, VerifierKey};
