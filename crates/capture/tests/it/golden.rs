//! Recorded files and the events they make, byte for byte; `UPDATE_GOLDEN=1` rewrites the
//! expectations.

use super::{all, content, meta, testdata};
use capture::Format;
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// One line for every captured record, and the summary at the end.
fn rendered(format: Format, bytes: &[u8]) -> String {
    let (captured, summary) = all(format, bytes);
    let mut text = String::new();
    for one in captured {
        let line = one.line;
        match one.outcome {
            Ok(event) => {
                let content = Some(content(&event)).filter(|c| !c.is_empty()).unwrap_or("null".into());
                writeln!(text, "{{\"line\":{line},\"meta\":{},\"content\":{content}}}", meta(&event))
            }
            Err(error) => {
                let refused = json!({"line": line, "refused": error.code.as_str(), "field": error.field, "reason": error.reason});
                writeln!(text, "{refused}")
            }
        }
        .expect("writing to a string");
    }
    let counts = json!({"records": summary.records, "events": summary.events, "refused": summary.refused, "unmapped": summary.unmapped_fields});
    text + &counts.to_string() + "\n"
}

fn check(name: &str, format: Format, path: &str) {
    let found = rendered(format, &testdata(path));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.ndjson"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, found).expect("the golden file can be written");
        return;
    }
    let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "{name}, line {}; UPDATE_GOLDEN=1 accepts it", number + 1);
    }
    assert_eq!(found.lines().count(), wanted.lines().count(), "{name}; UPDATE_GOLDEN=1 accepts it");
}

macro_rules! golden {
    ($($name:ident: $format:ident $path:literal;)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), Format::$format, $path);
        })*
    };
}

golden! {
    native_incident: Native "incident/refund.ndjson";
    native_bad_lines: Native "bad/one-of-each-small.ndjson";
    ag2_audit: Ag2Audit "ag2/hub/audit.jsonl";
    ag2_wal_consulting: Ag2Wal "ag2/hub/wal-1.jsonl";
    ag2_wal_workflow: Ag2Wal "ag2/hub/wal-2.jsonl";
    ag2_wal_failed: Ag2Wal "ag2/hub/wal-3.jsonl";
    ag2_spans: Ag2Spans "ag2/hub/spans.jsonl";
    forensic_log: ForensicLog "forensic/forensics_SeniorCoder.log";
    otlp_traces: OtlpTracesProtobuf "otlp/traces.pb";
    otlp_logs: OtlpLogsProtobuf "otlp/logs.pb";
    gen_ai_1_27: OtlpJson "otlp/generations/gen_ai-1.27.json";
    gen_ai_1_36: OtlpJson "otlp/generations/gen_ai-1.36.json";
    gen_ai_1_36_logs: OtlpJson "otlp/generations/gen_ai-1.36.logs.json";
    gen_ai_1_37: OtlpJson "otlp/generations/gen_ai-1.37.json";
    openinference: OtlpJson "otlp/generations/openinference.json";
    openllmetry: OtlpJson "otlp/generations/openllmetry.json";
    crewai: OtlpJson "otlp/generations/crewai.json";
    mcp: OtlpJson "otlp/generations/mcp.json";
}
