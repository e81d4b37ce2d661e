//! What real frameworks wrote when nothing was wrong: no shipped rule finds anything in it.

use super::{Stored, hits, names, stored};
use capture::{Format, capture};
use detect::shipped;
use event::Assurance;
use std::path::{Path, PathBuf};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

fn records(format: Format, path: &Path, records: &mut Vec<Stored>) {
    let bytes = std::fs::read(path).unwrap();
    let captured = capture(format, Assurance::Imported, &bytes, &mut |captured| {
        if let Ok(event) = captured.outcome {
            records.push(stored(event, super::START_MS));
        }
    });
    captured.unwrap();
}

/// Files below a folder whose names end so.
fn below(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.to_string_lossy().ends_with(end) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_shipped_rule_fires_on_what_frameworks_wrote() {
    let data = testdata();
    let mut files = vec![
        (Format::Native, data.join("incident/refund.ndjson")),
        (Format::OtlpTracesProtobuf, data.join("otlp/traces.pb")),
        (Format::OtlpLogsProtobuf, data.join("otlp/logs.pb")),
        (Format::Ag2Audit, data.join("ag2/hub/audit.jsonl")),
        (Format::Ag2Spans, data.join("ag2/hub/spans.jsonl")),
    ];
    let logs = data.join("otlp/logs.json");
    files.extend([data.join("otlp/traces.json"), logs].map(|path| (Format::OtlpJson, path)));
    files.extend(
        below(&data.join("otlp/generations"), ".json").into_iter().map(|it| (Format::OtlpJson, it)),
    );
    files.extend(
        below(&data.join("forensic"), ".log").into_iter().map(|it| (Format::ForensicLog, it)),
    );
    files.extend(below(&data.join("ag2/hub"), ".jsonl").into_iter().filter_map(|path| {
        path.to_string_lossy().contains("wal-").then_some((Format::Ag2Wal, path))
    }));
    let mut count = 0;
    for (format, path) in files {
        let mut all = Vec::new();
        records(format, &path, &mut all);
        assert!(!all.is_empty(), "{}", path.display());
        count += all.len();
        let hits = hits(shipped(&[]).unwrap(), &all);
        assert_eq!(names(&hits), Vec::<&str>::new(), "{}: {hits:#?}", path.display());
    }
    assert!(count > 100, "{count}");
}
