//! Recordings as the records and the columns of a log.

use capture::Format;
use event::{Assurance, Kind, Record, Tier};
use query::{AsOf, Columns, Found, State};
use redact::{Policy, Redactor};
use segment::{ContentState, Row};
use std::path::Path;

/// Record times begin here, and are a second apart.
const BEGIN_MS: u64 = 1_793_629_381_000;

/// A file of a recording, and its format.
pub(crate) type Source = (Format, &'static str);

/// The events of some files, without their secrets, as records from index 1 on: the first is the
/// log's own, as it always is.
pub(crate) fn rows(sources: &[Source]) -> Vec<Row> {
    let redactor = Redactor::new(&Policy::default(), [7; 32]).unwrap();
    let own = br#"{"schema":"tachograph.event/1","event_type":"log.created"}"#;
    let mut rows = vec![row(0, Kind::Log, Tier::Critical, own, b"")];
    for (format, path) in sources {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(path);
        let bytes = std::fs::read(path).unwrap();
        capture::capture(*format, Assurance::Imported, &bytes, &mut |captured| {
            let Ok(event) = captured.outcome else { return };
            let tier = Tier::of(&event);
            let redacted = redactor.redact(event);
            let (mut meta, mut content) = (Vec::new(), Vec::new());
            redacted.get().write_meta(&mut meta);
            redacted.get().write_content(&mut content);
            rows.push(row(rows.len() as u64, Kind::Event, tier, &meta, &content));
        })
        .unwrap();
    }
    rows
}

/// One record.
pub(crate) fn row(index: u64, kind: Kind, tier: Tier, meta: &[u8], content: &[u8]) -> Row {
    let record = Record {
        kind,
        tier,
        time_ms: BEGIN_MS + index * 1_000,
        stream: [0; 16],
        sequence: 1,
        meta_salt: [1; 16],
        content_salt: [2; 16],
        meta,
        content,
    };
    Row::of(index, &record)
}

/// The same as a reader of the log finds them.
pub(crate) fn found(sources: &[Source]) -> Vec<Found<'static>> {
    let one = |row: Row| Found {
        index: row.index,
        recorded_at_ms: row.time_ms,
        tier: row.tier,
        kind: row.kind,
        leaf_hash: Some([row.index as u8; 32]),
        state: State::Present,
        meta: row.meta.into(),
        content: match row.content {
            ContentState::Present { bytes, .. } => bytes.into(),
            _ => Vec::new().into(),
        },
    };
    rows(sources).into_iter().map(one).collect()
}

/// Their columns, and the checkpoint that covers them.
pub(crate) fn log(rows: Vec<Row>) -> (Columns, AsOf) {
    let size = rows.last().map_or(0, |row| row.index + 1);
    let as_of = AsOf {
        origin: "log.example/main".to_owned(),
        size,
        root_hex: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
    };
    (Columns::new(Vec::new(), rows, size, 1 << 24).unwrap(), as_of)
}
