//! When the last event of a period happened, without looking at all of them.

use super::period::{Period, Sheet};
use crate::columns::Columns;
use event::Timestamp;
use segment::SegmentError;
use std::sync::atomic::{AtomicI64, Ordering};

/// When the last event of a period happened; `None` where there is none.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn last_event(columns: &Columns, period: &Period) -> Result<Option<Timestamp>, SegmentError> {
    let (question, chunks) = (columns.begin(), columns.chunk_count());
    let latest = AtomicI64::new(i64::MIN);
    // The newest records first: once the last event is known, footers say of nearly all others
    // that they are earlier.
    columns.each(|before| {
        let chunk = chunks.saturating_sub(before + 1);
        let times = columns.times_of(chunk);
        if times.is_some_and(|(_, last)| last <= latest.load(Ordering::Relaxed)) {
            return Ok(());
        }
        let sheet = Sheet::open(columns, question, chunk, period, &[])?;
        if let Some(last) = sheet.picked.iter().map(|picked| picked.at).max() {
            latest.fetch_max(last, Ordering::Relaxed);
        }
        Ok(())
    })?;
    let latest = latest.into_inner();
    Ok((latest != i64::MIN).then(|| Timestamp(u64::try_from(latest).unwrap_or(0))))
}
