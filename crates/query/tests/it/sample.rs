//! A small log: two segments of different tiers, and a tail.

use event::{Event, Kind, Record, Tier};
use keys::{KeyId, SecretKey, SystemEntropy};
use query::Columns;
use segment::{Row, Segment, SegmentWriter};
use std::sync::Arc;

pub(crate) const DAY_MS: u64 = 86_400_000;

const AGENTS: [&str; 3] = ["planner", "coder", "Ünïcode \u{1b}[31m"];
const TOOLS: [&str; 4] = ["web_search", "shell", "read_file", "send,\"mail\""];

/// The event with a number, as it is sent.
pub(crate) fn line(n: u64) -> String {
    let agent = AGENTS[usize::try_from(n % 3).unwrap()];
    let tool = TOOLS[usize::try_from(n % 4).unwrap()];
    let agent = serde_json::Value::from(agent).to_string();
    let action = serde_json::Value::from(format!("tool_call:{tool}")).to_string();
    let minute = n % 60;
    let hour = n / 60 % 24;
    let error = if n.is_multiple_of(10) {
        r#","error_type":"TimeoutError","error":"too slow""#
    } else {
        ""
    };
    let outcome = if n % 15 == 7 { r#","outcome":"failure""# } else { "" };
    let kind = if n % 5 == 4 { "agent.decision" } else { "agent.tool_call" };
    let duration = (n * 7919 % 1000) as f64 / 8.0;
    let time = if n % 11 == 3 {
        String::new()
    } else {
        format!(r#","timestamp":"2026-01-01T{hour:02}:{minute:02}:00Z""#)
    };
    format!(
        r#"{{"event_id":"e-{n:06}","event_type":"{kind}","agent_name":{agent},"trace_id":"t-{:04}","action":{action},"duration_ms":{duration}{time},"params":{{"n":{n},"deep":{{"list":[{n},"x"]}}}}{error}{outcome}}}"#,
        n / 10
    )
}

/// The record of an event, as a row.
pub(crate) fn row(n: u64) -> Row {
    let tier = if n.is_multiple_of(2) { Tier::Info } else { Tier::Compliance };
    row_of(n, tier, &line(n))
}

/// The record of what was sent, as a row.
pub(crate) fn row_of(n: u64, tier: Tier, line: &str) -> Row {
    let event = Event::from_json(line.as_bytes()).unwrap();
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    let record = Record {
        kind: Kind::Event,
        tier,
        time_ms: 20_454 * DAY_MS + n * 1000,
        stream: [0; 16],
        sequence: 1,
        meta_salt: [1; 16],
        content_salt: [2; 16],
        meta: &meta,
        content: &content,
    };
    Row::of(n, &record)
}

/// Rows as a segment.
pub(crate) fn segment(rows: &[Row]) -> Segment {
    let key = SecretKey::generate(&SystemEntropy::new()).unwrap();
    let mut file = Vec::new();
    let mut writer = SegmentWriter::new(&mut file, &key, KeyId::from_bytes([7; 16])).unwrap();
    for row in rows {
        writer.push_row(row).unwrap();
    }
    writer.finish().unwrap();
    Segment::open(file, &key).unwrap()
}

/// `count` records, two thirds of them in two segments, as of a checkpoint of `size`.
pub(crate) fn columns(count: u64, size: u64) -> Arc<Columns> {
    let mut rows: Vec<Row> = (0..count).map(row).collect();
    if let Some(row) = rows.get_mut(1) {
        assert!(row.erase_content());
    }
    let tail = rows.split_off(rows.len() * 2 / 3);
    let (even, odd): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.index.is_multiple_of(2));
    let segments =
        [even, odd].into_iter().filter(|rows| !rows.is_empty()).map(|rows| segment(&rows));
    Arc::new(Columns::new(segments.collect(), tail, size, 32 << 20).unwrap())
}
