//! Bytes at rest: the journal, immutable objects, the published head.
