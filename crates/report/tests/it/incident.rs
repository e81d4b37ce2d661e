//! Incident reports: of recorded systems in every format against golden files, and what they say of
//! people, harm and proofs.

use crate::forensics::{assembled, at, examined, log, systems};
use crate::golden::{check, check_document};
use query::{Found, Scope};
use report::document;
use report::incident::{self, Incident, PROOFS_MAX};
use serde_json::{Value, json};
use std::convert::Infallible;

/// The report, with a proof of two hashes for each event.
fn reported(scope: Scope, log: &[Found<'static>]) -> Incident {
    let (trace, found) = assembled(scope.clone(), log);
    let mut incident = Incident::of(examined(scope, log), &trace, &found);
    let prove = |index: u64| {
        let hash = |number: u64| format!("{index:021x}{number:022x}=");
        let note = "log.example/main\n17\nXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl4=\n\n\u{2014} \
                    log.example/main AAAABBBB\n";
        let (one, other) = (hash(1), hash(2));
        Ok(format!("c2sp.org/tlog-proof@v1\nindex {index}\n{one}\n{other}\n\n{note}"))
    };
    let proved: Result<(), Infallible> = incident.prove(prove);
    proved.unwrap();
    incident
}

fn of_trace(events: &[Value]) -> Incident {
    reported(Scope::Trace("t".to_owned()), &log(events))
}

#[test]
fn recorded_incidents_are_reported_the_same_way_each_time_in_every_format() {
    for (name, scope, log) in systems() {
        let it = reported(scope, &log);
        let (page, file) = (incident::document(&it), format!("incidents/{name}"));
        check_document(&file, &page, &document::json(&it));
        check(&format!("{file}.csv"), &document::csv(&page, None).unwrap());
    }
}

#[test]
fn the_report_says_of_the_cause_what_the_examination_says() {
    let (_, scope, log) = systems().into_iter().next().unwrap();
    let alone = serde_json::to_value(examined(scope.clone(), &log)).unwrap();
    let report = serde_json::to_value(reported(scope, &log)).unwrap();
    for (name, value) in alone.as_object().unwrap() {
        assert_eq!(&report[name], value, "{name}");
    }
    assert_eq!(report["report"], "incident");
    let impact = &report["impact"];
    assert_eq!((&impact["events"], &impact["errors"]), (&json!(11), &json!(2)));
    assert_eq!(impact["on_behalf_of"], json!(["customer:c-2187"]));
    assert_eq!(impact["resources"], json!(["order_id=1042"]));
    assert_eq!(impact["other_traces"], 0);
}

#[test]
fn whom_the_log_knew_is_told_apart_from_whom_somebody_named() {
    let caller = json!({"issuer": "idp", "subject": "desk", "method": "oidc"});
    let it = of_trace(&[
        at(
            "a",
            1,
            "",
            json!({"tool": "pay", "outcome": "success", "principal": caller,
            "on_behalf_of": "customer:7", "approver": "lena"}),
        ),
        at("b", 2, "a", json!({"tool": "pay", "outcome": "failure", "principal": caller})),
        at(
            "c",
            3,
            "b",
            json!({"event_type": "agent.human_intervention", "tool": "pay",
            "action": "approval:denied", "outcome": "denied", "approver": "lena",
            "principal": {"subject": "desk"}}),
        ),
    ]);
    let people: Vec<_> = it
        .people
        .iter()
        .map(|it| (it.role, it.name.as_str(), it.authenticated_by.as_deref(), it.events))
        .collect();
    assert_eq!(
        people,
        [
            ("caller", "desk", Some("oidc"), 2),
            ("on_behalf_of", "customer:7", None, 1),
            ("approver", "lena", None, 2),
            ("caller", "desk", None, 1),
        ]
    );
    let decided: Vec<_> =
        it.decisions.iter().map(|it| (it.index, it.what, it.by.as_deref())).collect();
    assert_eq!(decided, [(0, "named_approver", Some("lena")), (2, "denied", Some("lena"))]);
    let page = document::markdown(&incident::document(&it));
    for part in ["authenticated (oidc)", "⚠️ claimed", "❌ denied", "Prepared by", "Reviewed by"]
    {
        assert!(page.contains(part), "{part}:\n{page}");
    }
}

#[test]
fn every_event_that_it_rests_on_is_proved_up_to_a_bound() {
    let failing = |n: u64| {
        let parent = if n == 0 { String::new() } else { format!("e{}", n - 1) };
        at(&format!("e{n}"), n, &parent, json!({"tool": "x", "outcome": "failure"}))
    };
    let few: Vec<Value> = (0..3).map(failing).collect();
    let it = of_trace(&few);
    let (named, proved): (Vec<u64>, Vec<u64>) = (
        it.forensics.evidence.iter().map(|it| it.index).collect(),
        it.proofs.iter().map(|it| it.index).collect(),
    );
    assert_eq!(named, proved);
    let text = document::markdown(&incident::document(&it));
    assert_eq!(text.matches("000000000000000000002=").count(), 3, "{text}");
    assert_eq!(text.matches("AAAABBBB").count(), 1, "the checkpoint stands there once");
    let many: Vec<Value> = (0..200).map(failing).collect();
    assert_eq!(of_trace(&many).proofs.len(), PROOFS_MAX);
    let mut it = of_trace(&few);
    it.proofs.clear();
    assert!(it.prove(|_| Err::<String, _>("no")).is_err());
    assert!(!document::markdown(&incident::document(&it)).contains("Proofs"));
}

#[test]
fn a_trace_in_which_nothing_failed_is_reported_as_that() {
    let it = of_trace(&[at("a", 1, "", json!({"tool": "x", "outcome": "success"}))]);
    assert!(it.proofs.is_empty() && it.impact.errors == 0);
    let text = document::markdown(&incident::document(&it));
    assert!(text.contains("No event reports a failure"), "{text}");
}
