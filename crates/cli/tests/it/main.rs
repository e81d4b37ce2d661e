//! The program as people and programs see it: the binary, and `verify` as a function.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail where it stands")]

mod agent_keys;
mod anchors;
mod answers;
mod append;
mod backup;
mod bundle;
mod compliance;
mod demo;
mod detecting;
mod erased;
mod export;
mod forensics;
mod hostile;
mod import;
mod keys;
mod mail;
mod memory;
mod program;
mod read;
mod recover;
mod redact;
mod refusals;
mod remote_acts;
mod remote_answers;
mod remote_append;
mod remote_mcp;
mod remote_papers;
mod replay;
mod report;
mod resealed;
mod retention;
mod rolled;
mod rotation;
mod served;
mod sinks;
mod soak;
mod sql;
mod tamper;
mod verify;
mod witness;
