//! What became of each event of a request, and how the request as a whole is answered for it.
//!
//! The members are those that `tacho append` writes a line of (docs/server.md, "Appending").

use crate::problem::Problem;
use axum::http::StatusCode;
use event::EventError;
use redact::without_secrets;
use schemars::JsonSchema;
use seal::{Outcome, Receipt};
use serde::Serialize;
use std::borrow::Cow;

/// What became of one event of a request.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Line<'a> {
    /// It is in the log, durably.
    Accepted(Accepted<'a>),
    /// It is not.
    Refused {
        /// Its number in the request, from 1.
        line: u64,
        /// Why.
        error: Refusal,
    },
}

/// An event that is in the log.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Accepted<'a> {
    /// Its number in the request, from 1.
    pub line: u64,
    /// Its id, given by the log if it had none.
    pub event_id: &'a str,
    /// The index of its entry.
    pub index: u64,
    /// The hash of its leaf, in hex.
    pub leaf_hash: String,
    /// Whether it was there before.
    pub duplicate: bool,
    /// Its tlog-proof under the checkpoint of the answer, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// Why an event is not in the log.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Refusal {
    /// The stable code.
    pub code: Cow<'static, str>,
    /// The field, empty for the event as a whole.
    pub field: String,
    /// What is wrong and what to do.
    pub reason: Cow<'static, str>,
}

/// The answer to a request that was read to its end.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// Events that were sealed now.
    pub accepted: u64,
    /// Events that were there before.
    pub duplicates: u64,
    /// Events that are not in the log.
    pub refused: u64,
    /// Record time of what was sealed, Unix milliseconds; absent when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_ms: Option<u64>,
    /// A signed checkpoint that covers every accepted event; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<&'a str>,
    /// One for each event, in order.
    pub results: Vec<Line<'a>>,
}

impl Refusal {
    /// An event id under which another event was sealed.
    #[must_use]
    pub fn conflict(index: u64) -> Self {
        let reason = format!(
            "another event was sealed under this id at index {index}; give a new event an id of its own"
        );
        Self { code: "id_conflict".into(), field: "event_id".to_owned(), reason: reason.into() }
    }
}

impl From<EventError> for Refusal {
    /// Names of fields are those who sent them's, and reasons may repeat one: no secret that was
    /// such a name comes back, or gets into the log of whoever sent it.
    fn from(error: EventError) -> Self {
        let field = without_secrets(error.field).into_owned();
        Self { code: error.code.as_str().into(), field, reason: without_secrets(error.reason) }
    }
}

impl<'a> Answer<'a> {
    /// Puts together what was refused before sealing and what sealing says.
    ///
    /// # Errors
    /// When the receipt does not cover the batch, which would be a fault of the writer.
    pub fn new(
        lines: Vec<(u64, Option<Box<EventError>>)>,
        receipt: Option<&'a Receipt>,
    ) -> Result<Self, Problem> {
        let (mut accepted, mut duplicates, mut refused, mut position) = (0, 0, 0, 0);
        let mut results = Vec::with_capacity(lines.len());
        for (line, error) in lines {
            let result = match error {
                Some(error) => Err((*error).into()),
                None => {
                    position += 1;
                    outcome(receipt, position - 1, line).ok_or_else(Problem::internal)?
                }
            };
            results.push(match result {
                Ok(event) => {
                    *(if event.duplicate { &mut duplicates } else { &mut accepted }) += 1;
                    Line::Accepted(event)
                }
                Err(error) => {
                    refused += 1;
                    Line::Refused { line, error }
                }
            });
        }
        let recorded_ms = receipt.filter(|_| accepted > 0).map(|receipt| receipt.recorded_ms);
        let checkpoint = receipt.filter(|_| accepted + duplicates > 0);
        let checkpoint = checkpoint.map(|receipt| &*receipt.checkpoint);
        Ok(Self { accepted, duplicates, refused, recorded_ms, checkpoint, results })
    }

    /// Gives every event that is in the log its proof.
    ///
    /// # Errors
    /// What `prove` says.
    pub fn prove(
        &mut self,
        mut prove: impl FnMut(u64) -> Result<String, Problem>,
    ) -> Result<(), Problem> {
        for line in &mut self.results {
            if let Line::Accepted(accepted) = line {
                accepted.proof = Some(prove(accepted.index)?);
            }
        }
        Ok(())
    }

    /// 200 when every event is in the log, 207 when some are, and otherwise the status of the first
    /// refusal: 409 for an id that another event has, 413 for one that is too large, 422.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.refused == 0 {
            return StatusCode::OK;
        }
        if self.accepted + self.duplicates > 0 {
            return StatusCode::MULTI_STATUS;
        }
        let first = self.results.iter().find_map(|line| match line {
            Line::Refused { error, .. } => Some(&*error.code),
            Line::Accepted(_) => None,
        });
        match first {
            Some("id_conflict") => StatusCode::CONFLICT,
            Some("too_large") => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// What a receipt says about the event at a position of its batch; `None` when it says nothing.
pub fn outcome(
    receipt: Option<&Receipt>,
    position: usize,
    line: u64,
) -> Option<Result<Accepted<'_>, Refusal>> {
    let receipt = receipt?;
    let event_id = receipt.batch.event_id(position).unwrap_or_default();
    let (index, leaf_hash, duplicate) = match receipt.outcomes.get(position)? {
        Outcome::Sealed { index, leaf_hash } => (*index, leaf_hash, false),
        Outcome::Duplicate { index, leaf_hash } => (*index, leaf_hash, true),
        Outcome::Conflict { index } => return Some(Err(Refusal::conflict(*index))),
    };
    let leaf_hash = hex::encode(leaf_hash);
    Some(Ok(Accepted { line, event_id, index, leaf_hash, duplicate, proof: None }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Code;

    #[test]
    fn a_refusal_repeats_no_secret_that_was_a_name() {
        let said = |field: &str, reason: &'static str| {
            Refusal::from(EventError::new(Code::DuplicateKey, field, reason))
        };
        let refusal = said("attributes.password=hunter2-abc", "the object holds this key twice");
        assert_eq!(refusal.field, "attributes.password=[redacted:assignment]");
        assert_eq!(refusal.reason, "the object holds this key twice");
        let refusal = said("params.query", "the member password=hunter2-abc is there twice");
        assert_eq!(refusal.field, "params.query");
        assert!(!refusal.reason.contains("hunter2"), "{}", refusal.reason);
        assert_eq!(said("", "not valid JSON").field, "");
    }
}
