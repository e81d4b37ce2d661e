//! What two traces have in common.

use super::*;
use crate::found::{Found, State};
use crate::trace::Scope;
use event::{Event, Kind, Tier};
use proptest::prelude::*;
use serde_json::{Value, json};

fn trace(values: &[Value]) -> Trace {
    let record = |(index, value): (u64, &Value)| {
        let mut value = value.clone();
        value["timestamp"] = index.into();
        let text = value.to_string();
        let event = Event::from_json(text.as_bytes()).unwrap();
        let mut meta = Vec::new();
        event.write_meta(&mut meta);
        Found {
            index,
            recorded_at_ms: 1_000,
            tier: Tier::Info,
            kind: Kind::Event,
            leaf_hash: None,
            state: State::Present,
            meta: meta.into(),
            content: b"".as_slice().into(),
        }
    };
    let found: Vec<_> = (0..).zip(values).map(record).collect();
    Trace::assemble(Scope::Trace("t".into()), &found)
}

fn call(tool: &str, outcome: &str) -> Value {
    json!({"event_type": "agent.tool_call", "tool": tool, "outcome": outcome})
}

/// Rows as `+tool`, `-tool`, ` tool`, with what differs.
fn rows(left: &[Value], right: &[Value]) -> Vec<String> {
    let (left, right) = (trace(left), trace(right));
    let row = |row: &DifferenceRow| {
        let node = match (row.left, row.right) {
            (Some(at), _) => &left.nodes[at],
            (None, at) => &right.nodes[at.unwrap()],
        };
        let sign = match (row.left, row.right) {
            (Some(_), Some(_)) => ' ',
            (Some(_), None) => '-',
            _ => '+',
        };
        let changes =
            row.changes.iter().map(|it| format!(" {} {}>{}", it.field, it.left, it.right));
        format!("{sign}{}{}", node.summary.tool.as_deref().unwrap(), changes.collect::<String>())
    };
    Difference::between(&left, &right).rows.iter().map(row).collect()
}

#[test]
fn steps_of_one_trace_alone_and_what_differs_in_common_ones_are_told() {
    let left = [call("a", "success"), call("b", "timeout"), call("c", "success")];
    let right = [call("a", "success"), call("x", "success"), call("b", "success")];
    assert_eq!(rows(&left, &right), [" a", "+x", " b status timeout>success", "-c"]);
    assert_eq!(rows(&left, &left), [" a", " b", " c"]);
    assert_eq!(rows(&[], &left), ["+a", "+b", "+c"]);
}

#[test]
fn durations_differ_when_one_is_more_than_twice_the_other() {
    let took = |ms: u64| json!({"event_type": "agent.tool_call", "tool": "a", "duration_ms": ms});
    assert_eq!(rows(&[took(100)], &[took(199)]), [" a"]);
    assert_eq!(rows(&[took(100)], &[took(300)]), [" a duration 100 ms>300 ms"]);
}

proptest! {
    #[test]
    fn every_step_of_both_stands_in_one_row(
        left in proptest::collection::vec(0_u8..4, 0..12),
        right in proptest::collection::vec(0_u8..4, 0..12),
    ) {
        let values = |all: &[u8]| -> Vec<Value> {
            all.iter().map(|n| call(&n.to_string(), "success")).collect()
        };
        let (a, b) = (trace(&values(&left)), trace(&values(&right)));
        let it = Difference::between(&a, &b);
        let of_left: Vec<usize> = it.rows.iter().filter_map(|row| row.left).collect();
        let of_right: Vec<usize> = it.rows.iter().filter_map(|row| row.right).collect();
        prop_assert_eq!(of_left, (0..left.len()).collect::<Vec<_>>());
        prop_assert_eq!(of_right, (0..right.len()).collect::<Vec<_>>());
        prop_assert_eq!(it.common + it.only_left, left.len());
        prop_assert_eq!(it.common + it.only_right, right.len());
        let greedy = greedy(&keys(&a), &keys(&b)).len();
        prop_assert!(greedy <= it.common);
    }
}
