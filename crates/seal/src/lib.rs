//! The writer: batch, index, chain, commit, publish, recover.
