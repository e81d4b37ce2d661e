//! Each tool against a small log: what it answers, and what it never does.

mod hostile;
mod over_http;
pub(super) mod place;

use super::*;
use place::{Place, incident};
use serde_json::{Value, json};

/// The records of a list, by a member.
fn column<'v>(document: &'v Value, list: &str, member: &str) -> Vec<&'v Value> {
    let items = document["untrusted_data"][list].as_array();
    items.unwrap_or_else(|| panic!("no {list}: {document}")).iter().map(|it| &it[member]).collect()
}

#[test]
fn every_tool_only_reads_and_says_what_it_takes() {
    let tools = Tools::catalogue();
    let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
    let wanted = [
        "recent_events",
        "search_events",
        "get_event",
        "trace_task",
        "session_timeline",
        "error_summary",
        "audit_agent",
        "forensic_analysis",
        "compliance_report",
        "export_events",
        "verify_log",
    ];
    assert_eq!(names, wanted);
    for tool in &tools {
        let hints = tool.annotations.as_ref().unwrap();
        assert_eq!((hints.read_only_hint, hints.open_world_hint), (Some(true), Some(false)));
        assert_eq!(hints.destructive_hint, Some(false));
        assert!(tool.description.as_ref().is_some_and(|it| it.len() > 40), "{}", tool.name);
        assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
        assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
        let none = serde_json::Map::new();
        let properties = tool.input_schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.unwrap_or(&none) {
            assert!(property["description"].is_string(), "{} {name}", tool.name);
        }
    }
}

#[test]
fn recent_events_are_the_newest_and_go_on_by_cursor() {
    let place = Place::with(&incident());
    let first = place.ask("recent_events", json!({ "limit": 4 }));
    let newest = column(&first, "events", "index");
    assert_eq!(newest.len(), 4);
    assert!(newest[0].as_u64() > newest[3].as_u64());
    let next = place.ask("recent_events", json!({ "limit": 4, "cursor": first["next"]["cursor"] }));
    let older = column(&next, "events", "index");
    assert_eq!(older[0].as_u64().unwrap() + 1, newest[3].as_u64().unwrap());
    assert_eq!(first["checkpoint"]["size"], place.size());
}

#[test]
fn search_finds_by_filter_and_by_word() {
    let place = Place::with(&incident());
    let found = place.ask("search_events", json!({ "agent": "Billing", "outcome": "timeout" }));
    assert_eq!(column(&found, "events", "tool"), [&json!("process_refund"); 2]);
    let found = place.ask("search_events", json!({ "text": "order-77" }));
    assert_eq!(column(&found, "events", "event_id"), [&json!("e3")]);
    let refused = place.call("search_events", json!({ "agents": "Billing" })).unwrap_err();
    // What there is instead is told, and never the name itself, which may be a secret.
    let refused = refused.to_string();
    assert!(refused.contains("unknown field") && refused.contains("`agent`"), "{refused}");
    assert!(!refused.contains("agents"), "{refused}");
    assert!(place.call("search_events", json!({ "outcome": "bad" })).is_err());
    assert!(place.call("search_events", json!({ "limit": 201 })).is_err());
}

#[test]
fn one_event_is_shown_in_full_with_its_proof() {
    let place = Place::with(&incident());
    let one = place.ask("get_event", json!({ "event": "e3", "proof": true }));
    assert_eq!(one["untrusted_data"]["event"]["content"]["params"]["order"], "order-77");
    let proof = &one["proof"];
    assert_eq!(proof["entry"].as_str().unwrap().len(), 208);
    assert_eq!(proof["tlog_proof"][0], "c2sp.org/tlog-proof@v1");
    let index = one["untrusted_data"]["event"]["index"].to_string();
    let same = place.ask("get_event", json!({ "event": index }));
    assert_eq!(same["untrusted_data"], one["untrusted_data"]);
    assert!(place.call("get_event", json!({ "event": "none" })).is_err());
}

#[test]
fn a_task_is_traced_and_a_session_told_in_order() {
    let place = Place::with(&incident());
    let trace = place.ask("trace_task", json!({ "id": "T1" }));
    assert_eq!(column(&trace, "nodes", "event_id")[0], "e1");
    assert_eq!(trace["untrusted_data"]["totals"]["errors"], 3);
    let rest = place.ask("trace_task", json!({ "id": "T1", "first": 2 }));
    assert_eq!(column(&rest, "nodes", "position")[0], 2);
    let sessions = place.ask("session_timeline", json!({}));
    assert_eq!(column(&sessions, "sessions", "session"), [&json!("s1")]);
    let session = place.ask("session_timeline", json!({ "session": "s1" }));
    let statuses = column(&session, "timeline", "status");
    assert_eq!(statuses.iter().filter(|status| **status == "timeout").count(), 2);
    assert!(place.call("trace_task", json!({ "id": "none" })).is_err());
}

#[test]
fn forensics_names_what_failed_first_and_why_by_the_rules_of_reports() {
    let place = Place::with(&incident());
    let document = place.ask("forensic_analysis", json!({ "id": "T1" }));
    let data = &document["untrusted_data"];
    assert_eq!(data["failed_first"]["event_id"], "e4");
    assert_eq!(data["led_to_it"][0]["event_id"], "e1");
    assert_eq!(data["failed_by"][0]["count"], 2);
    assert_eq!(data["findings"]["missing_parents"]["count"], 1);
    assert_eq!(data["root_cause"]["index"], data["failed_first"]["index"]);
    assert_eq!(data["root_cause"]["cause"], "tool_timeout");
    assert!(!data["recommendations"].as_array().unwrap().is_empty());
    assert!(document["not_assessed"][0].as_str().unwrap().contains("by rules"));
}

#[test]
fn errors_and_figures_are_counted_and_what_is_not_assessed_is_said() {
    let place = Place::with(&incident());
    let errors = place.ask("error_summary", json!({}));
    assert_eq!((&errors["total_errors"], &errors["total_events"]), (&json!(3), &json!(8)));
    assert_eq!(errors["untrusted_data"]["error_types"]["most"][0]["name"], "TimeoutError");
    assert_eq!(column(&errors, "recent_errors", "event_id"), ["e6", "e5", "e4"]);
    let none = place.ask("error_summary", json!({ "from": "2030-01-01" }));
    assert_eq!(none["total_events"], 0);
    let report = place.ask("compliance_report", json!({}));
    assert_eq!(report["evidence"]["tool_calls"], 3);
    assert_eq!(report["evidence"]["human_interventions"], 1);
    assert_eq!(report["verification"]["state"], "not_checked");
    assert!(report["not_assessed"].as_array().unwrap().len() > 3);
    assert!(report.get("compliant").is_none());
}

#[test]
fn an_agent_is_audited_and_agents_are_listed() {
    let place = Place::with(&incident());
    let agent = place.ask("audit_agent", json!({ "agent": "Billing" }));
    assert_eq!(agent["untrusted_data"]["agent"]["errors"], 3);
    assert!(column(&agent, "events", "agent").iter().all(|it| **it == "Billing"));
    let agents = place.ask("audit_agent", json!({}));
    assert_eq!(agents["agents_in_all"], 3);
    assert!(place.call("audit_agent", json!({ "agent": "Nobody" })).is_err());
}

#[test]
fn exports_page_through_everything_and_are_recorded_as_such() {
    let place = Place::with(&incident());
    let (mut arguments, mut seen) = (json!({ "limit": 3 }), Vec::new());
    while seen.len() <= 100 {
        let page = place.ask("export_events", arguments.clone());
        seen.extend(column(&page, "events", "index").iter().map(|it| it.as_u64().unwrap()));
        match page["next"]["cursor"].as_str() {
            Some(cursor) => arguments["cursor"] = json!(cursor),
            None => break,
        }
    }
    assert_eq!(seen, (0..place.size()).collect::<Vec<_>>());
    let recorded = place.recorded();
    assert!(recorded.iter().all(|it| it.is_export && it.tool == "export_events"));
    assert_eq!(recorded.iter().map(|it| it.records).sum::<u64>(), place.size());
}

#[test]
fn a_log_is_verified_and_the_report_says_so() {
    let place = Place::with(&incident());
    let document = place.ask("verify_log", json!({}));
    assert_eq!(document["verification"]["verdict"], "ok", "{document}");
    assert_eq!(document["verification"]["size"], place.size());
    let report = place.ask("compliance_report", json!({}));
    assert_eq!(report["verification"]["verdict"], "ok");
}

#[test]
fn a_log_that_was_altered_is_not_verified() {
    let place = Place::with(&incident());
    place.tamper();
    let document = place.ask("verify_log", json!({}));
    assert_eq!(document["verification"]["verdict"], "tampered", "{document}");
    assert!(!column(&document, "findings", "kind").is_empty());
}

#[test]
fn content_is_recorded_before_it_leaves_or_does_not_leave() {
    let place = Place::with(&incident());
    place.ask("recent_events", json!({}));
    let record = &place.recorded()[0];
    assert_eq!((record.tool, record.is_export), ("recent_events", false));
    assert_eq!(record.records, place.size().min(20));
    place.ask("recent_events", json!({ "metadata_only": true }));
    place.ask("audit_agent", json!({}));
    place.ask("compliance_report", json!({}));
    assert_eq!(place.recorded().len(), 1, "metadata is not recorded");
    // Which records hold a word tells of their content.
    place.ask("search_events", json!({ "text": "refund", "metadata_only": true }));
    assert_eq!(place.recorded().len(), 2);
    place.refuse_records();
    for tool in ["recent_events", "export_events", "error_summary"] {
        let refused = place.call(tool, json!({})).unwrap_err().to_string();
        assert_eq!(refused, "the log takes no records", "{tool}");
    }
}

#[test]
fn whoever_sees_metadata_only_never_gets_content() {
    let mut events = incident();
    events.push(json!({
        "event_type": "agent.tool_call", "event_id": "c1", "agent_name": "Billing", "task_id": "T1",
        "session_id": "s1", "tool": "lookup", "params": { "task": "CANARY-1", "k": "CANARY-2" },
        "error": "CANARY-3", "error_type": "LookupError", "result": "CANARY-4",
        "reasoning": "CANARY-5", "attributes": { "target": "CANARY-6" },
    }));
    let seen = Place::with(&events);
    let all = place::every_call("c1", "T1", "s1", "Billing");
    let told: Vec<String> = all.iter().map(|(t, a)| seen.ask(t, a.clone()).to_string()).collect();
    assert!(told.iter().any(|text| text.contains("CANARY-")), "the test sees what it looks for");
    let place = Place::with(&events).with_rights(Rights {
        proofs: true,
        verify: true,
        ..Rights::default()
    });
    for (tool, arguments) in all {
        if let Ok(reply) = place.call(tool, arguments) {
            let text = reply.document.to_string();
            assert!(!text.contains("CANARY-"), "{tool}: {text}");
        }
    }
    assert!(place.recorded().is_empty());
    for (tool, arguments) in [
        ("search_events", json!({ "text": "CANARY-1" })),
        ("export_events", json!({})),
        ("export_events", json!({ "metadata_only": true })),
    ] {
        assert!(place.call(tool, arguments).is_err(), "{tool}");
    }
    let nothing = Place::with(&events).with_rights(Rights::default());
    assert!(nothing.call("verify_log", json!({})).is_err());
    assert!(nothing.call("get_event", json!({ "event": "c1", "proof": true })).is_err());
}

#[test]
fn an_answer_keeps_its_size_and_says_how_to_go_on() {
    let long = |n: u32| {
        json!({
            "event_type": "agent.tool_call", "event_id": format!("b{n}"), "task_id": "T1",
            "session_id": "s1", "agent_name": "Billing", "tool": "t".repeat(3000),
            "params": { "task": "x".repeat(40_000), "list": vec!["y".repeat(90); 300] },
        })
    };
    let place = Place::with(&(0..60).map(long).collect::<Vec<_>>());
    for (tool, arguments) in place::every_call("b1", "T1", "s1", "Billing") {
        let document = place.ask(tool, arguments);
        assert!(document.to_string().len() <= RESULT_BYTES_MAX, "{tool}");
    }
    let (mut first, mut seen) = (0, 0);
    while seen <= 60 {
        let page = place.ask("trace_task", json!({ "id": "T1", "first": first }));
        seen += column(&page, "nodes", "index").len();
        match page["next"]["first"].as_u64() {
            Some(next) => {
                assert!(next > first && page["cut"]["left_out"].as_u64() > Some(0));
                first = next;
            }
            None => break,
        }
    }
    assert_eq!(seen, 60);
    let page = place.ask("export_events", json!({ "limit": 200 }));
    assert!(page["next"]["cursor"].is_string() && page["cut"]["shortened"] == true, "{page}");
}

#[test]
fn there_is_no_other_tool() {
    let place = Place::with(&incident());
    for name in ["append_event", "", "recent_events ", "../verify_log"] {
        assert!(place.tools().call(name, &json!({})).is_none(), "{name:?}");
    }
    for arguments in [json!([]), json!("x"), json!({ "limit": "x" }), json!({ "limit": -1 })] {
        assert!(place.call("recent_events", arguments).is_err());
    }
}
