//! `tacho import`: once, however often, and without secrets.

use crate::program::{Home, json_lines, testdata};

#[test]
fn a_second_import_adds_nothing_and_no_secret_is_kept() {
    let home = Home::new();
    let file = testdata("ag2/hub/audit.jsonl");
    let file = file.to_str().unwrap();
    assert!(std::fs::read_to_string(file).unwrap().contains("sk-secret"), "it was planted");
    let import = ["import", "--from", "ag2-audit", file, "--format", "json"];
    let first = &json_lines(&home.fine(&import))[0]["files"][0];
    assert!(first["new"].as_u64().unwrap() > 10, "{first}");
    assert_eq!((&first["duplicates"], &first["refused"]), (&0.into(), &0.into()));
    let size =
        |home: &Home| json_lines(&home.fine(&["verify", "--format", "json"]))[0]["size"].clone();
    let before = size(&home);
    let second = &json_lines(&home.fine(&import))[0]["files"][0];
    assert_eq!((&second["new"], &second["duplicates"]), (&0.into(), &first["new"]));
    assert_eq!(size(&home), before);
    for (path, bytes) in home.files("tachograph-data") {
        let found = memchr::memmem::find(&bytes, b"sk-secret");
        assert_eq!(found, None, "{}", path.display());
    }
    let dump = home.fine(&["events", "--limit", "0", "--format", "ndjson"]);
    assert!(dump.contains("hub.turn_failed"));
    assert!(!dump.contains("sk-secret"), "{dump}");
}

#[test]
fn refusals_are_named_and_the_rest_is_imported() {
    let home = Home::new();
    let bad = testdata("bad/one-of-each-small.ndjson");
    let ran = home.run(&["import", "--from", "ndjson", bad.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("line 9: duplicate_key: agent_name:"), "{}", ran.out);
    assert!(ran.out.contains("17 refused"), "{}", ran.out);
}
