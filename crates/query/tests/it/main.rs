//! Promises of the crate as a whole, on one small incident.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail where it stands")]

mod drawing;
mod figures;
mod hostile;
mod incident;
mod injection;
mod rate;
mod sample;
mod sql;
