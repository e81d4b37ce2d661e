//! The recorded systems that the demo plays, and what of them must never be sealed.
//!
//! They are the project's own test data (`testdata/README.md`), carried in the program.

use crate::failure::Failure;
use crate::writing::Writing;
use capture::{Captured, Format};
use event::Assurance;

macro_rules! testdata {
    ($($path:literal),* $(,)?) => {
        &[$(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/", $path))),*]
    };
}

/// One recorded system, as its own files.
pub(super) struct Source {
    /// For people.
    pub(super) name: &'static str,
    pub(super) format: Format,
    assurance: Assurance,
    pub(super) files: &'static [&'static [u8]],
}

/// Everything that is played, in this order.
pub(super) const SOURCES: &[Source] = &[
    Source {
        name: "A refund that went wrong (native events)",
        format: Format::Native,
        assurance: Assurance::Acknowledged,
        files: testdata!["incident/refund.ndjson"],
    },
    Source {
        name: "An agent with tools (OpenTelemetry traces)",
        format: Format::OtlpTracesProtobuf,
        assurance: Assurance::Imported,
        files: testdata!["otlp/traces.pb"],
    },
    Source {
        name: "An AG2 hub: audit log",
        format: Format::Ag2Audit,
        assurance: Assurance::Imported,
        files: testdata!["ag2/hub/audit.jsonl"],
    },
    Source {
        name: "An AG2 hub: telemetry",
        format: Format::Ag2Spans,
        assurance: Assurance::Imported,
        files: testdata!["ag2/hub/spans.jsonl"],
    },
    Source {
        name: "An AG2 hub: messages of five channels",
        format: Format::Ag2Wal,
        assurance: Assurance::Imported,
        files: testdata![
            "ag2/hub/wal-1.jsonl",
            "ag2/hub/wal-2.jsonl",
            "ag2/hub/wal-3.jsonl",
            "ag2/hub/wal-4.jsonl",
            "ag2/hub/wal-5.jsonl",
        ],
    },
];

/// Secrets and personal data that stand in the recordings: what they are, and their bytes.
pub(super) const PLANTED: &[(&str, &str)] = &[
    ("a provider's key", "sk-secret"),
    ("an API key", "sk-billing-9f86d081884c7d659a2feaa0c55ad015"),
    ("a bearer token", "tok_2b7e151628aed2a6abf7158809cf4f3c"),
    ("a card number", "4111 1111 1111 1111"),
    ("an e-mail address", "maria.keller@example.com"),
];

/// What became of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Played {
    pub(super) records: u64,
    pub(super) events: u64,
    pub(super) refused: u64,
    /// The first and the last index.
    pub(super) indexes: Option<(u64, u64)>,
    /// The trace of its first event that has one.
    pub(super) trace: Option<String>,
}

/// Seals a source, the way `append` and `import` do.
pub(super) fn play(writing: &Writing, source: &Source) -> Result<Played, Failure> {
    let mut played = Played::default();
    for bytes in source.files {
        let mut batch: Vec<Captured<'_>> = Vec::new();
        let each = &mut |captured| batch.push(captured);
        played.records += capture::capture(source.format, source.assurance, bytes, each)?.records;
        let mut events = batch.iter().filter_map(|captured| captured.outcome.as_ref().ok());
        if played.trace.is_none() {
            played.trace = events.find_map(|event| event.trace_id.as_deref().map(str::to_owned));
        }
        writing.submit(batch)?.land(&mut |answer| {
            match answer.result {
                Ok(accepted) => {
                    played.events += 1;
                    let (first, _) = played.indexes.unwrap_or((accepted.index, accepted.index));
                    played.indexes = Some((first, accepted.index));
                }
                Err(_) => played.refused += 1,
            }
            Ok(())
        })?;
    }
    Ok(played)
}

/// How often the planted texts stand in some bytes.
pub(super) fn planted_in(bytes: &[u8]) -> u64 {
    let count = |text: &str| memchr::memmem::find_iter(bytes, text.as_bytes()).count() as u64;
    PLANTED.iter().map(|(_, text)| count(text)).sum()
}
