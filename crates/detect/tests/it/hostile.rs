//! Rules and events that mean harm.

use super::{Stored, hits, item, script};
use detect::{Engine, Item, RuleSet, shipped};
use event::Kind;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn a_rule_that_is_wrong_is_refused_with_its_line_and_why() {
    let head = "title: t\nid: a\nlogsource: { product: tachograph }\n";
    for (text, line, reason) in [
        (
            "title: t\nid: a\nlogsource: { product: windows }\ndetection: { s: { tool: x }, condition: s }",
            3,
            "windows",
        ),
        (
            "id: a\nlogsource: { product: tachograph }\ndetection: { s: { tool: x }, condition: s }",
            1,
            "`title`",
        ),
        (&format!("{head}detection:\n  s:\n    EventID: 4\n  condition: s"), 6, "EventID"),
        (&format!("{head}detection:\n  s: {{ tool|like: x }}\n  condition: s"), 5, "\"like\""),
        (&format!("{head}detection:\n  s: {{ tool: x }}\n  condition: s and t"), 6, "\"t\""),
        (
            &format!("{head}detection:\n  s: {{ tool: x }}\n  condition: s | count() > 3"),
            6,
            "correlation",
        ),
        (
            &format!("{head}detection:\n  s: {{ tool: x }}\n  timeframe: 5m\n  condition: s"),
            6,
            "timespan",
        ),
        (
            &format!("{head}levle: high\ndetection: {{ s: {{ tool: x }}, condition: s }}"),
            4,
            "levle",
        ),
        (
            &format!("{head}level: awful\ndetection: {{ s: {{ tool: x }}, condition: s }}"),
            4,
            "critical",
        ),
        (
            "title: t\nid: c\ncorrelation: { type: event_count, rules: [nobody], timespan: 5m, condition: { gte: 3 } }",
            3,
            "nobody",
        ),
        (
            "title: t\nid: c\ncorrelation: { type: median, rules: [a], timespan: 5m, condition: { gte: 3 } }",
            3,
            "median",
        ),
        (
            "title: t\nid: c\ncorrelation: { type: event_count, rules: [a], timespan: 91d, condition: { gte: 3 } }",
            3,
            "90d",
        ),
        (
            "title: t\nid: c\ncorrelation: { type: event_count, rules: [a], timespan: 5m, condition: { gte: 0 } }",
            3,
            "10000",
        ),
        ("title: t\n  id: a", 2, "not YAML"),
        ("a: &x [1]\nb: *x", 1, "anchors"),
    ] {
        let error = RuleSet::parse("mine.yml", text).map(drop).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert!(error.to_string().starts_with("mine.yml:"));
    }
    let twice = format!(
        "{head}detection: {{ s: {{ tool: x }}, condition: s }}\n---\n{head}detection: {{ s: {{ tool: x }}, condition: s }}"
    );
    assert_eq!(RuleSet::parse("mine.yml", &twice).map(drop).unwrap_err().line, 6);
}

#[test]
fn memory_is_bounded_whatever_agents_call_themselves() {
    let mut engine = Engine::new(shipped(&[]).unwrap().into(), "test.example");
    let mut hits = Vec::new();
    for n in 0..25_000_u64 {
        let events = [json!({"event_type": "agent.tool_call", "tool": format!("t{n}"),
            "trace_id": format!("run-{n}"), "agent_name": format!("a{n}"), "outcome": "denied",
            "params": {"n": n}, "cost": {"amount": 0.01}})];
        let records = script(&events);
        engine.offer(&item(n, &records[0]), &mut hits);
    }
    assert_eq!(hits.len(), 0);
    assert!(engine.open(0).len() <= 5_000);
}

#[test]
fn a_hit_says_nothing_that_a_terminal_obeys() {
    let rules = "title: t\nid: a\nlogsource: { product: tachograph }\ndetection: { s: { tool|contains: x }, condition: s }";
    let events = [json!({"event_type": "agent.tool_call", "tool": "x\u{1b}[2J\u{202e}"})];
    let hits = hits(RuleSet::parse("m", rules).unwrap(), &script(&events));
    assert!(!hits[0].why.contains('\u{1b}'), "{:?}", hits[0].why);
}

/// Rules that read, and such as almost do.
fn rule() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "title: t\n",
        "id: a\n",
        "name: b\n",
        "logsource: { product: tachograph }\n",
        "detection:\n",
        "  s: { tool: x }\n",
        "  s:\n",
        "    tool|re: '(a+)+$'\n",
        "    tool|contains|all: [a, '*']\n",
        "  k: [a, b]\n",
        "  condition: 1 of them\n",
        "correlation: { type: event_count, rules: [a], timespan: 5m, condition: { gte: 3 } }\n",
        "---\n",
        "level: high\n",
        "  - [\n",
        "\t",
        "&a ",
        "*a",
        "!!str ",
        "'",
        "\"",
        ": ",
        "? ",
        "| ",
        "> ",
        "{",
        "}",
        "[",
        "]",
        "\u{0}",
        "é",
    ]);
    prop::collection::vec(words, 0..20).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_compiler(text in rule()) {
        drop(RuleSet::parse("m", &text));
    }

    #[test]
    fn no_bytes_break_the_compiler(text in "\\PC{0,80}") {
        drop(RuleSet::parse("m", &text));
    }

    #[test]
    fn no_record_breaks_the_engine(
        records in prop::collection::vec(
            (any::<u64>(), prop::collection::vec(any::<u8>(), 0..80), any::<bool>()), 0..20
        )
    ) {
        let mut engine = Engine::new(shipped(&[]).unwrap().into(), "o");
        let mut hits = Vec::new();
        for (index, (recorded_at_ms, bytes, is_wrapped)) in (0..).zip(&records) {
            let meta = match is_wrapped {
                true => [b"{\"event_type\":\"agent.tool_call\",\"tool\":", &bytes[..], b"}"].concat(),
                false => bytes.clone(),
            };
            let kind = Kind::Event;
            let (recorded_at_ms, meta) = (*recorded_at_ms, &meta[..]);
            let item = Item { index, recorded_at_ms, kind, meta, content: bytes };
            engine.offer(&item, &mut hits);
        }
    }

    #[test]
    fn the_same_records_give_the_same_hits(
        seed in prop::collection::vec((0_u64..4, 0_u64..3), 1..80)
    ) {
        let events: Vec<serde_json::Value> = seed.iter().map(|(tool, kind)| match kind {
            0 => json!({"event_type": "agent.tool_call", "tool": format!("t{tool}"), "params": {}}),
            1 => json!({"event_type": "agent.tool_call", "tool": format!("t{tool}"), "outcome": "denied"}),
            _ => json!({"event_type": "agent.tool_result", "tool": format!("t{tool}"), "outcome": "success"}),
        }).collect();
        let records: Vec<Stored> = script(&events);
        let found = || hits(shipped(&[]).unwrap(), &records);
        prop_assert_eq!(found(), found());
    }
}
