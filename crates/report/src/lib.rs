//! Answers and their evidence as documents: reports over a period, forensics of a trace, incidents
//! to be signed, bundles of evidence.
//!
//! A [`document`] is what is said, before it is text of any kind; each of its formats has a file.
//! The [`reports`] are counts over columns.
//!
//! Not here: reading and decrypting (`reading`), finding records and putting a trace into causal
//! order (`query`), where a document goes (`cli`, `serve`).

pub mod bundle;
pub mod document;
pub mod forensics;
pub mod incident;
pub mod packs;
pub mod reports;
