//! Every report of every recording in every format, kept in `tests/golden`; `UPDATE_GOLDEN=1`
//! rewrites them. A PDF is kept as what its pages show and where (`pdf.rs`).

use crate::pdf::drawn;
use crate::recordings::{Source, found, log, rows};
use crate::records::as_of;
use capture::Format;
use query::figures::Period;
use query::render::{Style, View};
use report::document::{self, Document};
use report::packs::{self, Outside, Pack};
use report::reports::{Name, Report, Settings, Subject, make};
use std::path::Path;

const INCIDENT: &[Source] = &[(Format::Native, "incident/refund.ndjson")];
const OTLP: &[Source] =
    &[(Format::OtlpTracesProtobuf, "otlp/traces.pb"), (Format::OtlpLogsProtobuf, "otlp/logs.pb")];
const AG2: &[Source] = &[
    (Format::Ag2Audit, "ag2/hub/audit.jsonl"),
    (Format::Ag2Spans, "ag2/hub/spans.jsonl"),
    (Format::Ag2Wal, "ag2/hub/wal-2.jsonl"),
    (Format::Ag2Wal, "ag2/hub/wal-3.jsonl"),
];

fn settings() -> Settings {
    let text = r#"{
        "prices": {"currency": "USD", "models": [
            {"model": "gpt-4o*", "input": "2.50", "output": "10.00", "cache_read": "1.25"},
            {"model": "*", "input": "1", "output": "4"}]},
        "thresholds": {"timeouts": 1},
        "budget": {"tokens_per_day": 6000},
        "approvals": {"tools": ["process_refund"]}
    }"#;
    let settings: Settings = serde_json::from_str(text).unwrap();
    settings.check().unwrap();
    settings
}

fn report(name: Name, sources: &[Source]) -> Report {
    let (columns, as_of) = log(rows(sources));
    let subject = Subject {
        columns: &columns,
        as_of: &as_of,
        period: Period::default(),
        shows_content: true,
        shows_access_records: true,
    };
    make(name, &subject, &settings()).unwrap()
}

/// Holds a text against its golden file.
pub(crate) fn check(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "{file}, line {}; UPDATE_GOLDEN=1 accepts it", number + 1);
    }
    assert_eq!(found, wanted, "{file}; UPDATE_GOLDEN=1 accepts it");
}

/// Holds a document in every format against golden files of this name.
pub(crate) fn check_document(name: &str, document: &Document, json: &str) {
    let file = |end: &str| format!("{name}.{end}");
    check(&file("json"), json);
    check(&file("md"), &document::markdown(document));
    check(&file("html"), &document::html(document));
    let view = View { width: 100, style: Style::Plain };
    check(&file("txt"), &document::text(document, view));
    let pdf = document::pdf(document);
    assert_eq!(pdf, document::pdf(document), "{name}");
    check(&file("pdf.txt"), &drawn(&pdf));
}

fn every_format(recording: &str, sources: &[Source]) {
    for name in Name::ALL {
        let Report { document, json } = report(name, sources);
        let file = format!("{recording}/{}", name.as_str());
        check_document(&file, &document, &json);
        check(&format!("{file}.csv"), &document::csv(&document, None).unwrap_or_default());
    }
    let found = found(sources);
    let as_of = as_of(found.len() as u64);
    for name in ["governance", "eu-ai-act"] {
        let pack = Pack::shipped(name).unwrap();
        let answers = packs::check(&pack, &found, &as_of, &Outside::default());
        let (document, json) = (packs::document(&answers), document::json(&answers));
        let file = format!("{recording}/compliance-{name}");
        check_document(&file, &document, &json);
        check(&format!("{file}.csv"), &document::csv(&document, None).unwrap_or_default());
    }
}

#[test]
fn reports_of_the_incident() {
    every_format("incident", INCIDENT);
}

#[test]
fn reports_of_the_otlp_recording() {
    every_format("otlp", OTLP);
}

#[test]
fn reports_of_the_ag2_recording() {
    every_format("ag2", AG2);
}

#[test]
fn reports_of_an_empty_log() {
    every_format("empty", &[]);
}
