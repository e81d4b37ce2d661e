//! The writer: batches of redacted events become records with a place in the log, durable before
//! anyone is told, chained, signed and published.
//!
//! `seal` accepts only [`redact::Redacted`] events. It does not know foreign formats (`capture`),
//! answers no questions (`query`) and checks no evidence (`prove`); it shares only bytes with them.
//!
//! | question | file |
//! |---|---|
//! | what happens on the caller's thread | `batch.rs`, `spare.rs` |
//! | in what order, with which chain | `sequence.rs`, `streams.rs`, `idle.rs`, `window.rs` |
//! | when is something acknowledged | `writer.rs` |
//! | what is public, and when | `publish.rs` |
//! | what happens after a crash | `recover.rs` |
//! | what a start need not read again | `spans.rs`, `ids.rs`, `rolled_streams.rs` |
//! | does it continue what it signed before? | `continuity.rs` |
//! | how the journal becomes segments | `roll.rs`, `build.rs`, `segment_file.rs` |
//! | how small segments become one | `rewrite.rs` |
//! | when what runs beside the writer is given up | `background.rs`, `interruptible.rs` |
//! | how records, or their content, go for good | `removal.rs`, `rewrite.rs` |
//! | what segments hold, beside the writer | `settled.rs` |
//! | what the log says about its files, and what follows | `ledger.rs` |
//! | what is recorded of those who export, or change keys | `act.rs` |
//! | which keys sign, and how others take over | `rotation.rs` |
//! | threads, heartbeat | `log.rs` |

mod act;
mod admission;
mod agents;
mod aside;
mod background;
mod batch;
mod build;
mod clock;
mod committer;
mod continuity;
mod create;
mod error;
mod identity;
mod idle;
mod ids;
mod interruptible;
mod ledger;
mod life;
mod log;
mod priority;
mod publish;
mod receipt;
mod recover;
mod removal;
mod report;
mod rewrite;
mod roll;
mod rolled_streams;
mod rotation;
mod sealed;
mod segment_file;
mod sequence;
mod settled;
mod spans;
mod spare;
mod streams;
mod window;
mod writer;

pub use act::Act;
pub use admission::Permit;
pub use agents::{AgentKeyError, NewAgentKey};
pub use batch::{Batch, Encoder, Fingerprints};
pub use clock::{Clock, SystemClock};
pub use create::{NewLog, create};
pub use error::SealError;
pub use identity::{FORMAT_VERSION, IDENTITY_PATH, Identity};
pub use log::{Log, NotTaken, Ticket, WhenDone};
pub use publish::CHECKPOINT_PATH;
pub use receipt::{Outcome, Receipt};
pub use recover::{REDACTION_POLICY_PATH, open, open_continuing, redaction_policy};
pub use removal::{Consequence, REMOVALS_AT_ONCE_MAX};
pub use rotation::Rotated;
pub use sealed::SealedRecord;
pub use settled::Settled;
pub use window::WINDOW_EVENTS;
pub use writer::{KEYRING_PATH, Options, Writer};
