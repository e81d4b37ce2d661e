//! What the crate promises from outside: records come back byte for byte, and nothing but them.
//!
//! Not here: the rules of single values and shapes (unit tests beside the code).

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod arbitrary;
mod damage;
mod pick;
mod records;
mod round_trip;
mod secrecy;
mod sources;
mod verify;
