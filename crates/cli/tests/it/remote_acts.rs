//! Holds, erasures, retention, exports and SQL at a server: the one that is named, and the one that
//! holds the folder.

use crate::program::{Home, json_lines};
use crate::read::{REFUND, recorded};
use crate::served::Served;
use serde_json::Value;

const SESSION: &str = "session-refund-7731";
const HELD: &str = "A server holds this folder";

fn events(home: &Home, kind: &str) -> Vec<Value> {
    json_lines(&home.fine(&["events", "--type", kind, "--limit", "0", "--format", "ndjson"]))
}

fn left(home: &Home) -> Vec<Value> {
    let rows = ["events", "--session", SESSION, "--limit", "0", "--format", "ndjson"];
    json_lines(&home.fine(&rows))
}

#[test]
fn a_hold_at_a_server_keeps_what_it_names_until_it_is_released() {
    let home = recorded();
    let served = Served::start(&home);
    // Without an address: the server is found by the folder that it holds.
    let added = home.run(&["hold", "add", "--session", SESSION, "--reason", "Case 12"]);
    assert_eq!(added.code, 0, "{}", added.err);
    assert!(added.err.contains(HELD) && added.err.contains(&served.url), "{}", added.err);
    let name = added.out.trim().to_owned();
    assert!(name.starts_with("hold-"), "{name}");
    for url in [&["--url", &served.url][..], &[]] {
        let list = home.fine(&[&["hold", "list", "--format", "json"], url].concat());
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list[0]["hold"], name.as_str());
        assert_eq!(list[0]["reason"], "Case 12");
        let people = home.fine(&[&["hold", "list"], url].concat());
        assert!(people.contains(&name) && people.contains("Case 12"), "{people}");
    }
    let erase = ["erase", "--session", SESSION, "--scope", "content", "--reason", "asked for"];
    let url = ["--url", &served.url];
    let refused = home.run(&[&erase[..], &url].concat());
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains(&name), "{}", refused.err);
    assert!(left(&home).iter().all(|row| row["state"] != "content-erased"));
    home.fine(&[&["hold", "release", &name, "--reason", "closed"][..], &url].concat());
    let erased = home.fine(&[&erase[..], &url, &["--format", "json"]].concat());
    let erased: Value = serde_json::from_str(&erased).unwrap();
    let rows = left(&home);
    assert_eq!(erased["records"], rows.len() as u64);
    assert!(rows.iter().all(|row| row["state"] == "content-erased"), "{rows:?}");
    served.stop();
    // Afterwards the folder is nobody's again, and the same words are about it.
    let unknown = home.run(&["hold", "release", &name, "--reason", "again"]);
    assert!(unknown.code == 1 && !unknown.err.contains(HELD), "{}", unknown.err);
    home.fine(&["verify"]);
}

#[test]
fn what_selects_nothing_in_particular_is_refused_before_anybody_is_asked() {
    let home = recorded();
    let served = Served::start(&home);
    for act in
        [&["hold", "add", "--reason", "x"][..], &["erase", "--scope", "record", "--reason", "x"]]
    {
        let ran = home.run(&[act, &["--url", &served.url]].concat());
        assert_eq!(ran.code, 2, "{act:?}: {}", ran.err);
    }
    let nobody = home.run(&["hold", "list", "--url", "http://127.0.0.1:9"]);
    assert_eq!(nobody.code, 1, "{}", nobody.err);
}

#[test]
fn a_server_tells_its_own_plan() {
    let home = recorded();
    let served = Served::start(&home);
    let url = ["--url", &served.url];
    let plan = home.fine(&[&["retention", "plan", "--format", "json"][..], &url].concat());
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["policy"]["profile"], "default");
    assert!(plan["schedule"].is_object(), "{plan}");
    let people = home.run(&[&["retention", "plan", "--profile", "hipaa"][..], &url].concat());
    assert!(people.out.contains("default: debug 7, info 30"), "{}", people.out);
    assert!(people.err.contains("its own retention policy"), "{}", people.err);
    let applied = home.fine(&[&["retention", "apply", "--format", "json"][..], &url].concat());
    let applied: Value = serde_json::from_str(&applied).unwrap();
    assert_eq!((&applied["records"], &applied["held"]), (&0.into(), &0.into()));
}

#[test]
fn an_export_from_a_server_has_the_rows_of_one_from_its_folder() {
    let home = recorded();
    let trace = ["export", "--trace", REFUND];
    let before = home.fine(&trace);
    let served = Served::start(&home);
    let remote = home.fine(&[&trace[..], &["--url", &served.url]].concat());
    assert_eq!(remote, before);
    // Another process may not write to the log, so the server that may is asked.
    let found = home.run(&[&trace[..], &["--format", "csv", "-o", "refund.csv"]].concat());
    assert!(found.code == 0 && found.err.contains(HELD), "{}", found.err);
    let csv = std::fs::read_to_string(home.path("refund.csv")).unwrap();
    assert_eq!(csv.lines().count(), before.lines().count() + 1);
    // A server does not tell leaves with its records, so there are none in lines for SIEMs.
    let lines = json_lines(&home.fine(&[&trace[..], &["--format", "ocsf"]].concat()));
    assert_eq!(lines.len(), before.lines().count());
    assert!(lines.iter().all(|line| line["unmapped"].get("leaf_hash").is_none()));
    assert_eq!(lines[0]["metadata"]["sequence"], json_lines(&before)[0]["index"]);
    // Everything is published when it has stopped.
    served.stop();
    let asked = events(&home, "log.access");
    assert!(asked.len() >= 2, "{asked:?}");
}

#[test]
fn who_may_not_see_content_gets_no_export_that_passes_for_whole() {
    let home = recorded();
    let served = Served::start(&home);
    let token = home.fine(&["token", "create", "r", "--role", "reader"]);
    let file = home.write("token", token.trim());
    let reader = ["--url", &served.url, "--token-file", file.to_str().unwrap()];
    let whole = home.run(&[&["export", "--trace", REFUND][..], &reader].concat());
    assert_eq!(whole.code, 3, "{} {}", whole.out, whole.err);
    let meta = ["export", "--trace", REFUND, "--metadata-only"];
    let rows = json_lines(&home.fine(&[&meta[..], &reader].concat()));
    assert!(!rows.is_empty() && rows.iter().all(|row| row.get("content").is_none()));
}

#[test]
fn sql_at_a_server_says_what_it_says_in_the_folder() {
    let home = recorded();
    let served = Served::start(&home);
    let text = "SELECT event_type, count(*) AS n, avg(duration_ms) AS mean FROM events \
                WHERE kind = 'event' GROUP BY 1 ORDER BY 2 DESC, 1";
    for format in ["text", "ndjson", "csv"] {
        let ask = ["sql", text, "--format", format];
        let remote = home.fine(&[&ask[..], &["--url", &served.url]].concat());
        assert_eq!(remote, home.fine(&ask), "{format}");
    }
    for (statement, code) in [("SELEC 1", 2), ("DROP TABLE events", 3), ("SELECT 1 FROM x", 2)] {
        let here = home.run(&["sql", statement]);
        let there = home.run(&["sql", statement, "--url", &served.url]);
        assert_eq!((here.code, there.code), (code, code), "{statement}: {}", there.err);
        assert_eq!(here.err, there.err, "{statement}");
    }
}
