//! The log's own records of who read what and who was refused, which not everybody may read.
//!
//! Whoever may not does not find them, whatever is asked: they are not in an answer, and not
//! counted in one. That a record is there, everybody sees in the public log, and its proof is
//! everybody's; neither says what kind of record it is.

use crate::found::Found;
use event::{Event, Kind, types};
use memchr::memmem;

/// Their types.
pub(crate) const TYPES: [&str; 4] =
    [types::LOG_ACCESS, types::LOG_DENIED, types::LOG_EXPORT, types::LOG_LOGIN_REFUSED];

/// Whether a record is one of them.
#[must_use]
pub fn is_access_record(found: &Found<'_>) -> bool {
    let names_one =
        || TYPES.iter().any(|name| memmem::find(&found.meta, name.as_bytes()).is_some());
    found.kind == Kind::Log
        && names_one()
        && Event::from_stored(&found.meta, &[])
            // What does not read may be one.
            .map_or(true, |event| TYPES.contains(&&*event.event_type))
}
