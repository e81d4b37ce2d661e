//! Promises of the crate as a whole, on one small incident.

mod drawing;
mod hostile;
mod incident;
mod injection;
mod rate;
mod sample;
mod sql;
