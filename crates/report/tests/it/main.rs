//! What reports, forensics and packs promise, on recorded and on made logs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail where it stands")]

mod forensics;
mod packs;
mod records;
