//! How long clients may take, and how many of them there may be.
//!
//! What a request may hold is next to where it is read (`body.rs`). Tests make these smaller, so
//! that they need not wait.

use std::time::Duration;

/// What one client may cost the others.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time; the next ones wait until one ends.
    pub connections: usize,
    /// A connection that has sent no whole request head within this time is closed, between
    /// requests too.
    pub head: Duration,
    /// A TLS handshake takes no longer.
    pub handshake: Duration,
    /// A body has to arrive within this time, however slowly its sender writes.
    pub body: Duration,
    /// A connection that takes nothing of what is written to it for this long is closed; a stream
    /// of HTTP/2 that takes nothing of its answer ends.
    pub write: Duration,
    /// A request is answered within this time, or not at all.
    pub answer: Duration,
    /// Requests at the same time, until their answers are taken: each takes some KiB, whatever it
    /// asks, and one connection of HTTP/2 may have a hundred.
    pub requests: usize,
    /// Bytes of answers that were not taken yet, all together: two of the largest pages.
    pub answer_bytes: usize,
    /// The same of one connection, so that nobody alone can take it all.
    pub connection_answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            head: Duration::from_secs(15),
            handshake: Duration::from_secs(10),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            answer: Duration::from_secs(120),
            requests: 8_192,
            answer_bytes: 32 << 20,
            connection_answer_bytes: 16 << 20,
        }
    }
}
