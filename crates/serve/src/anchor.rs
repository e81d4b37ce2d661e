//! Time stamps of one's own logs: an authority is asked about the published checkpoint, and its
//! answer is kept beside the log.
//!
//! Not here: what an authority is asked and whether its answer holds (the crate `anchor`), and
//! reading configuration (`cli`).

mod asking;
mod keeping;
mod turns;

pub use asking::{Authority, Unstamped};
pub use keeping::{Beside, Head, Place, Stamped, stamped};
pub use turns::{Anchoring, Rules};

pub(crate) use turns::{Stamping, Standing};
