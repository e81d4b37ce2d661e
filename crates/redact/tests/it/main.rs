//! What `redact` promises from outside.

mod attack;
mod documentation;
mod events;
