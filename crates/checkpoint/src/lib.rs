//! Signed notes, checkpoints, cosignatures and policy; the only signer.
