//! Who was busy when: events by agent and hour.

use super::names::Codes;
use crate::columns::{Columns, NO_WORD, Question, field};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMillisecondType, TimestampNanosecondType};
use event::Timestamp;
use segment::SegmentError;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What [`activity_by_hour`] means.
pub const ACTIVITY_BY_HOUR_SQL: &str = "\
SELECT agent_name, date_trunc('hour', coalesce(timestamp, recorded_at)) AS hour, \
       count(*) AS events \
FROM events WHERE agent_name IS NOT NULL \
GROUP BY agent_name, hour ORDER BY agent_name, hour";

/// One agent in one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HourLine {
    /// The agent.
    pub agent_name: String,
    /// The hour (UTC), as hours since 1970.
    pub hour: u64,
    /// Its events.
    pub events: u64,
}

impl HourLine {
    /// When the hour began.
    #[must_use]
    pub fn begins(&self) -> Timestamp {
        Timestamp(self.hour.saturating_mul(HOUR_NS.unsigned_abs()))
    }
}

const HOUR_NS: i64 = 3_600_000_000_000;

/// Events by agent and hour, in the order of both.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn activity_by_hour(columns: &Columns) -> Result<Vec<HourLine>, SegmentError> {
    let question = columns.begin();
    let parts = columns.each(|chunk| part(columns, question, chunk))?;
    let mut all: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for (agent, hour, events) in parts.into_iter().flatten() {
        *all.entry((agent, hour)).or_default() += events;
    }
    let line = |((agent_name, hour), events): ((String, i64), u64)| HourLine {
        agent_name,
        hour: u64::try_from(hour).unwrap_or(0),
        events,
    };
    Ok(all.into_iter().map(line).collect())
}

const FIELDS: [&str; 3] = ["agent_name", "timestamp", "recorded_at"];

/// Hours that a chunk usually spans at most; others are counted apart.
const HOURS_DENSE: usize = 48;

fn part(
    columns: &Columns,
    question: Question,
    chunk: usize,
) -> Result<Vec<(String, i64, u64)>, SegmentError> {
    let wanted: Vec<_> = FIELDS.iter().filter_map(|name| field(name)).collect();
    let loaded = columns.columns(question, chunk, &wanted)?;
    let [agent, time, recorded] = loaded.as_slice() else { return Ok(Vec::new()) };
    let rows = columns.rows_in(chunk);
    let agent = Codes::of(agent, rows);
    let any = arrow_schema::DataType::Null;
    let (time, recorded) = (time.array(rows, &any), recorded.array(rows, &any));
    let time = time.as_primitive::<TimestampNanosecondType>();
    let recorded = recorded.as_primitive::<TimestampMillisecondType>();
    let hour_of = |row: usize| {
        let at = if time.is_valid(row) {
            time.value(row)
        } else {
            recorded.value(row).saturating_mul(1_000_000)
        };
        at.div_euclid(HOUR_NS)
    };
    let base = if rows > 0 { hour_of(0).saturating_sub(HOURS_DENSE as i64 / 2) } else { 0 };
    let mut dense = vec![0_u64; agent.count() * HOURS_DENSE];
    let mut sparse: HashMap<(u16, i64), u64> = HashMap::new();
    for (row, code) in agent.codes().iter().take(rows).enumerate().filter(|(_, c)| **c != NO_WORD) {
        let hour = hour_of(row);
        let within = usize::try_from(hour - base).ok().filter(|within| *within < HOURS_DENSE);
        let slot = within.and_then(|w| dense.get_mut(usize::from(*code) * HOURS_DENSE + w));
        match slot {
            Some(count) => *count += 1,
            None => *sparse.entry((*code, hour)).or_default() += 1,
        }
    }
    let mut found = Vec::new();
    for (place, count) in dense.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let name = agent.name(place / HOURS_DENSE).unwrap_or_default();
        found.push((name.to_owned(), base + (place % HOURS_DENSE) as i64, count));
    }
    for ((code, hour), count) in sparse {
        let name = agent.name(usize::from(code)).unwrap_or_default();
        found.push((name.to_owned(), hour, count));
    }
    Ok(found)
}
