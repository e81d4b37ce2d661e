//! Holds, erasure and expiry as people meet them, and as `verify` tells them from loss.

use crate::program::{Home, json_lines};
use crate::rolled::{DAY_MS, append, check, check_with, fresh, kek};
use event::{Principal, Scope};
use prove::{FindingKind, Report, Verdict};
use retain::{Erasure, Policy, Selector};
use seal::Writer;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use store::MemoryFolder;

type Files = BTreeMap<String, Vec<u8>>;

fn erase(writer: &mut Writer, event: &str, scope: Scope) -> u64 {
    let selector = Selector { event: Some(event.to_owned()), ..Selector::default() };
    let (reason, by) = ("asked for".to_owned(), Principal::default());
    let erasure = Erasure { selector, scope, reason, ground: None, by };
    retain::erase(writer, &erasure, &Policy::default(), 0).unwrap().authority
}

/// A log of which a content, a record and a whole day of a tier are gone. Returns the indexes of
/// the records that announced the first two.
pub(crate) fn removed() -> (Files, [u64; 2]) {
    let memory = MemoryFolder::default();
    let (mut writer, clock) = fresh(&memory);
    append(&mut writer, 0..10);
    let content = erase(&mut writer, "e-0", Scope::Content) + 1;
    let record = erase(&mut writer, "e-2", Scope::Record) + 1;
    let now_ms = (20_000 + 31) * DAY_MS;
    clock.0.store(now_ms, Ordering::Relaxed);
    append(&mut writer, 10..20);
    let old = Policy::default().with(event::Tier::Compliance, 20).unwrap();
    // The decisions of the first day, not its tool calls.
    let policy = old.with(event::Tier::Info, 100).unwrap();
    retain::expire(&mut writer, &policy, now_ms, &Principal::default()).unwrap();
    writer.settle_tail().unwrap();
    writer.close().unwrap();
    (memory.snapshot(), [content, record])
}

fn assert_sound(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
}

#[test]
fn what_was_removed_by_authority_is_no_fault_and_the_authority_is_named() {
    let (files, [content, record]) = removed();
    let report = check(&files);
    assert_sound(&report);
    let counts = report.counts;
    assert_eq!((counts.content_erased, counts.erased, counts.expired), (1, 1, 5));
    let told: Vec<_> = report.removals.iter().map(|it| (it.index, it.state, it.count)).collect();
    assert_eq!(told[..2], [(content, "content-erased", 1), (record, "erased", 1)]);
    assert_eq!((told[2].1, told[2].2, told.len()), ("expired", 5, 3));
    let public = check_with(&files, None);
    assert!(public.findings().iter().all(|it| it.kind == FindingKind::Unassessed), "{public:?}");
}

#[test]
fn a_removal_that_the_log_did_not_announce_is_loss() {
    let (files, [content, record]) = removed();
    for index in [content, record] {
        let mut files = files.clone();
        files.remove(&segment::ledger_path(index)).unwrap();
        let report = check(&files);
        assert_eq!(report.verdict(), Verdict::Tampered);
        let lost = report.findings().iter().filter(|it| it.kind == FindingKind::Missing);
        assert!(lost.count() >= 1, "{}", report.to_json());
        assert_eq!(report.counts.missing, 1);
    }
    // A document that says more than the log said.
    let mut files = files;
    let document = files.get_mut(&segment::ledger_path(record)).unwrap();
    let more = String::from_utf8(document.clone()).unwrap().replacen("[[", "[[0,1],[", 1);
    assert_ne!(more.as_bytes(), document.as_slice());
    *document = more.into_bytes();
    let report = check(&files);
    assert_eq!(report.verdict(), Verdict::Tampered);
    assert!(report.findings().iter().any(|it| it.index == Some(record)), "{}", report.to_json());
}

#[test]
fn a_segment_that_is_gone_is_no_expiry() {
    let (files, _) = removed();
    let segments = files.keys().filter(|path| path.starts_with("segments/"));
    for path in segments {
        let mut files = files.clone();
        files.remove(path).unwrap();
        for key in [Some(kek()), None] {
            let report = check_with(&files, key.as_deref());
            assert_eq!(report.verdict(), Verdict::Tampered, "{path}");
            let named = |it: &&prove::Finding| it.kind == FindingKind::Missing && it.file == *path;
            assert!(report.findings().iter().any(|it| named(&it)), "{}", report.to_json());
        }
    }
}

#[test]
fn an_old_segment_put_back_is_a_leftover_and_in_the_place_of_the_new_one_it_is_found() {
    let memory = MemoryFolder::default();
    let (mut writer, _) = fresh(&memory);
    append(&mut writer, 0..10);
    writer.settle_tail().unwrap();
    let before = memory.snapshot();
    erase(&mut writer, "e-0", Scope::Record);
    writer.close().unwrap();
    let mut files = memory.snapshot();
    assert_sound(&check(&files));
    for (path, bytes) in before.iter().filter(|(path, _)| path.starts_with("segments/")) {
        files.entry(path.clone()).or_insert_with(|| bytes.clone());
    }
    // The replaced one is one that a crash may leave behind: its key is gone, so nobody reads it.
    let report = check(&files);
    assert_sound(&report);
    assert_eq!((report.counts.erased, report.counts.missing), (1, 0), "{}", report.to_json());
    // In the place of the one that took its place it is found out, with what is gone by it.
    let segments = |files: &Files, but: &Files| -> Vec<String> {
        let of_segments = files.keys().filter(|path| path.starts_with("segments/"));
        of_segments.filter(|path| !but.contains_key(*path)).cloned().collect()
    };
    let mut files = memory.snapshot();
    let (old, new) = (segments(&before, &files), segments(&files, &before));
    let new = new.iter().find(|path| path.contains("tier=info")).unwrap();
    files.insert(new.clone(), before[&old[0]].clone());
    let report = check(&files);
    assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
    let named = |it: &prove::Finding| it.kind == FindingKind::Corrupt && it.file == *new;
    assert!(report.findings().iter().any(named), "{}", report.to_json());
    assert!(report.findings().iter().any(|it| it.index.is_some()), "{}", report.to_json());
}

#[test]
fn erase_is_refused_under_a_hold_and_done_without() {
    let home = Home::new();
    let events = (0..6).map(|n| {
        format!(
            r#"{{"event_type":"agent.tool_call","event_id":"e-{n}","session_id":"s-{}","tool":"lookup","params":{{"note":"canary-{}"}}}}"#,
            n % 2, n % 2
        )
    });
    let lines: Vec<String> = events.collect();
    home.feed(&["append"], lines.join("\n").as_bytes());
    let reason = ["--reason", "asked for"];
    let erase = [&["erase", "--session", "s-1", "--scope", "content"][..], &reason].concat();
    let added = home.fine(&[&["hold", "add", "--session", "s-1"][..], &reason].concat());
    let refused = home.run(&erase);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains(added.trim()), "{}", refused.err);
    let listed = home.fine(&["hold", "list", "--format", "ndjson"]);
    assert_eq!(json_lines(&listed)[0]["select"]["session"], "s-1");
    let own = home.fine(&["events", "--type", "log.refused", "--format", "ndjson"]);
    assert_eq!(json_lines(&own)[0]["content"]["params"]["act"], "erase");
    home.fine(&[&["hold", "release", added.trim()][..], &reason].concat());
    let done = home.fine(&[&erase[..], &["--format", "json"]].concat());
    assert_eq!(json_lines(&done)[0]["records"], 3);
    let authority = json_lines(&done)[0]["record"].as_u64().unwrap();
    let verified = home.fine(&["verify", "--format", "json"]);
    assert_eq!(json_lines(&verified)[0]["counts"]["content_erased"], 3);
    let told = home.fine(&["verify"]);
    let announced = format!("3 content-erased, as record {} announces", authority + 1);
    assert!(told.contains(&announced), "{told}");
    let left = home.fine(&["events", "--session", "s-1", "--format", "ndjson"]);
    let left = json_lines(&left);
    assert_eq!(left.len(), 3, "the metadata still counts");
    assert!(left.iter().all(|it| it["state"] == "content-erased" && it["tool"] == "lookup"));
    let all = home.fine(&["events", "--limit", "0", "--format", "ndjson"]);
    assert!(!all.contains("canary-1") && all.contains("canary-0"), "{all}");
    let plan = home.fine(&["retention", "plan", "--format", "json"]);
    let plan = &json_lines(&plan)[0];
    assert_eq!(plan["policy"]["days"]["info"], 30);
    assert!(plan["classes"].as_array().unwrap().iter().all(|it| it["going"] == 0), "{plan}");
    let applied = home.fine(&["retention", "apply", "--format", "json"]);
    assert_eq!(json_lines(&applied)[0]["records"], 0);
    let minimum = [&["erase", "--session", "s-0", "--scope", "record"][..], &reason].concat();
    let minimum = home.run(&[&minimum[..], &["--profile", "hipaa"]].concat());
    assert_eq!(minimum.code, 3, "{}", minimum.err);
    assert_eq!(home.run(&["erase", "--scope", "record", "--reason", "x"]).code, 2);
    home.fine(&["verify"]);
}

/// Whether a text stands in a file below a folder of the home, in clear.
fn is_below(home: &Home, folder: &str, text: &str) -> bool {
    let files = home.files(folder);
    files.values().any(|bytes| bytes.windows(text.len()).any(|it| it == text.as_bytes()))
}

#[test]
fn what_was_erased_is_gone_within_a_minute_and_counts_as_before_while_an_old_copy_keeps_it_shut() {
    let home = Home::new();
    let line = |n: u64| {
        format!(
            "{{\"event_type\":\"agent.tool_call\",\"event_id\":\"e-{n}\",\"session_id\":\"s-{}\",\
             \"tool\":\"lookup-{}\",\"params\":{{\"note\":\"canary{}\"}}}}\n",
            n % 2,
            n % 3,
            n % 2
        )
    };
    let lines: String = (0..60).map(line).collect();
    assert_eq!(home.feed(&["append"], lines.as_bytes()).code, 0);
    // A search makes what later searches begin with.
    let found = |word: &str| {
        let found = ["events", "--text", word, "--limit", "0", "--format", "ndjson"];
        json_lines(&home.fine(&found)).len()
    };
    assert_eq!((found("canary1"), found("canary0")), (30, 30));
    let usage = |home: &Home| {
        let report = home.fine(&["report", "tool-usage", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        report["tool_breakdown"].clone()
    };
    let before = usage(&home);
    assert!(before.to_string().contains("lookup-2"), "{before}");
    let copy = home.path("copy");
    copy_folder(&home.path("tachograph-data"), &copy);
    let begun = std::time::Instant::now();
    let erase = ["erase", "--session", "s-1", "--scope", "content", "--reason", "asked for"];
    home.fine(&erase);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    assert!(!is_below(&home, "tachograph-data", "canary1"));
    let all = home.fine(&["events", "--limit", "0", "--format", "ndjson"]);
    assert!(!all.contains("canary1") && all.contains("canary0"), "{all}");
    assert_eq!((found("canary1"), found("canary0")), (0, 30));
    assert_eq!(usage(&home), before, "the metadata still counts");
    home.fine(&["verify"]);
    // The copy with the keys of today: what was erased stays shut.
    let keyring = home.log().join("keyring");
    let place = copy.join(home.log().file_name().unwrap()).join("keyring");
    std::fs::copy(keyring, place).unwrap();
    let ran = home.run(&["events", "--limit", "0", "--format", "ndjson", "--data", "copy"]);
    assert!(!ran.out.contains("canary1"), "{}", ran.out);
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|it| (it.path(), it.file_name())).unwrap();
        match path.is_dir() {
            true => copy_folder(&path, &to.join(name)),
            false => drop(std::fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}
