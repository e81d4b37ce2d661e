//! Reports, forensics and packs as people and programs get them, from recordings of real frameworks
//! and from made logs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail where it stands")]

mod forensics;
mod golden;
mod incident;
mod packs;
mod pdf;
mod periods;
mod recordings;
mod records;
