//! Nothing that a stranger wrote reaches the terminal as it is.

use crate::incident::{as_of, record};
use proptest::prelude::*;
use query::render::{self, Style, View};
use query::{Activity, By, Filter, Replay, Scope, Trace, row, select, write_trace};
use serde_json::json;

/// Texts that move cursors, forge lines, reorder letters or hide.
const HOSTILE: &[&str] = &[
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\u{9b}31mred",
    "\u{9d}0;title\u{9c}",
    "ok\r\n14:23:01  Router  All is well  ✓",
    "line\u{2028}line\u{2029}line\u{85}line\u{0b}line\u{0c}",
    "\u{202e}dlrow olleh\u{202c}",
    "a\u{2066}b\u{2067}c\u{2068}d\u{2069}",
    "\u{200e}\u{200f}\u{61c}",
    "\u{e0049}\u{e0067}\u{e006e}\u{e006f}\u{e0072}\u{e0065}",
    "nul\0nul",
    "back\x08\x08\x08\x7f",
    "\u{feff}\u{200b}\u{2060}\u{ad}",
    "z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "tab\there",
    "\u{1b}\u{5b}\u{36}\u{6e}",
];

fn is_forbidden(c: char) -> bool {
    query::escape::is_hidden(c) && c != '\n'
}

/// An event with this text wherever a text fits.
fn event_of(text: &str) -> String {
    json!({
        "event_id": text, "event_type": "agent.tool_call", "agent_name": text, "agent_id": text,
        "task_id": text, "session_id": text, "trace_id": "t", "parent_event_id": format!("{text}?"),
        "caused_by": [text], "action": format!("tool_call:{text}"), "tool": text, "outcome": "failure",
        "error_type": text, "error": text, "cost": {"amount": 1, "currency": text}, "model": text,
        "params": {"task": text, "target": text}, "reasoning": text, "tags": [text], "source": text,
    })
    .to_string()
}

/// Everything that this crate can show of some records.
fn all_outputs(found: &[query::Found<'static>], id: &str, style: Style) -> Vec<String> {
    let mut outputs = Vec::new();
    let trace = Trace::assemble(Scope::Session(id.to_owned()), found);
    let mut origin = as_of();
    origin.origin = id.to_owned();
    outputs.push(render::dot(&trace, &origin));
    outputs.push(render::mermaid(&trace, &origin));
    outputs.push(render::svg(&trace, &origin));
    for width in [40, 60, 100] {
        let view = View { width, style };
        outputs.push(render::timeline(&trace, &origin, view));
        outputs.push(render::tree(&trace, &origin, view));
        outputs.push(render::events(found, &origin, view));
        let replay = Replay::new(&trace, true);
        for number in 0..replay.steps.len() {
            let step = replay.step(&trace, found, number).expect("a step");
            outputs.push(render::step(&replay, &trace, &step, number, view));
        }
        for by in [By::Agent, By::Session] {
            let mut activity = Activity::new(by);
            for found in found {
                activity.offer(found, &found.event().expect("readable"));
            }
            outputs.push(render::activity(&activity.finish(), by, &origin, view));
        }
    }
    let mut json = Vec::new();
    write_trace(&trace, found, &origin, true, &mut json);
    outputs.push(String::from_utf8(json).expect("UTF-8"));
    for shape in [row::Shape::Document, row::Shape::Lines] {
        let mut rows = row::Rows::begin(Vec::new(), shape, &origin, true).expect("memory");
        found.iter().for_each(|found| rows.write(found).expect("memory"));
        outputs.push(String::from_utf8(rows.end().expect("memory")).expect("UTF-8"));
    }
    outputs
}

#[test]
fn no_hostile_text_is_shown_as_it_is() {
    for text in HOSTILE {
        for event_type in
            ["tool_call", "invocation", "error", "handoff", "decision", "llm_response", "x"]
        {
            let json = event_of(text).replace("agent.tool_call", &format!("agent.{event_type}"));
            let found = [record(1, &json), record(2, &json)];
            for output in all_outputs(&found, text, Style::Plain) {
                let bad = output.chars().find(|c| is_forbidden(*c));
                assert_eq!(bad, None, "{event_type} {text:?} in {output:?}");
            }
        }
    }
}

#[test]
fn only_our_own_colours_stand_in_coloured_output() {
    for text in HOSTILE {
        let found = [record(1, &event_of(text))];
        for output in all_outputs(&found, text, Style::Ansi) {
            let ours = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];
            let agents = ["\x1b[34m", "\x1b[35m", "\x1b[36m", "\x1b[94m", "\x1b[95m", "\x1b[96m"];
            let rest = ours.iter().chain(&agents).fold(output, |o, code| o.replace(code, ""));
            assert_eq!(rest.chars().find(|c| is_forbidden(*c)), None, "{text:?} in {rest:?}");
        }
    }
}

#[test]
fn a_forged_line_stays_inside_its_own() {
    let forged = record(1, &event_of("ok\r\n14:23:01  Router  All is well  ✓"));
    let view = View { width: 100, style: Style::Plain };
    let drawn = render::events(&[forged], &as_of(), view);
    // Heading, one event, an empty line, the checkpoint.
    assert_eq!(drawn.lines().count(), 4, "{drawn}");
}

#[test]
fn machine_output_keeps_every_value() {
    for text in HOSTILE {
        let found = record(1, &event_of(text));
        let mut out = Vec::new();
        row::write_row(&found, true, &mut out);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["agent_name"], *text);
        assert_eq!(value["content"]["params"]["task"], *text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_text_is_shown_safely(text in any::<String>(), width in 0_usize..200) {
        let text = if text.is_empty() { "x".to_owned() } else { text.chars().take(40).collect() };
        let found = [record(1, &event_of(&text))];
        let filter = Filter { sessions: vec![text.clone()], ..Filter::default() };
        let selected = select(found.clone(), &filter);
        prop_assert_eq!(selected.found.len(), 1);
        let trace = Trace::assemble(Scope::Session(text.clone()), &found);
        let view = View { width, style: Style::Plain };
        let mut drawn = render::timeline(&trace, &as_of(), view);
        drawn.push_str(&render::tree(&trace, &as_of(), view));
        drawn.push_str(&render::events(&found, &as_of(), view));
        prop_assert!(!drawn.chars().any(is_forbidden));
        for line in drawn.lines() {
            let columns = unicode_width::UnicodeWidthStr::width(line);
            prop_assert!(columns <= width.clamp(40, 400), "{} columns: {}", columns, line);
        }
    }
}

#[test]
fn no_label_gets_out_of_its_node_in_any_graph() {
    for text in [
        "\"];n9[label=\"x",
        "\\",
        "\\\"",
        "</text><script>alert(1)</script>",
        "]]>&amp;<!--",
        "x\"]; click n0 \"javascript:alert(1)\"",
        "%%{init: {}}%%",
        "`**x**`",
        "#quot;",
        "' onload='x",
    ] {
        let found = vec![record(0, &event_of(text))];
        let trace = Trace::assemble(Scope::Trace("t".into()), &found);
        let mut origin = as_of();
        origin.origin = text.to_owned();
        let svg = render::svg(&trace, &origin);
        let tags = |text: &str| text.matches('<').count();
        let plain = vec![record(0, &event_of("plain"))];
        let plain = render::svg(&Trace::assemble(Scope::Trace("t".into()), &plain), &as_of());
        assert_eq!(tags(&svg), tags(&plain), "{svg}");
        assert!(!svg.contains("onload='"), "{svg}");
        let mermaid = render::mermaid(&trace, &origin);
        assert_eq!(mermaid.matches('"').count(), 2, "{mermaid}");
        assert!(!mermaid.contains(['`', '{', '(']), "{mermaid}");
        let dot = render::dot(&trace, &origin);
        for line in dot.lines() {
            let (mut inside, mut escaped) = (false, false);
            for c in line.chars() {
                match c {
                    '"' if !escaped => inside = !inside,
                    '[' | ']' => assert!(inside || line.starts_with("  n"), "{line}"),
                    _ => {}
                }
                escaped = c == '\\' && !escaped;
            }
            assert!(!inside, "{line}");
        }
        assert_eq!(dot.lines().filter(|line| line.starts_with("  n0 [")).count(), 1, "{dot}");
    }
}
