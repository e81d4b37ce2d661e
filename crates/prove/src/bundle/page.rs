//! What a page in a browser shows of a bundle: the answer of the check, and what was checked. Every
//! text in it is untrusted; the page writes texts and never markup.

use super::check::{CheckedBundle, CheckedRecord, FigureFault, Holds, event_of, verify_bundle};
use super::figures::Figures;
use super::{Absent, BundleRecord, Subject};
use crate::report::{Finding, FindingKind, Report};
use crate::trust::Trust;
use checkpoint::VerifierKey;
use event::{Status, Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The answer.
#[derive(Serialize)]
struct Page<'b> {
    report: &'b Report,
    subject: Option<&'b Subject>,
    keys: Vec<Key>,
    /// Whether the reader said which key to expect.
    is_pinned: bool,
    stated: Option<&'b Figures>,
    counted: Option<&'b Figures>,
    figure_faults: &'b [FigureFault],
    records: Vec<Row<'b>>,
}

#[derive(Serialize)]
struct Key {
    vkey: String,
    fingerprint: String,
}

/// A line of the timeline.
#[derive(Default, Serialize)]
struct Row<'b> {
    index: u64,
    state: &'static str,
    why: String,
    recorded_at: Option<String>,
    at: Option<String>,
    event_type: String,
    event_id: Option<String>,
    agent: Option<String>,
    action: Option<String>,
    tool: Option<String>,
    status: &'static str,
    is_error: bool,
    duration_ms: Option<f64>,
    error: Option<String>,
    meta: &'b str,
    content: Option<&'b str>,
    is_content_withheld: bool,
}

/// The fingerprint of a verifier key: the SHA-256 of its text, in hexadecimal.
#[must_use]
pub fn fingerprint(vkey: &str) -> String {
    hex::encode(Sha256::digest(vkey.as_bytes()))
}

/// Checks the text of a bundle for a reader who expects a key, given as a vkey or as a
/// [`fingerprint`], or who gives nothing: the answer as JSON.
#[must_use]
pub fn check_page(json: &[u8], expected: &str) -> String {
    let unpinned = verify_bundle(json, &Trust::default());
    let expected: String = expected.split_whitespace().collect();
    let checked = match expected.is_empty() {
        true => unpinned,
        false => match expected_key(&expected, &unpinned) {
            Ok(key) => verify_bundle(json, &Trust::pin(key)),
            Err(detail) => {
                let mut wrong = unpinned;
                wrong.report.add(Finding::of_file(FindingKind::Signature, "keys", detail));
                wrong
            }
        },
    };
    let page = Page {
        report: &checked.report,
        subject: checked.bundle.as_ref().map(|bundle| &bundle.subject),
        keys: keys(&checked),
        is_pinned: !expected.is_empty(),
        stated: checked.bundle.as_ref().map(|bundle| &bundle.figures),
        counted: checked.counted.as_ref(),
        figure_faults: &checked.figure_faults,
        records: rows(&checked),
    };
    // A structure of plain texts and numbers has no way to fail.
    serde_json::to_string(&page).unwrap_or_default()
}

/// The keys that the bundle shows: the first ones, then those that took over.
fn keys(checked: &CheckedBundle) -> Vec<Key> {
    let mut vkeys: Vec<&String> = checked.bundle.iter().flat_map(|it| &it.vkeys).collect();
    for vkey in checked.report.epochs.iter().flat_map(|epoch| &epoch.vkeys) {
        if !vkeys.contains(&vkey) {
            vkeys.push(vkey);
        }
    }
    let key = |vkey: &String| Key { vkey: vkey.clone(), fingerprint: fingerprint(vkey) };
    vkeys.into_iter().map(key).collect()
}

/// The key that a reader means.
fn expected_key(expected: &str, checked: &CheckedBundle) -> Result<VerifierKey, String> {
    if expected.contains('+') {
        return expected.parse().map_err(|error| format!("the expected key is not one: {error}"));
    }
    let plain = expected.to_ascii_lowercase().replace(':', "");
    let wanted = plain.strip_prefix("sha256").unwrap_or(&plain);
    if wanted.len() != 64 || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("what you expect is neither a key nor a fingerprint of 64 digits".to_owned());
    }
    let keys = keys(checked);
    let key = keys.iter().find(|key| key.fingerprint == wanted);
    let key = key.ok_or_else(|| {
        "no key in the bundle has the expected fingerprint: it is of another log, or was made by \
         somebody else"
            .to_owned()
    })?;
    key.vkey.parse().map_err(|error| format!("the key in the bundle is not one: {error}"))
}

fn rows(checked: &CheckedBundle) -> Vec<Row<'_>> {
    let records = checked.bundle.iter().flat_map(|bundle| &bundle.records);
    records.zip(&checked.records).map(|(record, checked)| row(record, checked)).collect()
}

fn row<'b>(record: &'b BundleRecord, checked: &'b CheckedRecord) -> Row<'b> {
    let (state, why) = match &checked.holds {
        Holds::Yes => ("holds", String::new()),
        Holds::NotShown(Absent::Other) => ("absent", "belongs to something else".to_owned()),
        Holds::NotShown(Absent::Removed) => ("absent", "was removed from the log".to_owned()),
        Holds::No(why) => ("fails", why.clone()),
    };
    let time = |ms| Timestamp::from_milliseconds(ms).to_string();
    let recorded_at = checked.entry.map(|entry| time(entry.time_ms));
    let row = Row { index: record.index, state, why, recorded_at, ..Row::default() };
    let Some(shown) = &record.record else { return row };
    let row = Row {
        meta: &shown.meta,
        content: shown.content.as_deref(),
        is_content_withheld: shown.content_commitment.is_some(),
        ..row
    };
    let Ok(event) = event_of(shown) else { return row };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let status = Status::of(&event);
    Row {
        at: event.timestamp.map(|at| at.to_string()),
        event_type: event.event_type.to_string(),
        event_id: owned(event.event_id.as_deref()),
        agent: owned(event.agent_name.as_deref().or(event.agent_id.as_deref())),
        action: owned(event.action.as_deref()),
        tool: owned(event.tool_name()),
        status: status.as_str(),
        is_error: status.is_error(),
        duration_ms: event.duration_ms,
        error: owned(event.error_type.as_deref()),
        ..row
    }
}
