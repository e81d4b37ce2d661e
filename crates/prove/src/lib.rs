//! Evidence: build it, and check it offline with a public key alone.
