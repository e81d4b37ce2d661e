//! What nobody can see in a trace: what is missing, gone, hidden, or told by clocks that disagree.
//!
//! Said whatever the verdict is: an answer without its limits reads like more than it is.

use super::surroundings::Surroundings;
use super::{Case, origin};
use event::{Part, types};
use query::{Found, GapKind, State};
use serde::Serialize;

/// Events that are named for each.
const NAMED_MAX: usize = 10;

/// A producer's clock may be ahead of the log's by so much before it is said.
const AHEAD_MS: u64 = 5_000;

/// Something that cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlindSpot {
    /// Its name for programs.
    pub kind: &'static str,
    /// What cannot be seen, and why.
    pub sentence: String,
    /// How many events it concerns.
    pub count: u64,
    /// The indexes of the first.
    pub events: Vec<u64>,
}

pub(super) fn of(
    case: &Case<'_>,
    found: &[Found<'_>],
    surroundings: Option<&Surroundings>,
) -> Vec<BlindSpot> {
    let mut spots = Vec::new();
    links(case, &mut spots);
    ends(case, &mut spots);
    clocks(case, &mut spots);
    content(case, found, &mut spots);
    producers(case, surroundings, &mut spots);
    add(&mut spots, "unreadable", &case.trace.findings.unreadable, |count| {
        format!("{count} could not be read; run `tacho verify`")
    });
    if case.symptoms.all.len() >= origin::SYMPTOMS_MAX {
        let sentence = format!("only the first {} failures were compared", origin::SYMPTOMS_MAX);
        spots.push(BlindSpot { kind: "too_many_failures", sentence, count: 0, events: Vec::new() });
    }
    spots.push(BlindSpot {
        kind: "always",
        sentence: "whether what agents and tools reported is true, and what nobody sent to the log"
            .to_owned(),
        count: 0,
        events: Vec::new(),
    });
    spots
}

/// Adds a blind spot of some events, if there are any.
fn add(
    spots: &mut Vec<BlindSpot>,
    kind: &'static str,
    events: &[u64],
    sentence: impl Fn(String) -> String,
) {
    let count = events.len() as u64;
    if count == 0 {
        return;
    }
    let noun = if count == 1 { "event" } else { "events" };
    spots.push(BlindSpot {
        kind,
        sentence: sentence(format!("{count} {noun}")),
        count,
        events: events.iter().take(NAMED_MAX).copied().collect(),
    });
}

fn indexes(case: &Case<'_>, nodes: impl Iterator<Item = usize>) -> Vec<u64> {
    nodes.map(|at| case.index(at)).collect()
}

fn links(case: &Case<'_>, spots: &mut Vec<BlindSpot>) {
    let findings = &case.trace.findings;
    let orphans = indexes(case, findings.orphans.iter().map(|orphan| orphan.node));
    add(spots, "missing_parent", &orphans, |count| {
        format!("{count} named a parent that is not in this trace: what led there is not seen")
    });
    let circles = findings.circles.iter().map(|circle| match circle {
        query::Circle::Parents(nodes) => nodes.first().copied().unwrap_or_default(),
        query::Circle::Causes(node) => *node,
    });
    add(spots, "circular_links", &indexes(case, circles), |count| {
        format!("{count} stood in links that go in a circle, which were cut")
    });
    let is_alone = |at: &usize| {
        case.trace.nodes.get(*at).is_some_and(|it| it.parent.is_none() && it.causes.is_empty())
    };
    let alone = indexes(case, (1..case.trace.nodes.len()).filter(is_alone));
    if alone.len() * 2 > case.trace.nodes.len() {
        add(spots, "few_links", &alone, |count| {
            format!("{count} named neither a parent nor a cause: what led to what is told by time")
        });
    }
}

fn ends(case: &Case<'_>, spots: &mut Vec<BlindSpot>) {
    let gaps = |kind| {
        let gaps = case.trace.findings.gaps.iter().filter(move |gap| gap.kind == kind);
        gaps.map(|gap| gap.node)
    };
    let calls = indexes(case, gaps(GapKind::ToolCallWithoutResult));
    add(spots, "call_without_result", &calls, |count| {
        format!("{count} called a tool, and no result is in the log: whether it acted is not seen")
    });
    let open = indexes(case, gaps(GapKind::InvocationWithoutEnd));
    add(spots, "invocation_without_end", &open, |count| {
        format!("{count} began an agent's work, and no end of it is in the log")
    });
}

fn clocks(case: &Case<'_>, spots: &mut Vec<BlindSpot>) {
    let reordered = indexes(case, case.trace.findings.reordered.iter().copied());
    add(spots, "clocks_disagree", &reordered, |count| {
        format!("{count} claim a time before that of what caused them: clocks disagree")
    });
    let nodes = case.trace.nodes.iter().zip(case.facts).enumerate();
    let is_ahead = nodes.filter(|(_, (node, facts))| {
        facts.recorded_at_ms > 0
            && node.summary.time.milliseconds() > facts.recorded_at_ms.saturating_add(AHEAD_MS)
    });
    let ahead = indexes(case, is_ahead.map(|(at, _)| at));
    add(spots, "clock_ahead", &ahead, |count| {
        format!("{count} claim a time after the one at which the log took them")
    });
}

fn content(case: &Case<'_>, found: &[Found<'_>], spots: &mut Vec<BlindSpot>) {
    let of_state = |states: &[State]| -> Vec<u64> {
        found.iter().filter(|it| states.contains(&it.state)).map(|it| it.index).collect()
    };
    add(spots, "erased", &of_state(&[State::Erased, State::Expired]), |count| {
        format!("{count} were erased or expired: only that they were there is known")
    });
    add(spots, "content_erased", &of_state(&[State::ContentErased]), |count| {
        format!("the content of {count} was erased: parameters, results and messages are gone")
    });
    let nodes = || case.trace.nodes.iter().zip(case.facts);
    let redacted: Vec<u64> =
        nodes().filter(|(_, it)| it.redactions > 0).map(|(node, _)| node.summary.index).collect();
    add(spots, "redacted", &redacted, |count| {
        format!("secrets or personal data were taken out of {count} before they were sealed")
    });
    if nodes().all(|(_, facts)| !facts.has_content) && !case.trace.nodes.is_empty() {
        let sentence =
            "no content was seen: messages, parameters and answers took no part in the rules";
        let count = case.trace.nodes.len() as u64;
        let events = Vec::new();
        spots.push(BlindSpot { kind: "no_content", sentence: sentence.to_owned(), count, events });
    }
    let thinking = found.iter().filter_map(|it| {
        let event = it.event().ok()?;
        let hidden = event.tokens.and_then(|tokens| tokens.reasoning).is_some_and(|n| n > 0);
        let is_told =
            event.event_type == types::REASONING || event.content.get(Part::Reasoning).is_some();
        (hidden && !is_told).then_some(it.index)
    });
    add(spots, "hidden_reasoning", &thinking.collect::<Vec<_>>(), |count| {
        format!("{count} spent tokens on reasoning that no event shows")
    });
}

fn producers(case: &Case<'_>, around: Option<&Surroundings>, spots: &mut Vec<BlindSpot>) {
    let nodes = || case.trace.nodes.iter().zip(case.facts);
    let of = |is: fn(&super::Facts) -> bool| -> Vec<u64> {
        nodes().filter(|(_, it)| is(it)).map(|(node, _)| node.summary.index).collect()
    };
    add(spots, "lossy_channel", &of(|it| it.is_lossy), |count| {
        format!("{count} came over a channel that may lose events")
    });
    for missing in around.map(Surroundings::missing).unwrap_or_default() {
        spots.push(BlindSpot {
            kind: "sequence_gap",
            sentence: format!(
                "the producer {} numbered its events, and {} of its numbers are not in the log, \
                 the first {}",
                missing.producer, missing.count, missing.first
            ),
            count: missing.count,
            events: Vec::new(),
        });
    }
    if around.is_none() {
        let sentence = "what else touched the same things, and gaps in the producers' numbers, \
                        were not looked for";
        let (count, events) = (0, Vec::new());
        let sentence = sentence.to_owned();
        spots.push(BlindSpot { kind: "surroundings_not_read", sentence, count, events });
    }
    if nodes().all(|(_, it)| it.principal.is_none()) {
        spots.push(BlindSpot {
            kind: "no_principal",
            sentence: "no event has an authenticated caller: who sent them is the producers' claim"
                .to_owned(),
            count: case.trace.nodes.len() as u64,
            events: Vec::new(),
        });
    }
}
