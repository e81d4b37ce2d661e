//! A disk that forgets, tears, fails and loses power on command, and always the same way for a
//! seed.
//!
//! | question | file |
//! |---|---|
//! | what happens to a file's bytes | `image.rs` |
//! | what happens to names | `names.rs` |
//! | the system calls, counted; faults; power cuts | `machine.rs` |
//! | the contract that the log sees | `folder.rs` |
//!
//! The model, weaker than any file system in use:
//! - A write is durable after a sync of its file; until then each of its 512-byte sectors survives
//!   a power cut or not, whatever became of the others, of earlier writes and of the file's size.
//! - A name (created, renamed, removed) is durable after a sync of the folder that holds it; until
//!   then it survives or not, whether or not the bytes behind it did. A rename is atomic.
//! - After a failed sync of a file the system takes its bytes for clean: they can be read, a later
//!   sync says yes without writing them, and they may be gone when the cache is dropped.
//! - The death of a process loses nothing of this; it only lets go of the lock.

mod fault;
mod folder;
mod image;
mod machine;
mod names;
#[cfg(test)]
mod tests;

pub use fault::{Fault, FaultKind};
pub use folder::SimulatedFolder;
