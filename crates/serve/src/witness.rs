//! Witnesses, both ways: being one for the logs of others, and having one's own logs witnessed.
//!
//! Not here: what a witness decides and what its answers mean (the crate `witness`), and reading
//! configuration and keys (`cli`).

mod asking;
mod before;
mod home;
mod listen;
mod rounds;
mod standing;

pub use home::{Alarm, Home, HomeError, Reply};
pub use listen::listen;
pub use rounds::{Rules, Witnessing};

pub(crate) use rounds::{Watching, witnesses};
pub(crate) use standing::One;
