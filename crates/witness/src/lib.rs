//! What a witness decides, and what is said to one: C2SP `tlog-witness` v1.0.
//!
//! A witness keeps one fact for each log: the largest tree of it that it cosigned. It cosigns
//! another one only when that continues the first, so a log whose checkpoints it cosigns can
//! neither be rolled back nor shown in two versions without this being seen.
//!
//! Pure: no I/O, no clock. Where a witness keeps what it saw, and how requests reach it, is
//! `serve`'s; signatures are `checkpoint`'s; proofs are `merkle`'s.
//!
//! | question | file |
//! |---|---|
//! | what is asked of a witness? | `request.rs` |
//! | does it cosign? | `decide.rs` |
//! | what does its answer mean to a log? | `answer.rs` |

mod answer;
mod decide;
mod request;

pub use answer::{Answer, AnswerError, SIZE_TYPE, read_answer};
pub use decide::{Refusal, Seen};
pub use request::{AddCheckpoint, BODY_BYTES_MAX, PROOF_LINES_MAX, RequestError};
