//! Every field of a filter, with a record that matches and one that does not.

use super::*;
use crate::found::State;
use crate::select::{Selection, select};
use event::Kind;
use proptest::prelude::*;
use std::borrow::Cow;

fn record(index: u64, json: &str) -> Found<'static> {
    let event = Event::from_json(json.as_bytes()).unwrap();
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    Found {
        index,
        recorded_at_ms: 1_000_000 * (index + 1),
        tier: Tier::of(&event),
        kind: Kind::Event,
        leaf_hash: None,
        state: State::Present,
        meta: Cow::Owned(meta),
        content: Cow::Owned(content),
    }
}

/// Asks through the sieve and directly; both must say the same.
fn picks(filter: &Filter, json: &str) -> bool {
    let found = record(0, json);
    let direct = filter.matches(&found, &found.event().unwrap());
    assert_eq!(Sieve::new(filter).accepts(&found).unwrap(), direct, "{filter:?} {json}");
    direct
}

fn one(value: &str) -> Vec<String> {
    vec!["other".to_owned(), value.to_owned()]
}

#[test]
fn every_field_picks_its_own_and_nothing_else() {
    let json = r#"{"event_type":"agent.tool_call","agent_name":"Bil\"ling","agent_id":"b-1",
        "session_id":"s","trace_id":"t","task_id":"k","tool":"crm:refund","outcome":"timeout",
        "error_type":"TimeoutError","timestamp":"2026-11-02T14:23:06Z","params":{"order":1042}}"#;
    let none = r#"{"event_type":"agent.reasoning","agent_name":"s","session_id":"t","trace_id":"k",
        "task_id":"b-1","timestamp":"2026-11-03T00:00:00Z","reasoning":"crm:refund TimeoutError"}"#;
    let empty = Filter::default;
    let at = |text| Timestamp::parse(text);
    for filter in [
        Filter { agents: one("Bil\"ling"), ..empty() },
        Filter { agents: one("b-1"), ..empty() },
        Filter { types: one("agent.tool_call"), ..empty() },
        Filter { types: one("agent.tool_*"), ..empty() },
        Filter { sessions: one("s"), ..empty() },
        Filter { traces: one("t"), ..empty() },
        Filter { tasks: one("k"), ..empty() },
        Filter { tools: one("crm:refund"), ..empty() },
        Filter { outcomes: vec![Outcome::Denied, Outcome::Timeout], ..empty() },
        Filter { error_types: one("TimeoutError"), ..empty() },
        Filter { tiers: vec![Tier::Critical], ..empty() },
        Filter { to: at("2026-11-02T14:23:07Z"), ..empty() },
        Filter { text: Some("1042".into()), ..empty() },
    ] {
        assert!(picks(&filter, json), "{filter:?}");
        assert!(!picks(&filter, none), "{filter:?}");
    }
    assert!(picks(&empty(), json) && picks(&empty(), none));
    assert!(picks(&Filter { types: one("*"), ..empty() }, json));
    assert!(!picks(&Filter { types: one("agent.tool"), ..empty() }, json));
    let both = Filter { agents: one("Bil\"ling"), sessions: one("t"), ..empty() };
    assert!(!picks(&both, json) && !picks(&both, none), "all fields must match");
}

#[test]
fn times_are_half_open_and_fall_back_to_the_record_time() {
    let timed = r#"{"event_type":"x","timestamp":"2026-11-02T14:23:06Z"}"#;
    let at = Timestamp::parse("2026-11-02T14:23:06Z");
    assert!(picks(&Filter { from: at, ..Filter::default() }, timed));
    assert!(!picks(&Filter { to: at, ..Filter::default() }, timed));
    let later = at.map(|t| Timestamp(t.0 + 1));
    assert!(!picks(&Filter { from: later, ..Filter::default() }, timed));
    let recorded = Some(Timestamp::from_milliseconds(1_000_000));
    assert!(picks(&Filter { from: recorded, ..Filter::default() }, r#"{"event_type":"x"}"#));
    assert!(!picks(&Filter { to: recorded, ..Filter::default() }, r#"{"event_type":"x"}"#));
}

#[test]
fn a_tool_is_also_found_behind_the_first_colon_of_the_action() {
    let filter = Filter { tools: one("crm:refund"), ..Filter::default() };
    assert!(picks(&filter, r#"{"event_type":"agent.tool_call","action":"tool_call:crm:refund"}"#));
    assert!(!picks(
        &filter,
        r#"{"event_type":"agent.tool_call","action":"tool_call:x:crm:refund"}"#
    ));
    assert!(!picks(&filter, r#"{"event_type":"agent.decision","action":"decision:crm:refund"}"#));
}

#[test]
fn principals_are_found_by_subject() {
    let mut found = record(0, r#"{"event_type":"x"}"#);
    let mut event = Event::new("x");
    event.principal =
        Some(event::Principal { subject: Some("ada".into()), ..event::Principal::default() });
    found.meta.to_mut().clear();
    event.write_meta(found.meta.to_mut());
    let asks = |subject| Filter { principals: one(subject), ..Filter::default() };
    assert_eq!(Sieve::new(&asks("ada")).accepts(&found), Ok(true));
    assert_eq!(Sieve::new(&asks("bob")).accepts(&found), Ok(false));
}

#[test]
fn a_kind_is_the_records_own_whatever_it_says_of_itself() {
    let mut of_log = record(0, r#"{"event_type":"agent.error"}"#);
    of_log.kind = Kind::Log;
    let mut gone = record(1, r#"{"event_type":"agent.error"}"#);
    gone.meta.to_mut().clear();
    for (kind, expected) in
        [(None, [true, true]), (Some(Kind::Event), [false, true]), (Some(Kind::Log), [true, false])]
    {
        let filter = Filter { kind, ..Filter::default() };
        let accepts = |found: &Found<'_>| Sieve::new(&filter).accepts(found).unwrap();
        assert_eq!([accepts(&of_log), accepts(&gone)], expected, "{kind:?}");
        let event = of_log.event().unwrap();
        assert_eq!(filter.matches(&of_log, &event), expected[0], "{kind:?}");
    }
}

#[test]
fn words_ignore_case_and_keys_and_see_through_escapes() {
    let json = r#"{"event_type":"agent.tool_call","agent_name":"Support",
        "params":{"note":"Gr\u00fc\u00dfe aus Z\u00fcrich","path":"C:\\Temp","say":"a \"b\" c","n":1042}}"#;
    let asks = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    for text in
        ["support", "SUPPORT zürich", "\"aus zürich\"", "c:\\temp", "1042", "", "  ", "grüße"]
    {
        assert!(picks(&asks(text), json), "{text}");
    }
    // `note` and `params` are keys; a phrase does not run across values.
    for text in ["note", "params", "\"zürich aus\"", "\"support grüße\"", "support nobody", "u00fc"]
    {
        assert!(!picks(&asks(text), json), "{text}");
    }
}

fn indexes(selection: &Selection) -> Vec<u64> {
    selection.found.iter().map(|found| found.index).collect()
}

#[test]
fn limit_and_order_hold_and_the_scan_stops_early() {
    let records = || (0..100).map(|i| record(i, r#"{"event_type":"x"}"#));
    let oldest = select(records(), &Filter { limit: Some(3), ..Filter::default() });
    assert_eq!((indexes(&oldest), oldest.scanned), (vec![0, 1, 2], 3));
    let newest =
        select(records(), &Filter { limit: Some(3), newest_first: true, ..Filter::default() });
    assert_eq!((indexes(&newest), newest.matched), (vec![99, 98, 97], 100));
    let none =
        select(records(), &Filter { limit: Some(0), newest_first: true, ..Filter::default() });
    assert!(none.found.is_empty());
}

#[test]
fn unreadable_records_are_counted_and_named() {
    let mut bad = record(7, r#"{"event_type":"x","trace_id":"t"}"#);
    bad.meta.to_mut().pop();
    let filter = Filter { traces: one("t"), ..Filter::default() };
    let selection = select([bad], &filter);
    assert_eq!((selection.unreadable, selection.first_unreadable), (1, Some(7)));
    assert!(selection.found.is_empty());
}

#[test]
fn erased_records_answer_only_questions_about_tier_and_time() {
    let mut erased = record(0, r#"{"event_type":"x","trace_id":"t"}"#);
    erased.state = State::Erased;
    erased.meta = Cow::Borrowed(b"");
    let asks = |filter: &Filter| Sieve::new(filter).accepts(&erased).unwrap();
    assert!(asks(&Filter::default()));
    assert!(asks(&Filter { tiers: vec![Tier::Debug], ..Filter::default() }));
    assert!(!asks(&Filter { traces: one("t"), ..Filter::default() }));
}

proptest! {
    #[test]
    fn the_sieve_never_loses_what_the_filter_matches(
        value in any::<String>(),
        other in any::<String>(),
    ) {
        let json = serde_json::json!({
            "event_type": "agent.tool_call", "agent_name": value, "tool": other, "params": {"q": value},
        });
        if let Ok(event) = Event::from_json(json.to_string().as_bytes()) {
            drop(event);
            for filter in [
                Filter { agents: vec![value.clone()], ..Filter::default() },
                Filter { tools: vec![other.clone()], ..Filter::default() },
                Filter { text: Some(value.replace('"', " ")), ..Filter::default() },
            ] {
                picks(&filter, &json.to_string());
            }
        }
    }

    #[test]
    fn the_sieve_and_the_filter_agree_on_times(
        time in 0_u64..20,
        from in 0_u64..20,
        to in 0_u64..20,
    ) {
        let at = |n: u64| Timestamp(1_793_629_381_999_999_990 + n);
        let json = format!(r#"{{"event_type":"x","timestamp":"{}"}}"#, at(time));
        let since = Filter { from: Some(at(from)), ..Filter::default() };
        let between = Filter { to: Some(at(to)), ..since.clone() };
        prop_assert_eq!(picks(&between, &json), from <= time && time < to);
        prop_assert_eq!(picks(&since, &json), from <= time);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        meta in prop::collection::vec(any::<u8>(), 0..200),
        content in prop::collection::vec(any::<u8>(), 0..200),
        text in any::<String>(),
    ) {
        let found = Found { meta: meta.into(), content: content.into(), ..record(0, r#"{"event_type":"x"}"#) };
        let filter = Filter { text: Some(text), agents: vec!["a".into()], ..Filter::default() };
        let _ = Sieve::new(&filter).accepts(&found);
        let words = Filter { agents: Vec::new(), ..filter };
        let _ = Sieve::new(&words).accepts(&found);
        let mut out = Vec::new();
        crate::row::write_row(&found, true, &mut out);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    }
}
