//! Tests only: the real writer against a seeded clock, storage faults, power cuts and kills.
//!
//! A run is a function of its seed. It drives `seal::Writer`, the synchronous core, on a disk that
//! forgets what was not synced, and keeps a model of what the log owes: every acknowledgement and
//! every signed checkpoint. After each crash the log must open unattended and owe nothing.
//!
//! | question | file |
//! |---|---|
//! | what can a disk do? | `storage.rs` |
//! | what does one run do? | `run.rs`, `workload.rs` |
//! | what must hold? | `model.rs` |
//! | what is in the log, read independently? | `reading.rs`, `verdict.rs` |
//! | incidents whose cause is known | `incidents.rs` |
//! | a real process, really killed | `kill.rs` |
//! | a real server, killed under its clients | `kill/server.rs` |
//! | does the redactor find what it must? | `redaction.rs` |
//! | a log rewritten by somebody who has every key | `attack.rs` |
//!
//! Not here: the threads of `seal::Log` on a simulated disk (they would not repeat); `kill` drives
//! those on a real one.

pub mod attack;
mod clock;
mod entropy;
pub mod incidents;
mod kill;
mod model;
mod random;
mod reading;
pub mod redaction;
mod run;
mod storage;
#[cfg(test)]
mod tests;
mod verdict;
mod workload;

pub use clock::SimulatedClock;
pub use entropy::SimulatedEntropy;
pub use kill::{Cuts, KillTally, Programs, ServerTally, kill_rounds, kill_servers, run_victim};
pub use random::Random;
pub use run::{Failure, Tally, faults, on_a_lying_disk, power_cuts};
pub use storage::{Fault, FaultKind, SimulatedFolder};
