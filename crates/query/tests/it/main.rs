//! Promises of the crate as a whole, on one small incident.

mod drawing;
mod incident;
mod injection;
mod rate;
