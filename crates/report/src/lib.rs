//! Answers and their evidence as documents: reports over a period, forensics of a trace.
//!
//! Not here: reading and decrypting (`reading`), finding records and putting a trace into causal
//! order (`query`), where a document goes (`cli`, `serve`).

pub mod forensics;
pub mod packs;
