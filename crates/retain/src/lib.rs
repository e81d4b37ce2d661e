//! How long records stay: tiers and their days, legal holds, erasure.
//!
//! What goes is decided here and announced in the log before it goes; taking it out of the files is
//! `seal`'s. Of several rules that concern a record the first one of these decides: a hold keeps
//! it, then a statutory minimum does, then an erasure takes it, then expiry does. The log's own
//! records always stay: they are what explains everything else.
//!
//! | question | file |
//! |---|---|
//! | how long does a tier stay, by which profile? | `policy.rs` |
//! | which records are meant? | `select.rs`, `scan.rs` |
//! | what is held? | `hold.rs` |
//! | what would go, and when? what goes? | `expire.rs` |
//! | erasure on request | `erase.rs` |
//! | erasures and expiries after a restore | `reapply.rs` |

mod erase;
mod error;
mod expire;
mod hold;
mod policy;
mod reapply;
mod scan;
mod select;

pub use erase::{Erased, Erasing, Erasure, erase};
pub use error::RetainError;
pub use expire::{Due, Expired, Expiring, Plan, expire, plan};
pub use hold::{Hold, hold, holds, holds_seen, release};
pub use policy::{Policy, PolicyError, Profile};
pub use reapply::reapply;
pub use select::Selector;
