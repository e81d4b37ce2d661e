//! Whole logs, checked whole and damaged in every way there is.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod bundle;
mod clean;
mod damage;
mod dictionary;
mod history;
mod kept;
mod pieces;
mod rotation;
mod sample;
mod signature;
