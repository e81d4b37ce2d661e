//! The way to a server: where it is, one connection, what went wrong, events that are sent until it
//! is known what became of them, and a spool on disk for what waits while it is away.
//!
//! | question | file |
//! |---|---|
//! | which address is meant? may a token go there? | `address.rs` |
//! | what is a token? | `token.rs` |
//! | how is a server asked, and whom does TLS trust? | `connection.rs`, `tls.rs` |
//! | what went wrong, and does asking again help? | `trouble.rs`, `pace.rs` |
//! | how does an event look on the way, and what became of it? | `line.rs`, `landed.rs` |
//! | where does it wait? | `spool.rs` |
//!
//! Not here: where an address and a token come from, and what is asked (`cli`, `python`); the
//! server (`serve`).

mod address;
mod connection;
mod landed;
mod line;
mod pace;
pub mod spool;
mod tls;
mod token;
mod trouble;

pub use address::{Address, AddressError};
pub use connection::{Answer, Link, Parcel, segment};
pub use landed::{Landed, LandedError, LandedLine};
pub use line::{pack, write_line};
pub use pace::Pace;
pub use tls::{Tls, TlsError};
pub use token::{Token, TokenError};
pub use trouble::{Trouble, of_io};
