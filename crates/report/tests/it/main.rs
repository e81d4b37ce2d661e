//! Reports as people and programs get them, from recordings of real frameworks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail where it stands")]

mod golden;
mod periods;
mod recordings;
