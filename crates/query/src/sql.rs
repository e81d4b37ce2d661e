//! SQL over the table `events`, which can read and nothing else.
//!
//! A statement passes two walls. The first (`guard.rs`) lists what may be written: one SELECT over
//! `events`, with the functions of `functions.rs`. The second (`engine.rs`) is an engine that could
//! do no harm with anything else either: no files, no other tables, bounded memory, bounded time.
//! The engine is DataFusion; nothing outside of this folder depends on it but kernels of Arrow.
//!
//! | question | file |
//! |---|---|
//! | what is refused, and with which words? | `guard.rs`, `guard/`, `error.rs` |
//! | which functions are there? | `functions.rs`, `text.rs`, `json.rs` |
//! | limits of time and memory | `engine.rs`, `metered.rs` |
//! | reading the table | `provider.rs`, `prune.rs`, `scan.rs` |
//! | what of it somebody may see | `shown.rs` |
//! | the answer as text | `answer.rs` |

mod answer;
mod engine;
mod error;
mod functions;
mod guard;
mod json;
mod metered;
mod provider;
mod prune;
mod scan;
mod shown;
mod text;

pub use answer::{Answer, Cut, Layout};
pub use engine::{Limits, Sql};
pub use error::SqlError;
pub use shown::Shown;
