//! What `redact` promises from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod attack;
mod documentation;
mod events;
