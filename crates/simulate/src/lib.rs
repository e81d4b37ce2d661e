//! Tests only: seeded clock, storage faults and crashes against the real writer.
