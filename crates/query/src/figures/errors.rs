//! Which errors there were: each class, at each agent.

use super::names::{Codes, Register};
use crate::columns::{Columns, NO_WORD, Question, field};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMillisecondType, TimestampNanosecondType};
use event::Timestamp;
use segment::SegmentError;
use serde::Serialize;

/// What [`error_analysis`] means.
pub const ERROR_ANALYSIS_SQL: &str = "\
SELECT error_type, agent_name, count(*) AS errors, \
       min(coalesce(timestamp, recorded_at)) AS first_seen, \
       max(coalesce(timestamp, recorded_at)) AS last_seen \
FROM events WHERE error_type IS NOT NULL \
GROUP BY error_type, agent_name ORDER BY errors DESC, error_type, agent_name NULLS FIRST";

/// One class of errors at one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorLine {
    /// The class.
    pub error_type: String,
    /// The agent, if the events name one.
    pub agent_name: Option<String>,
    /// Events.
    pub errors: u64,
    /// When the first happened: Unix nanoseconds.
    pub first_seen_ns: u64,
    /// When the last happened.
    pub last_seen_ns: u64,
}

impl ErrorLine {
    /// When the first happened.
    #[must_use]
    pub fn first_seen(&self) -> Timestamp {
        Timestamp(self.first_seen_ns)
    }

    /// When the last happened.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        Timestamp(self.last_seen_ns)
    }
}

#[derive(Clone, Copy)]
struct Counts {
    errors: u64,
    first: i64,
    last: i64,
}

const NONE: Counts = Counts { errors: 0, first: i64::MAX, last: i64::MIN };

impl Counts {
    fn add(&mut self, other: &Self) {
        self.errors += other.errors;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// A class, an agent, and what was counted.
type Found = (String, Option<String>, Counts);

/// Classes of errors by agent, most errors first.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn error_analysis(columns: &Columns) -> Result<Vec<ErrorLine>, SegmentError> {
    let question = columns.begin();
    let parts = columns.each(|chunk| part(columns, question, chunk))?;
    let mut register = Register::default();
    let mut keys: Vec<(String, Option<String>)> = Vec::new();
    let mut all: Vec<Counts> = Vec::new();
    for (class, agent, counts) in parts.into_iter().flatten() {
        // No name holds a line break that is not escaped; a pair is told apart by it.
        let key = format!("{class}\n{}\n{}", agent.is_some(), agent.as_deref().unwrap_or_default());
        let number = register.number(&key);
        if number == all.len() {
            all.push(NONE);
            keys.push((class, agent));
        }
        if let Some(sum) = all.get_mut(number) {
            sum.add(&counts);
        }
    }
    let time = |time: i64| u64::try_from(time).unwrap_or(0);
    let mut lines: Vec<ErrorLine> = keys
        .into_iter()
        .zip(all)
        .map(|((error_type, agent_name), counts)| ErrorLine {
            error_type,
            agent_name,
            errors: counts.errors,
            first_seen_ns: time(counts.first),
            last_seen_ns: time(counts.last),
        })
        .collect();
    lines.sort_by(|one, other| {
        let key = |line: &ErrorLine| (line.error_type.clone(), line.agent_name.clone());
        other.errors.cmp(&one.errors).then_with(|| key(one).cmp(&key(other)))
    });
    Ok(lines)
}

const FIELDS: [&str; 4] = ["error_type", "agent_name", "timestamp", "recorded_at"];

fn part(columns: &Columns, question: Question, chunk: usize) -> Result<Vec<Found>, SegmentError> {
    let wanted: Vec<_> = FIELDS.iter().filter_map(|name| field(name)).collect();
    let loaded = columns.columns(question, chunk, &wanted)?;
    let [class, agent, time, recorded] = loaded.as_slice() else { return Ok(Vec::new()) };
    let rows = columns.rows_in(chunk);
    let (class, agent) = (Codes::of(class, rows), Codes::of(agent, rows));
    let any = arrow_schema::DataType::Null;
    let (time, recorded) = (time.array(rows, &any), recorded.array(rows, &any));
    let time = time.as_primitive::<TimestampNanosecondType>();
    let recorded = recorded.as_primitive::<TimestampMillisecondType>();
    // One place more for those without an agent.
    let agents = agent.count() + 1;
    let mut counts = vec![NONE; class.count() * agents];
    for (row, code) in class.codes().iter().take(rows).enumerate().filter(|(_, c)| **c != NO_WORD) {
        let by = agent.codes().get(row).map_or(agents - 1, |code| usize::from(*code));
        let place = usize::from(*code) * agents + by.min(agents - 1);
        let at = if time.is_valid(row) {
            time.value(row)
        } else {
            recorded.value(row).saturating_mul(1_000_000)
        };
        if let Some(counts) = counts.get_mut(place) {
            counts.add(&Counts { errors: 1, first: at, last: at });
        }
    }
    let named = |(place, counts): (usize, Counts)| {
        let agent = agent.name(place % agents).map(str::to_owned);
        Some((class.name(place / agents)?.to_owned(), agent, counts))
    };
    let found = counts.into_iter().enumerate().filter(|(_, counts)| counts.errors > 0);
    Ok(found.filter_map(named).collect())
}
