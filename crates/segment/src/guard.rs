//! Where the Parquet reader is kept from taking the process with it.
//!
//! Not a parser: what is read and what it means is decided next door, in `segment` and `rows`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::SegmentError;

/// Runs a step of the Parquet reader on bytes that nobody vouches for.
///
/// The reader panics on some of them: before a module is authenticated its length is subtracted
/// from and sliced by (`encryption/ciphers.rs` of `parquet` 59). A damaged segment must be a
/// finding and never the end of the process, so a panic becomes [`SegmentError::Damaged`]. What the
/// step touched must not be used afterwards, hence the callers drop their reader on any error.
pub(crate) fn guarded<T>(
    step: impl FnOnce() -> Result<T, SegmentError>,
) -> Result<T, SegmentError> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|payload| Err(SegmentError::panicked(&*payload)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_damage_and_says_why() {
        let outcome = guarded::<()>(|| panic!("slice {} of {}", 1, 2));
        let said = outcome.unwrap_err().to_string();
        assert!(said.contains("slice 1 of 2"), "{said}");
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
    }
}
