//! Time stamps of checkpoints by somebody else: RFC 3161 (with RFC 5816), asked for, read and
//! verified offline.
//!
//! A time-stamping authority signs that some bytes existed at a time. The bytes are a checkpoint as
//! the log signed it, so whatever the log had then existed by then, whoever has the log's keys now.
//!
//! Pure: no I/O, no clock, no randomness. It does not build for browsers, because the signatures of
//! authorities (RSA, ECDSA) are checked by aws-lc. How an authority is reached is `serve`'s;
//! whether a log continues a stamped checkpoint is `reading`'s.
//!
//! | question | file |
//! |---|---|
//! | what is an authority asked? | `request.rs` |
//! | what did it answer, before anybody believes it? | `response.rs`, `token.rs` |
//! | is it signed by an authority that counts? | `verify.rs`, `authorities.rs` |
//! | how is a stamp called beside the log? | `name.rs` |
//! | DER, as far as it is needed | `der.rs` |

mod authorities;
mod der;
mod digest;
mod error;
mod name;
mod request;
mod response;
mod time;
mod token;
mod verify;

pub use authorities::Authorities;
pub use error::StampError;
pub use name::{ANCHOR_FOLDER, AnchorName, Label};
pub use request::Request;
pub use response::RESPONSE_BYTES_MAX;
pub use verify::{Stamp, accept, verify};
