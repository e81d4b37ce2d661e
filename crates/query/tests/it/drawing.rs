//! What people see, kept as files in `tests/golden`.

use crate::incident::{as_of, refund};
use query::render::{self, Style, View};
use query::{Activity, By, Filter, Replay, Scope, Trace, select};
use std::path::Path;

fn trace() -> Trace {
    Trace::assemble(Scope::Trace("5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6".to_owned()), &refund())
}

const WIDE: View = View { width: 100, style: Style::Plain };
const NARROW: View = View { width: 60, style: Style::Plain };

/// Compares with the file; the drawing of a failed test lies in the target folder, to be looked at
/// and, if it is better, copied over the file.
fn golden(name: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    if drawn != wanted {
        let actual = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&actual, drawn).expect("the target folder is writable");
        panic!("{} differs from {}:\n{drawn}", actual.display(), path.display());
    }
}

#[test]
fn timeline_looks_as_it_should() {
    golden("timeline-100.txt", &render::timeline(&trace(), &as_of(), WIDE));
    golden("timeline-60.txt", &render::timeline(&trace(), &as_of(), NARROW));
}

#[test]
fn tree_looks_as_it_should() {
    golden("tree-100.txt", &render::tree(&trace(), &as_of(), WIDE));
    golden("tree-60.txt", &render::tree(&trace(), &as_of(), NARROW));
}

#[test]
fn colours_change_nothing_but_colours() {
    let ansi = View { style: Style::Ansi, ..WIDE };
    let coloured =
        render::timeline(&trace(), &as_of(), ansi) + &render::tree(&trace(), &as_of(), ansi);
    assert!(coloured.contains("\x1b[31m"));
    let mut plain = String::new();
    for (position, piece) in coloured.split('\x1b').enumerate() {
        plain.push_str(if position == 0 { piece } else { piece.split_once('m').unwrap().1 });
    }
    let wanted =
        render::timeline(&trace(), &as_of(), WIDE) + &render::tree(&trace(), &as_of(), WIDE);
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&plain), trimmed(&wanted));
}

#[test]
fn events_table_looks_as_it_should() {
    let filter = Filter { newest_first: true, limit: Some(8), ..Filter::default() };
    let found = select(refund(), &filter).found;
    golden("events-100.txt", &render::events(&found, &as_of(), WIDE));
    golden("events-60.txt", &render::events(&found, &as_of(), NARROW));
}

#[test]
fn activity_table_looks_as_it_should() {
    let mut drawn = String::new();
    for view in [WIDE, NARROW] {
        for by in [By::Agent, By::Session] {
            let mut activity = Activity::new(by);
            for found in refund() {
                activity.offer(&found, &found.event().unwrap());
            }
            drawn.push_str(&render::activity(&activity.finish(), by, &as_of(), view));
            drawn.push('\n');
        }
    }
    golden("activity.txt", &drawn);
}

#[test]
fn graphs_are_what_they_were() {
    golden("graph.dot", &render::dot(&trace(), &as_of()));
    golden("graph.mmd", &render::mermaid(&trace(), &as_of()));
    golden("graph.svg", &render::svg(&trace(), &as_of()));
}

#[test]
fn a_replay_shows_what_was_known_at_each_decision() {
    let (trace, found) = (trace(), refund());
    let replay = Replay::new(&trace, false);
    let mut drawn = String::new();
    for number in 0..replay.steps.len() {
        let step = replay.step(&trace, &found, number).unwrap();
        drawn.push_str(&render::step(&replay, &trace, &step, number, WIDE));
        drawn.push('\n');
    }
    golden("replay-100.txt", &(drawn + &render::replay_foot(&as_of(), WIDE)));
}

#[test]
fn no_line_is_wider_than_the_view() {
    for width in 40..130 {
        let view = View { width, style: Style::Plain };
        let drawn = render::timeline(&trace(), &as_of(), view)
            + &render::tree(&trace(), &as_of(), view)
            + &render::events(&refund(), &as_of(), view);
        for line in drawn.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= width, "{width}: {line}");
        }
    }
}
