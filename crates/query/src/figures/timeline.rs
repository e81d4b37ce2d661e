//! How busy a period was: its events in steps of equal length.

use super::period::{ENDS, Period, Sheet};
use crate::columns::{Columns, Question};
use event::Timestamp;
use segment::SegmentError;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

/// One step of a [`timeline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineStep {
    /// When it begins.
    pub begins: Timestamp,
    /// Events of agents.
    pub events: u64,
    /// Those that ended in an error or too late.
    pub errors: u64,
}

/// The events between two times, in so many steps, those without an event included. The last step
/// is as long as is left. Nothing for a period without a length.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn timeline(
    columns: &Columns,
    from: Timestamp,
    to: Timestamp,
    steps: NonZeroU32,
) -> Result<Vec<TimelineStep>, SegmentError> {
    let Some(length) = to.0.checked_sub(from.0).filter(|length| *length > 0) else {
        return Ok(Vec::new());
    };
    let width = length.div_ceil(u64::from(steps.get()));
    let mut line: Vec<TimelineStep> = (0..length.div_ceil(width))
        .map(|step| TimelineStep { begins: Timestamp(from.0 + step * width), events: 0, errors: 0 })
        .collect();
    let question = columns.begin();
    let period = Period { from: Some(from), to: Some(to) };
    let width = Duration::from_nanos(width);
    let parts = columns.each(|chunk| part(columns, question, chunk, &period, width))?;
    for (step, (events, errors)) in parts.into_iter().flatten() {
        if let Some(sum) = usize::try_from(step).ok().and_then(|step| line.get_mut(step)) {
            sum.events += events;
            sum.errors += errors;
        }
    }
    Ok(line)
}

/// Events and errors by the number of the step.
type Part = BTreeMap<u64, (u64, u64)>;

fn part(
    columns: &Columns,
    question: Question,
    chunk: usize,
    period: &Period,
    width: Duration,
) -> Result<Part, SegmentError> {
    let mut sheet = Sheet::open(columns, question, chunk, period, &ENDS)?;
    let mut part = Part::new();
    if sheet.is_empty() {
        return Ok(part);
    }
    let from = period.from.map_or(0, |from| from.0);
    let width = u64::try_from(width.as_nanos()).unwrap_or(u64::MAX).max(1);
    let statuses = sheet.statuses()?;
    for (picked, status) in sheet.picked.iter().zip(statuses.iter()) {
        let at = u64::try_from(picked.at).unwrap_or(0);
        let count = part.entry(at.saturating_sub(from) / width).or_default();
        *count = (count.0 + 1, count.1 + u64::from(status.is_error()));
    }
    Ok(part)
}
