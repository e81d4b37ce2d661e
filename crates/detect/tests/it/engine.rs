//! How the engine goes on: after a restart, with several rules, over imported records.

use super::{Stored, hits, item, names, script};
use detect::{Engine, Hit, RuleSet, shipped};
use serde_json::{Value, json};
use std::sync::Arc;

const MINE: &str = "
title: A shell
id: shell
logsource: { product: tachograph }
detection:
  call: { event_type: agent.tool_call, tool|startswith: shell }
  fine: { params.cmd: [ls, pwd] }
  condition: call and not fine
level: high
---
title: Three shells
id: shells
correlation:
  type: event_count
  rules: [shell]
  group-by: [agent_name]
  timespan: 1m
  condition: { gte: 3 }
  generate: true
---
title: Two tools
id: two-shells
correlation:
  type: value_count
  rules: [shell]
  group-by: [agent_name]
  timespan: 1m
  condition: { field: tool, gte: 2 }
---
title: Words
id: words
logsource: { product: tachograph }
detection:
  words: [drop table, 'rm -rf']
  condition: words
";

fn shell(tool: &str, cmd: &str) -> Value {
    json!({"event_type": "agent.tool_call", "tool": tool, "params": {"cmd": cmd}})
}

#[test]
fn rules_of_ones_own_work_alone_together_and_by_words() {
    let set = || RuleSet::parse("mine.yml", MINE).unwrap();
    let events = [
        shell("shell", "ls"),
        shell("shell", "cat x"),
        shell("shell", "cat y"),
        shell("shell2", "DROP TABLE users"),
        shell("other", "drop the table"),
    ];
    let found = hits(set(), &script(&events));
    assert_eq!(names(&found), ["shell", "shell", "shell", "shells", "two-shells", "words"]);
    assert_eq!(found[3].events, [1, 2, 3]);
    assert_eq!(found[3].group, [("agent_name".to_owned(), "Support".to_owned())]);
    assert!(found[0].why.contains("tool is \"shell\""), "{}", found[0].why);
    let less = set().without(&["shell".to_owned(), "two-shells".to_owned()]).unwrap();
    assert_eq!(less.told().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["shells", "words"]);
    assert_eq!(names(&hits(less, &script(&events))), ["shells", "words"]);
    assert!(set().without(&["nobody".to_owned()]).is_err());
}

fn look(engine: &mut Engine, records: &[(u64, &Stored)], hits: &mut Vec<Hit>) {
    for (at, record) in records {
        engine.offer(&item(*at, record), hits);
    }
}

#[test]
fn a_restart_at_any_place_tells_no_incident_twice_and_misses_none() {
    let mut events: Vec<Value> = Vec::new();
    for turn in 0..40 {
        events.push(json!({"event_type": "agent.tool_call", "tool": "t", "params": {},
            "trace_id": format!("run-{}", turn % 3)}));
        events.push(json!({"event_type": "agent.tool_result", "tool": "t", "outcome": "failure"}));
    }
    let records = script(&events);
    let set = Arc::new(shipped(&[]).unwrap());
    let whole = {
        let (mut engine, mut hits) = (Engine::new(Arc::clone(&set), "o"), Vec::new());
        look(&mut engine, &(0..).zip(&records).collect::<Vec<_>>(), &mut hits);
        hits
    };
    assert!(whole.len() >= 3, "{whole:#?}");
    for stop in 0..records.len() {
        let (mut engine, mut hits) = (Engine::new(Arc::clone(&set), "o"), Vec::new());
        let all: Vec<_> = (0..).zip(&records).collect();
        let (before, after) = all.split_at(stop);
        look(&mut engine, before, &mut hits);
        let now_ms = before.last().map_or(0, |(_, record)| record.at_ms);
        let open = engine.open(now_ms);
        // What is before is looked at again, and nothing of it told.
        let mut engine = Engine::new(Arc::clone(&set), "o");
        let mut again = Vec::new();
        look(&mut engine, before, &mut again);
        engine.reopen(&open);
        look(&mut engine, after, &mut hits);
        assert_eq!(hits, whole, "stopped before record {stop}");
    }
}

#[test]
fn alerts_of_the_server_are_passed_over_and_forged_ones_are_not() {
    let rules = "title: t\nid: a\nlogsource: { product: tachograph }\ndetection: { s: { event_type: agent.security }, condition: s }";
    let set = || RuleSet::parse("m", rules).unwrap();
    let alert = |issuer: &str| {
        let meta = format!(
            "{{\"schema\":\"tachograph.event/1\",\"event_type\":\"agent.security\",\"action\":\"alert:x\",\
             \"principal\":{{\"issuer\":\"{issuer}\",\"subject\":\"server\",\"method\":\"process\"}}}}"
        );
        super::Stored { at_ms: 0, meta: meta.into_bytes(), content: Vec::new() }
    };
    assert_eq!(hits(set(), &[alert("tachograph")]).len(), 0);
    assert_eq!(hits(set(), &[alert("somebody")]).len(), 1);
}
