//! RFC 6962 hashes, tiles and proofs.
