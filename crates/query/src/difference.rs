//! Two traces beside each other: which steps both have, which only one, and what differs in those
//! that both have.
//!
//! Steps are the same when agent, type and tool (without one, action) are; the longest common
//! sequence of them is laid side by side. Times differ always and are not compared; durations only
//! when one is more than twice the other.

use crate::trace::{Node, Trace};

/// Cells of the table that finds the longest common sequence; beyond it the next same step is
/// taken.
const CELLS_MAX: usize = 4_000_000;

/// Durations differ when one is this much longer.
const LONGER: f64 = 2.0;

/// A field in which two steps differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name.
    pub field: &'static str,
    /// In the first trace.
    pub left: String,
    /// In the second.
    pub right: String,
}

/// One row: a step of either trace, or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceRow {
    /// The node in the first trace.
    pub left: Option<usize>,
    /// The node in the second.
    pub right: Option<usize>,
    /// In what they differ, if both are there.
    pub changes: Vec<FieldChange>,
}

/// Two traces beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The rows, in the order of both.
    pub rows: Vec<DifferenceRow>,
    /// Steps that both have.
    pub common: usize,
    /// Steps that both have and that differ.
    pub changed: usize,
    /// Steps that only the first has.
    pub only_left: usize,
    /// Steps that only the second has.
    pub only_right: usize,
    /// The traces are too long for the longest common sequence: more may be common.
    pub is_approximate: bool,
}

impl Difference {
    /// Lays two traces side by side.
    #[must_use]
    pub fn between(left: &Trace, right: &Trace) -> Self {
        let (a, b) = (keys(left), keys(right));
        let begin = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        let (rest_a, rest_b) = (a.get(begin..).unwrap_or(&[]), b.get(begin..).unwrap_or(&[]));
        let ends = rest_a.iter().rev().zip(rest_b.iter().rev());
        let end = ends.take_while(|(a, b)| a == b).count();
        let middle_a = rest_a.get(..rest_a.len() - end).unwrap_or(&[]);
        let middle_b = rest_b.get(..rest_b.len() - end).unwrap_or(&[]);
        let is_approximate = (middle_a.len() + 1).saturating_mul(middle_b.len() + 1) > CELLS_MAX;
        let pairs = match is_approximate {
            true => greedy(middle_a, middle_b),
            false => longest(middle_a, middle_b),
        };
        let mut all: Vec<(usize, usize)> = (0..begin).map(|at| (at, at)).collect();
        all.extend(pairs.into_iter().map(|(x, y)| (begin + x, begin + y)));
        all.extend((0..end).rev().map(|back| (a.len() - 1 - back, b.len() - 1 - back)));
        Self::of(left, right, &all, is_approximate)
    }

    fn of(left: &Trace, right: &Trace, pairs: &[(usize, usize)], is_approximate: bool) -> Self {
        let (mut rows, mut at) = (Vec::new(), (0, 0));
        let ends = [(left.nodes.len(), right.nodes.len())];
        for (x, y) in pairs.iter().chain(&ends).copied() {
            let only = |left, right| DifferenceRow { left, right, changes: Vec::new() };
            rows.extend((at.0..x).map(|left| only(Some(left), None)));
            rows.extend((at.1..y).map(|right| only(None, Some(right))));
            if let Some((a, b)) = left.nodes.get(x).zip(right.nodes.get(y)) {
                let changes = changes(a, b);
                rows.push(DifferenceRow { left: Some(x), right: Some(y), changes });
            }
            at = (x + 1, y + 1);
        }
        let count = |is: fn(&DifferenceRow) -> bool| rows.iter().filter(|row| is(row)).count();
        Self {
            common: pairs.len(),
            changed: count(|row| !row.changes.is_empty()),
            only_left: count(|row| row.right.is_none()),
            only_right: count(|row| row.left.is_none()),
            is_approximate,
            rows,
        }
    }
}

/// What makes two steps the same.
type Key<'t> = (Option<&'t str>, &'t str, &'t str);

fn keys(trace: &Trace) -> Vec<Key<'_>> {
    trace.nodes.iter().map(key).collect()
}

fn key(node: &Node) -> Key<'_> {
    let it = &node.summary;
    let what = it.tool.as_deref().unwrap_or_else(|| match it.event_type.as_str() {
        // What a label says of these is content, or a figure.
        "agent.invocation" | "agent.llm_response" | "agent.token_usage" | "agent.error" => "",
        "agent.decision" => it.label.split(" (confidence").next().unwrap_or_default(),
        _ => &it.label,
    });
    (it.agent.as_deref(), &it.event_type, what)
}

/// The longest common sequence, as pairs of positions.
fn longest(a: &[Key<'_>], b: &[Key<'_>]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    let mut best = vec![0_u32; (a.len() + 1) * width];
    let at = |x: usize, y: usize| x * width + y;
    let get = |best: &[u32], x, y| best.get(at(x, y)).copied().unwrap_or(0);
    for (x, left) in a.iter().enumerate().rev() {
        for (y, right) in b.iter().enumerate().rev() {
            let value = match left == right {
                true => get(&best, x + 1, y + 1) + 1,
                false => get(&best, x + 1, y).max(get(&best, x, y + 1)),
            };
            if let Some(slot) = best.get_mut(at(x, y)) {
                *slot = value;
            }
        }
    }
    let (mut x, mut y, mut pairs) = (0, 0, Vec::new());
    while let Some((left, right)) = a.get(x).zip(b.get(y)) {
        if left == right {
            pairs.push((x, y));
            (x, y) = (x + 1, y + 1);
        } else if get(&best, x + 1, y) >= get(&best, x, y + 1) {
            x += 1;
        } else {
            y += 1;
        }
    }
    pairs
}

/// For each step the next same one, where it is near: a common sequence, not the longest.
fn greedy(a: &[Key<'_>], b: &[Key<'_>]) -> Vec<(usize, usize)> {
    const NEAR: usize = 256;
    let (mut next, mut pairs) = (0, Vec::new());
    for (x, left) in a.iter().enumerate() {
        let near = b.iter().enumerate().skip(next).take(NEAR);
        if let Some((y, _)) = near.into_iter().find(|(_, right)| *right == left) {
            pairs.push((x, y));
            next = y + 1;
        }
    }
    pairs
}

fn changes(left: &Node, right: &Node) -> Vec<FieldChange> {
    let (a, b) = (&left.summary, &right.summary);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut all = Vec::new();
    let mut compare = |field, left: String, right: String| {
        if left != right {
            all.push(FieldChange { field, left, right });
        }
    };
    compare("status", a.status.as_str().to_owned(), b.status.as_str().to_owned());
    compare("error_type", text(&a.error_type), text(&b.error_type));
    compare("model", text(&a.model), text(&b.model));
    compare("label", a.label.clone(), b.label.clone());
    if let Some((x, y)) = a.duration_ms.zip(b.duration_ms)
        && (x > y * LONGER || y > x * LONGER)
    {
        let shown = crate::render::duration;
        all.push(FieldChange { field: "duration", left: shown(x), right: shown(y) });
    }
    all
}

#[cfg(test)]
mod tests;
