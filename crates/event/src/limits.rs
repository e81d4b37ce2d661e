//! Every limit on an event, with its unit and the reason for the number.
//!
//! Not here: limits on requests and batches in transit (the server's) and on files (`store`).

/// One event as sent, inflated, in bytes. Large tool results belong in the producer's own store,
/// with a reference here; a mebibyte holds 1,500 average events' worth of text (620 bytes each).
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// Nesting of arrays and objects, the event's own object included. Deeper input is an attack or a
/// bug: the deepest real capture that was measured nests 9 levels.
pub const NESTING_MAX: usize = 64;

/// Events in one batch. With [`BATCH_BYTES_MAX`] it bounds what one acknowledgement can cover.
pub const BATCH_EVENTS_MAX: usize = 10_000;

/// Bytes of one batch, inflated: 10,000 events of 620 bytes, five times over.
pub const BATCH_BYTES_MAX: usize = 32 << 20;

/// An event id in bytes: a UUID is 36, two joined span and trace ids with a suffix about 60.
pub const EVENT_ID_BYTES_MAX: usize = 128;

/// An event type in bytes: the longest of ours is 25.
pub const EVENT_TYPE_BYTES_MAX: usize = 128;

/// Any other metadata string in bytes (names, ids, actions): they are indexed, so they stay short.
pub const TEXT_BYTES_MAX: usize = 4096;

/// Items in `caused_by`, `tags` and `redactions` each.
pub const LIST_ITEMS_MAX: usize = 256;
