//! What the tools ask: one log, on behalf of one caller. Each transport has its own.

use keys::Kek;
use reading::verify::Options;
use reading::{ReadError, View};
use serde_json::Value;
use std::sync::Arc;

/// A log and a caller. Whatever is here may wait: it is called on threads that may.
pub trait Source: Send + Sync + 'static {
    /// The log as of its newest checkpoint.
    ///
    /// # Errors
    /// When it cannot be read.
    fn view(&self) -> Result<Arc<View>, Failure>;

    /// What the caller may have.
    fn rights(&self) -> Rights;

    /// Records that protected records are handed out, durably, before they are.
    ///
    /// # Errors
    /// Then they are not handed out.
    fn record(&self, access: Access) -> Result<(), Failure>;

    /// The log's key-encryption key, for a check of the whole folder.
    fn kek(&self) -> Arc<Kek>;

    /// The time, Unix milliseconds.
    fn now_ms(&self) -> u64;

    /// What a check of the whole folder is made against; by default what the log says of itself.
    fn verify_options(&self) -> Options {
        Options::default()
    }
}

/// What a caller may have; metadata it always may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Content: parameters, results, messages.
    pub content: bool,
    /// Proofs.
    pub proofs: bool,
    /// A check of the whole folder.
    pub verify: bool,
    /// Records in bulk.
    pub export: bool,
    /// The log's own records of who read what, and who was refused.
    pub access_records: bool,
}

impl Rights {
    /// Everything, as whoever holds the log's key has anyway.
    pub const ALL: Self =
        Self { content: true, proofs: true, verify: true, export: true, access_records: true };
}

/// What is handed out, for the log's own record of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// The tool that was called.
    pub tool: &'static str,
    /// What it was asked.
    pub question: Value,
    /// How many records the answer tells of.
    pub records: u64,
    /// The size of the checkpoint that it is as of.
    pub size: u64,
    /// Whether it is an export.
    pub is_export: bool,
}

impl Access {
    /// The record's details, in the form that all doors share.
    #[must_use]
    pub fn details(self) -> Value {
        serde_json::json!({
            "route": format!("mcp/{}", self.tool), "question": self.question,
            "records": self.records, "as_of": { "size": self.size },
        })
    }
}

/// Why a tool has no answer: what happened, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// A failure in one sentence.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self(error.to_string())
    }
}

impl From<crate::Problem> for Failure {
    fn from(problem: crate::Problem) -> Self {
        Self(problem.detail.into_owned())
    }
}
