//! Drawings of odd traces; what the usual one looks like is kept in `tests/golden`.

use super::*;
use crate::found::{AsOf, Found, State};
use crate::trace::{Scope, Trace};
use event::{Kind, Tier};

const VIEW: View = View { width: 100, style: Style::Plain };

fn as_of() -> AsOf {
    AsOf { origin: "o".into(), size: 1, root_hex: "00".into() }
}

fn record(index: u64, meta: String) -> Found<'static> {
    Found {
        index,
        recorded_at_ms: 86_399_000 + index * 2_000,
        tier: Tier::Info,
        kind: Kind::Event,
        leaf_hash: None,
        state: State::Present,
        meta: meta.into_bytes().into(),
        content: b"".as_slice().into(),
    }
}

#[test]
fn an_empty_trace_names_its_checkpoint() {
    let trace = Trace::assemble(Scope::Session("s".into()), &[]);
    for drawn in [timeline(&trace, &as_of(), VIEW), tree(&trace, &as_of(), VIEW)] {
        assert_eq!(
            drawn,
            "Session s\n0 events · no errors · 0 ms\n\n\nAs of o, 1 entry, root 00\n"
        );
    }
    assert!(events(&[], &as_of(), VIEW).starts_with("No events match."));
}

#[test]
fn midnight_is_marked() {
    let found = [0, 1].map(|index| record(index, format!(r#"{{"event_type":"x{index}"}}"#)));
    let trace = Trace::assemble(Scope::Trace("t".into()), &found);
    let drawn = timeline(&trace, &as_of(), VIEW);
    assert!(drawn.contains("── 1970-01-02 ──\n00:00:01"), "{drawn}");
    assert!(drawn.contains("1970-01-01 23:59:59 – 1970-01-02 00:00:01 UTC"), "{drawn}");
}

#[test]
fn deep_levels_are_named_where_they_do_not_fit() {
    let found: Vec<_> = (0..40_u64)
        .map(|i| {
            let parent = i.checked_sub(1).map(|p| format!(r#","parent_event_id":"e{p}""#));
            let parent = parent.unwrap_or_default();
            record(i, format!(r#"{{"event_id":"e{i}","event_type":"step{i}"{parent}}}"#))
        })
        .collect();
    let trace = Trace::assemble(Scope::Trace("t".into()), &found);
    let drawn = tree(&trace, &as_of(), VIEW);
    assert!(drawn.contains("⋯39 ") && drawn.contains("└╴✓ –  step39"), "{drawn}");
    // Lines of the deepest levels begin their branch in the same column.
    let column = |name: &str| {
        let line = drawn.lines().find(|line| line.contains(&format!("  {name} "))).unwrap();
        line.chars().position(|c| c == '╴')
    };
    assert_eq!(column("step38"), column("step39"), "{drawn}");
}

#[test]
fn erased_expired_and_damaged_records_are_said_to_be_so() {
    let gone = |index, state| Found { state, ..record(index, String::new()) };
    let damaged = record(4, "{".to_owned());
    let found = [gone(2, State::Erased), gone(3, State::Expired), damaged];
    let drawn = events(&found, &as_of(), VIEW);
    for text in ["Record erased\n", "Record expired\n", "Record cannot be read\n"] {
        assert!(drawn.contains(text), "{drawn}");
    }
    let erased = Found { state: State::ContentErased, ..record(0, r#"{"event_type":"x"}"#.into()) };
    let trace = Trace::assemble(Scope::Trace("t".into()), &[erased, record(1, "{".to_owned())]);
    let drawn = timeline(&trace, &as_of(), VIEW);
    assert!(drawn.contains("content erased\n"), "{drawn}");
    assert!(drawn.contains("1 event that could not be read: #1\n"), "{drawn}");
}
