//! MCP: a model asks the log, with tools that only read.
//!
//! Whatever an agent wrote into the log, another model reads here. So every answer is a JSON
//! document in which the log's words stand under `untrusted_data`, cleaned of what a reader would
//! obey or not see, and nothing of theirs stands anywhere else.
//!
//! | question | file |
//! |---|---|
//! | which log, for whom? | `source.rs` |
//! | which tools are there, and what do they take? | `tools.rs`, `input.rs` |
//! | how do records become an answer? | `events.rs`, `traces.rs`, `forensics.rs`, `figures.rs`, `checks.rs` |
//! | what is taken out of texts? | `clean.rs` |
//! | how much is told, and how does it go on? | `envelope.rs` |
//! | how do clients connect? | `server.rs`, `stdio.rs`, `http.rs` |
//!
//! Not here: what an answer is (`query`), and who may ask (`gate.rs`).

mod checks;
mod clean;
mod envelope;
mod events;
mod figures;
mod forensics;
pub(crate) mod http;
mod input;
mod server;
mod source;
mod stdio;
mod tools;
mod traces;

pub use checks::Checks;
pub use envelope::{NOTE, RESULT_BYTES_MAX};
pub use source::{Access, Failure, Rights, Source};
pub use stdio::{StdioError, stdio};
pub use tools::{Reply, Tools};

#[cfg(test)]
mod tests;
