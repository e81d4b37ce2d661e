//! What several fuzz targets share: promises that hold for every event, and small logs, keyrings
//! and journals made the same way every time.
//!
//! Not here: targets (`targets/`), and the seeds made from these samples (`examples/seeds.rs`).

#![forbid(unsafe_code)]

pub mod captured;
pub mod redacted;
pub mod sample_journal;
pub mod sample_keyring;
pub mod sample_log;
pub mod stored;
