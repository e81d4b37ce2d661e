//! The native half of the Python package `tachograph`: a log open inside an agent's process.
//!
//! A door, as `cli` and `serve` are: values of Python in, receipts and answers out, and no
//! behaviour of its own but the way there (`delivery.rs`). Capture, redaction and sealing are those
//! of every other door. Not here: names, defaults and where a key comes from, which are Python
//! (`python/tachograph`), as are the tests (`python/tests`).
//!
//! | question | file |
//! |---|---|
//! | how does a value of Python become JSON? | `json.rs` |
//! | where is the log? | `place.rs`: `here.rs`, `there.rs` |
//! | what waits where, and in which order is it sealed? | `queue.rs`, `delivery.rs` |
//! | how does it get to a server? | `connecting.rs`, `outbox.rs`, `spooling.rs`, `forwarding.rs` |
//! | what becomes of a log that failed? | `keeper.rs` |
//! | how is a loss found after a crash? | `mark.rs`, `losses.rs` |
//! | how is a log opened or made? with which key? | `opening.rs` |
//! | what can be asked? | `questions.rs` |
//! | which class has an error? | `fault.rs` |

mod connecting;
mod delivery;
mod fault;
mod forwarding;
mod here;
mod json;
mod keeper;
mod log;
mod losses;
mod mark;
mod mode;
mod opening;
mod outbox;
mod place;
mod questions;
mod queue;
mod receipt;
mod signing;
mod spooling;
mod there;

use pyo3::prelude::*;

/// What `tachograph` is made of; use that.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::log::Log;
    #[pymodule_export]
    use crate::log::{log_id, span_event_id, verify};
    #[pymodule_export]
    use crate::receipt::Receipt;
    #[pymodule_export]
    use crate::signing::{agent_key, create_agent_key};
}
