//! A log's folder opened for reading: its records in order, what can be asked of them, what is
//! being added, and whether all of it is what the log says.
//!
//! What every door to a log shares: a command, a server. Nothing here writes to a log that is
//! there, prints, or knows where a key comes from. What an answer is, `query` says; what must hold,
//! `prove`.
//!
//! | question | file |
//! |---|---|
//! | where are the logs? | `data_folder.rs` |
//! | how does one begin there? | `new_log.rs` |
//! | how is a log read without writing to it? | `reading.rs` |
//! | which file has the next record? | `walk.rs` |
//! | what is in the journal's frames? | `journal.rs` |
//! | which segments are there? what is in them? | `shelf.rs`, `merge.rs` |
//! | what can be asked without reading everything? | `library.rs` |
//! | how do records of the journal become rows? | `rows.rs` |
//! | what is acknowledged, and not published yet? | `follow.rs` |
//! | what does the public log say about a record? | `entries.rs` |
//! | which checkpoint does an answer name? how are its records found? | `answer.rs`, `search.rs` |
//! | how is a log kept open while it is being written to? | `view.rs`, `lookout.rs` |
//! | what is remembered of a log outside its folder? | `memory.rs` |
//! | is a whole folder what the log says? | `verify.rs` |
//! | what proves a record? | `proofs.rs` |
//! | what proves a whole session or trace? | `bundle.rs` |

pub mod answer;
mod bundle;
mod data_folder;
mod entries;
mod error;
mod faults;
mod follow;
mod journal;
mod library;
mod lookout;
mod memory;
mod merge;
pub mod new_log;
pub mod proofs;
mod public;
mod reading;
mod rows;
pub mod search;
mod shelf;
mod source;
pub mod verify;
mod view;
mod walk;

pub use bundle::bundle;
pub use data_folder::{DataFolder, LogFolder, Logs};
pub use entries::Entries;
pub use error::{ErrorKind, ReadError, advice};
pub use follow::Follow;
pub use journal::{Bound, End, PREVIOUS_BYTES};
pub use library::library;
pub use lookout::Lookout;
pub use memory::{Memory, Remembered};
pub use public::public_file;
pub use reading::{Item, Reading, Records};
pub use shelf::{Shelf, Torn, Volume};
pub use view::View;
pub use walk::{Place, Placed, Step, Walk};

use faults::Faults;
use journal::JournalWalk;
use reading::kept;

/// The path of the newest checkpoint that enough witnesses cosigned, in a log's folder: another
/// file than the published checkpoint, which waits for nobody.
pub const COSIGNED_PATH: &str = "cosigned";
