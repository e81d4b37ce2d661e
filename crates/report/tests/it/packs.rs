//! Every pack passes on a log that is as it asks, and of logs that are wrong in one thing exactly
//! the controls about that thing fail, and name the events.

use crate::records::{as_of, record, said, sent};
use query::Found;
use report::packs::{Answers, Examined, Outside, Pack, Verdict, Witnessed, check};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// 2026-11-02T08:00:00Z.
const START_MS: u64 = 1_793_606_400_000;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;

/// A log that is being made: each entry by a name, with the time at which it was taken.
#[derive(Clone)]
struct Log {
    entries: Vec<(&'static str, u64, Value)>,
    outside: Outside,
}

impl Log {
    /// Something that the log says itself.
    fn own(&mut self, name: &'static str, minute: u64, mut value: Value) {
        value["event_type"] = format!("log.{}", value["event_type"].as_str().unwrap()).into();
        self.entries.push((name, START_MS + minute * MINUTE_MS, value));
    }

    /// Something that an agent did.
    fn act(&mut self, name: &'static str, minute: u64, kind: &str, members: Value) {
        let number = self.entries.len() as u64;
        let mut event = json!({
            "event_id": name, "event_type": format!("agent.{kind}"), "agent_name": "Billing",
            "agent_version": "1.0", "trace_id": "t1", "task_id": "task-1", "source": "user",
            "outcome": "success", "timestamp": (START_MS + minute * MINUTE_MS) / 1_000,
            "principal": {"issuer": "idp", "subject": "desk", "method": "oidc"},
            "producer": {"id": "p", "seq": number},
        });
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.entries.push((name, START_MS + minute * MINUTE_MS + 40, event));
    }

    fn entry(&mut self, name: &str) -> &mut (&'static str, u64, Value) {
        self.entries.iter_mut().find(|(it, _, _)| *it == name).unwrap()
    }

    fn set(&mut self, name: &str, member: &str, value: Value) {
        let event = self.entry(name).2.as_object_mut().unwrap();
        match value {
            Value::Null => drop(event.remove(member)),
            value => drop(event.insert(member.to_owned(), value)),
        }
    }

    fn index(&self, name: &str) -> u64 {
        self.entries.iter().position(|(it, _, _)| *it == name).unwrap() as u64
    }

    /// The numbers of producers follow the order, whatever was put between.
    fn numbered(mut self) -> Self {
        let numbers = self.entries.iter_mut().filter_map(|it| it.2.get_mut("producer"));
        (1..).zip(numbers).for_each(|(number, it): (u64, &mut Value)| it["seq"] = number.into());
        self
    }

    fn found(&self) -> Vec<Found<'static>> {
        let one = |(index, (_, time_ms, value)): (u64, &(&str, u64, Value))| {
            let is_own = value["event_type"].as_str().unwrap().starts_with("log.");
            let event = if is_own { said(value) } else { sent(value) };
            record(index, *time_ms, &event)
        };
        (0..).zip(&self.entries).map(one).collect()
    }

    fn held_against(&self, pack: &Pack) -> Answers {
        check(pack, &self.found(), &as_of(self.entries.len() as u64), &self.outside)
    }
}

/// Enough witnesses saw so many entries.
fn witnessed(size: u64) -> Witnessed {
    Witnessed { is_enough: true, size, found: "2 of 3 witnesses saw it".to_owned() }
}

/// A log that is as every pack asks.
fn good() -> Log {
    let holds = |name| (name, Examined { holds: true, found: "it holds".into(), events: vec![] });
    let examined = ["C-INT-1", "C-ACC-2", "C-RET-2", "C-ENC-1"].map(holds);
    let outside = Outside {
        examined: BTreeMap::from(examined),
        retention_days: Some([2_192; 4]),
        witnessed: Some(witnessed(u64::MAX)),
    };
    let mut log = Log { entries: Vec::new(), outside };
    log.own("created", 0, json!({"event_type": "created"}));
    log.own("keys", 0, json!({"event_type": "keys"}));
    log.own("started", 0, json!({"event_type": "started"}));
    let by = json!({"issuer": "os", "subject": "root", "method": "uid"});
    log.own("access", 5, json!({"event_type": "access", "principal": by}));
    agents(&mut log);
    people(&mut log);
    log.own("asked", 170, json!({"event_type": "erasure", "principal": by}));
    let authority = log.index("asked");
    log.own(
        "erased",
        171,
        json!({"event_type": "erased", "params": {
            "scope": "content", "authority": authority, "files": [],
            "classes": [{"tier": "critical", "date": "2019-01-01", "indexes": [[1, 1]]}],
        }}),
    );
    log.own("stopped", 172, json!({"event_type": "stopped"}));
    log.numbered()
}

/// What two agents did in two traces.
fn agents(log: &mut Log) {
    log.act("request", 10, "invocation", json!({"params": {"task": "pay the invoice"}}));
    log.act("reason", 11, "reasoning", json!({"reasoning": "it is due", "confidence": 0.9}));
    log.act(
        "approval",
        12,
        "human_intervention",
        json!({
            "action": "approval:granted", "approver": "lena", "tool": "transfer",
            "attributes": {"call_id": "c1", "args_hash": "ab"},
        }),
    );
    log.act(
        "call",
        13,
        "tool_call",
        json!({
            "tool": "transfer", "tags": ["high-risk"], "phase": "intent", "outcome": null,
            "attributes": {"call_id": "c1", "args_hash": "ab"}, "params": {"amount": 5},
        }),
    );
    log.act("result", 14, "tool_result", json!({
        "tool": "transfer", "phase": "result", "result": "done", "attributes": {"call_id": "c1"},
    }));
    log.act(
        "model",
        15,
        "llm_response",
        json!({
            "tokens": {"input": 900, "output": 100, "total": 1_000}, "model": "sage-1",
        }),
    );
    log.act(
        "refusal",
        16,
        "decision",
        json!({
            "action": "decision:refund", "outcome": "denied", "params": {"policy": "R-4"},
        }),
    );
    log.act("handoff", 17, "handoff", json!({"params": {"target": "Archive"}}));
    log.act("taken", 18, "decision", json!({"agent_name": "Archive", "output": "kept"}));
    let second = |mut members: Value| {
        members["trace_id"] = "t2".into();
        members["task_id"] = "task-2".into();
        members
    };
    log.act("again", 70, "reasoning", second(json!({"reasoning": "tidy", "confidence": 0.5})));
    log.act("tidy", 71, "tool_call", second(json!({"tool": "tidy", "result": 1})));
    log.act(
        "stop",
        72,
        "human_intervention",
        second(json!({
            "action": "human_intervention:stop", "outcome": "cancelled", "approver": "lena",
        })),
    );
    log.act("kept", 73, "tool_call", second(json!({"tool": "tidy", "outcome": "cancelled"})));
    log.act("answer", 74, "decision", second(json!({"action": "decision:answer"})));
}

/// What people and detectors did.
fn people(log: &mut Log) {
    let mut note = |name, minute, kind: &str, action: &str, params: Value| {
        log.act(
            name,
            minute,
            kind,
            json!({"agent_name": null, "agent_version": null,
            "agent_id": "people", "action": action, "params": params}),
        );
    };
    note(
        "change",
        100,
        "compliance",
        "change:model",
        json!({
            "agent": "Billing", "before": "aa", "after": "bb",
        }),
    );
    note("review", 101, "compliance", "review:daily", json!({"findings": "none", "reviewer": "q"}));
    note("detector", 102, "security", "detector:run", json!({"rules": 12}));
    note("export", 103, "compliance", "export_test:bundle", json!({}));
    note("opened", 104, "compliance", "incident:opened", json!({"incident": "I-1"}));
    note("triaged", 105, "compliance", "incident:triaged", json!({"incident": "I-1"}));
    note(
        "closed",
        106,
        "compliance",
        "incident:closed",
        json!({
            "incident": "I-1", "evidence_sha256": "cc",
        }),
    );
    log.act(
        "newer",
        165,
        "llm_response",
        json!({
            "tokens": {"total": 500}, "model": "sage-2", "trace_id": "t3", "task_id": "task-3",
        }),
    );
}

fn packs() -> Vec<Pack> {
    let packs: Vec<Pack> = Pack::names().map(|name| Pack::shipped(name).unwrap()).collect();
    assert_eq!(packs.len(), 11);
    packs
}

#[test]
fn every_pack_passes_on_a_log_that_is_as_it_asks() {
    let log = good();
    for pack in packs() {
        let answers = log.held_against(&pack);
        for control in &answers.controls {
            let wanted =
                if control.predicate == "manual" { Verdict::Manual } else { Verdict::Pass };
            assert_eq!(control.verdict, wanted, "{}: {control:#?}", pack.name);
        }
        assert!(answers.recommendations.is_empty());
    }
}

/// What is broken, which predicates fail, and which entries they name.
type Break = (&'static str, &'static [&'static str], &'static [&'static str], fn(&mut Log));

fn examination(log: &mut Log, name: &'static str) {
    let events = vec![log.index("call")];
    let examined = Examined { holds: false, found: "it does not hold".into(), events };
    log.outside.examined.insert(name, examined);
}

const BREAKS: &[Break] = &[
    ("a leaf does not recompute", &["C-INT-1"], &["call"], |log| examination(log, "C-INT-1")),
    ("too few witnesses saw it", &["C-INT-2"], &[], |log| {
        log.outside.witnessed.as_mut().unwrap().is_enough = false;
    }),
    ("no witness saw the newest for long", &["C-INT-2"], &["call"], |log| {
        log.outside.witnessed = Some(witnessed(log.index("call")));
    }),
    ("one who may do all", &["C-ACC-2"], &["call"], |log| examination(log, "C-ACC-2")),
    ("old records are slow", &["C-RET-2"], &["call"], |log| examination(log, "C-RET-2")),
    ("a number is missing", &["C-INT-3"], &["newer"], |log| {
        log.entry("newer").2["producer"]["seq"] = 99.into();
    }),
    ("a call without an outcome", &["C-INT-4", "data_access_audit"], &["call"], |log| {
        log.set("result", "event_type", "agent.evaluation".into());
    }),
    ("an answer without its usage", &["C-INT-4"], &["model"], |log| {
        log.set("model", "tokens", Value::Null);
    }),
    ("a handoff to nobody", &["C-INT-4"], &["handoff"], |log| {
        log.set("handoff", "params", json!({"target": "Nobody"}));
    }),
    ("a start without a stop", &["C-INT-5"], &["access"], |log| {
        log.set("access", "event_type", "log.started".into());
        log.entry("asked").2["event_type"] = "log.access".into();
        log.entry("erased").2["event_type"] = "log.heartbeat".into();
    }),
    ("a long silence", &["C-INT-5"], &["stopped"], |log| {
        log.entry("stopped").1 += 121 * MINUTE_MS;
    }),
    ("a clock that is off", &["C-TIME-1"], &["reason"], |log| {
        log.set("reason", "timestamp", (START_MS / 1_000 + 3_600).into());
    }),
    ("nobody signed in", &["C-ID-1"], &["reason"], |log| {
        log.set("reason", "principal", Value::Null);
    }),
    ("no time", &["C-FLD-1"], &["answer"], |log| log.set("answer", "timestamp", Value::Null)),
    ("approved by itself", &["C-OVR-1"], &["call"], |log| {
        log.set("approval", "approver", "Billing".into());
    }),
    ("approved were other arguments", &["C-OVR-1"], &["call"], |log| {
        log.entry("approval").2["attributes"]["args_hash"] = "cd".into();
    }),
    ("approved too late", &["C-OVR-1", "tool_approval_rate"], &["call"], |log| {
        let (call, approval) = (log.index("call") as usize, log.index("approval") as usize);
        log.entries.swap(call, approval);
        let numbered = log.clone().numbered();
        *log = numbered;
    }),
    ("an act after the stop", &["C-OVR-2"], &["kept"], |log| {
        log.set("kept", "outcome", "success".into());
    }),
    ("refused, nobody knows why", &["C-DENY-1"], &["refusal"], |log| {
        log.set("refusal", "params", Value::Null);
    }),
    ("gone too early", &["C-RET-1"], &["erased"], |log| {
        log.entry("erased").2["params"]["classes"][0]["date"] = "2026-10-30".into();
    }),
    ("a reader without a name", &["C-ACC-1"], &["access"], |log| {
        log.set("access", "principal", Value::Null);
    }),
    ("a card number", &["C-PRIV-1"], &["taken"], |log| {
        log.set("taken", "output", "paid by 4111 1111 1111 1111".into());
    }),
    ("a review without findings", &["C-REV-1"], &["review"], |log| {
        log.set("review", "params", json!({"reviewer": "q"}));
    }),
    ("closed without evidence", &["C-INC-1"], &["closed"], |log| {
        log.set("closed", "params", json!({"incident": "I-1"}));
    }),
    ("an export that does not verify", &["C-EXP-1"], &["export"], |log| {
        log.set("export", "outcome", "failure".into());
    }),
    ("an old key", &["C-ENC-1"], &["keys"], |log| {
        for name in ["created", "keys"] {
            log.entry(name).1 -= 400 * DAY_MS;
        }
    }),
    ("a change that nobody announced", &["C-CHG-1"], &["newer"], |log| {
        log.set("change", "action", "note:model".into());
    }),
    ("a detector that fails in silence", &["C-ANOM-1"], &["detector"], |log| {
        log.set("detector", "outcome", "failure".into());
    }),
    ("no reason before the call", &["C-REA-1"], &["tidy", "kept"], |log| {
        log.set("again", "event_type", "agent.evaluation".into());
        log.set("again", "reasoning", Value::Null);
    }),
    ("every third task ends with a person", &["human_escalation_rate"], &["answer"], |log| {
        log.set("answer", "event_type", "agent.human_intervention".into());
        log.set("answer", "outcome", "escalated".into());
    }),
    ("too many tokens", &["token_budget_compliance"], &["model"], |log| {
        log.set("model", "tokens", json!({"total": 20_000_000}));
    }),
];

#[test]
fn of_a_log_that_is_wrong_in_one_thing_exactly_that_control_fails_and_names_it() {
    let packs = packs();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (name, predicates, named, make_wrong) in BREAKS {
        let mut log = good();
        make_wrong(&mut log);
        let named: Vec<u64> = named.iter().map(|entry| log.index(entry)).collect();
        for pack in &packs {
            for control in log.held_against(pack).controls {
                // Only an upper bound asks that records go.
                let is_meant = predicates.contains(&control.predicate.as_str())
                    && !(pack.name == "gdpr" && control.predicate == "C-RET-1")
                    && control.id != "17-erasure";
                let failed = control.verdict == Verdict::Fail;
                assert_eq!(failed, is_meant, "{name}, {}: {control:#?}", pack.name);
                if is_meant {
                    let events: Vec<u64> = control.events.iter().map(|it| it.index).collect();
                    assert_eq!(events, named, "{name}, {}: {control:#?}", pack.name);
                    seen.insert(predicates.iter().find(|it| **it == control.predicate).unwrap());
                }
            }
        }
    }
    let all: BTreeSet<&str> = packs
        .iter()
        .flat_map(|pack| &pack.controls)
        .map(|control| control.predicate.as_str())
        .filter(|predicate| *predicate != "manual")
        .collect();
    let never: Vec<&&str> = all.difference(&seen).collect();
    assert!(never.is_empty(), "packs ask {never:?}, and no log here breaks it");
}

#[test]
fn records_that_stay_too_long_and_erasures_that_wait_fail_where_that_is_asked() {
    let gdpr = Pack::shipped("gdpr").unwrap();
    let failed = |log: &Log| -> Vec<(String, Vec<u64>)> {
        let failed = log.held_against(&gdpr).controls.into_iter();
        let failed = failed.filter(|it| it.verdict == Verdict::Fail);
        failed.map(|it| (it.id, it.events.iter().map(|it| it.index).collect())).collect()
    };
    let mut log = good();
    log.entry("request").1 -= 1_200 * DAY_MS;
    assert_eq!(failed(&log), [("5-1-e-storage".to_owned(), vec![log.index("request")])]);
    let mut log = good();
    log.entry("erased").2["params"]["authority"] = 9_999.into();
    log.entry("asked").1 -= 31 * DAY_MS;
    let asked = log.index("asked");
    let waiting = |id: &str| (id.to_owned(), vec![asked]);
    assert_eq!(failed(&log), [waiting("5-1-c-minimal"), waiting("17-erasure")]);
}

#[test]
fn what_the_records_do_not_say_is_not_assessable_and_never_a_pass() {
    let log = Log { entries: Vec::new(), outside: Outside::default() };
    for pack in packs() {
        for control in log.held_against(&pack).controls {
            let wanted = [Verdict::NotAssessable, Verdict::Manual];
            assert!(wanted.contains(&control.verdict), "{}: {control:#?}", pack.name);
        }
    }
}

#[test]
fn nothing_says_that_anybody_complies() {
    for pack in packs() {
        let answers = good().held_against(&pack);
        let text = serde_json::to_string(&answers).unwrap();
        assert!(text.contains("evidence toward") && !text.contains("compliant"), "{text}");
    }
}

#[test]
fn answers_are_a_page_that_names_clause_finding_and_events() {
    let mut log = good();
    log.set("review", "params", json!({"reviewer": "q"}));
    let page = report::packs::document(&log.held_against(&Pack::shipped("hipaa").unwrap()));
    let view = query::render::View { width: 120, style: query::render::Style::Plain };
    let text = report::document::text(&page, view);
    let review = log.index("review").to_string();
    for part in ["164.308(a)(1)(ii)(D)", "evidence toward", "1 of 1 reviews name no", &review] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

fn refused(text: &str) -> String {
    Pack::parse("mine.toml", text).unwrap_err().to_string()
}

#[test]
fn a_pack_that_cannot_be_asked_is_refused_with_what_is_wrong() {
    let head = "name = \"mine\"\nversion = \"1\"\ntitle = \"t\"\n";
    let control = "[[controls]]\nid = \"a\"\nclause = \"7\"\n";
    let good = format!("{head}{control}predicate = \"C-INT-4\"\n");
    assert!(Pack::parse("mine.toml", &good).is_ok());
    for (text, part) in [
        (format!("colour = \"red\"\n{good}"), "unknown field `colour`"),
        (format!("{good}shade = 1\n"), "unknown field `shade`"),
        (format!("{good}[controls.parameters]\nmin = 1\n"), "unknown field `min`"),
        (format!("{good}[controls.parameters]\ntools = []\n"), "C-INT-4 does not take tools"),
        (format!("{good}[controls.parameters]\nmin_share = 2.0\n"), "from 0 to 1"),
        (format!("{head}{control}predicate = \"C-INT-9\"\n"), "there is no predicate \"C-INT-9\""),
        (format!("{head}{control}predicate = \"manual\"\n"), "needs a question"),
        (format!("{good}{control}predicate = \"C-ID-1\"\n"), "twice"),
        (head.to_owned(), "0 controls"),
        ("name".to_owned(), "mine.toml is no pack"),
    ] {
        let said = refused(&text);
        assert!(said.contains(part), "{said}");
    }
    let unknown = Pack::shipped("hipa").unwrap_err().to_string();
    assert!(unknown.contains("hipaa"), "{unknown}");
}

#[test]
fn how_long_a_record_may_wait_for_witnesses_is_the_packs_to_say() {
    let pack = |parameters: &str| {
        let text = "name = \"m\"\nversion = \"1\"\ntitle = \"t\"\n[[controls]]\nid = \"w\"\n\
                    clause = \"c\"\npredicate = \"C-INT-2\"\n";
        Pack::parse("m.toml", &format!("{text}{parameters}")).unwrap()
    };
    let mut log = good();
    // The last record but one came minutes before the last.
    let last = log.entries.len() as u64 - 1;
    log.entries[last as usize].1 = log.entries[last as usize - 1].1 + 3 * MINUTE_MS;
    let verdict = |log: &Log, parameters: &str| {
        let answers = log.held_against(&pack(parameters));
        (answers.controls[0].verdict, answers.controls[0].found.clone())
    };
    log.outside.witnessed = Some(witnessed(last - 1));
    assert_eq!(verdict(&log, "").0, Verdict::Pass);
    let (strict, found) = verdict(&log, "[controls.parameters]\nmax_minutes = 2\n");
    assert_eq!(strict, Verdict::Fail);
    assert!(found.contains("waited 3 minutes"), "{found}");
    log.outside.witnessed = None;
    let (unasked, found) = verdict(&log, "");
    assert_eq!(unasked, Verdict::NotAssessable);
    assert!(found.contains("--witnesses"), "{found}");
}
