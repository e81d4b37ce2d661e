//! The corpus as lines of JSON, for programs that are not ours.

use super::corpus::{Corpus, CorpusPart, Group};
use super::speed::cpu_time;
use super::{everything, judge, redactor};
use crate::Random;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One line for every `step`th sample of a part: its text, its values, and what our redactor took
/// of them. The last line is what ours took in all, in seconds.
///
/// # Errors
/// A sample that is no event, which is a fault of the corpus.
pub fn sheet(part: CorpusPart, step: usize) -> Result<String, String> {
    let redactor = redactor(&everything())?;
    let mut text = String::new();
    let mut events = Vec::new();
    for sample in Corpus::new(part).samples().step_by(step.max(1)) {
        let verdict = judge::judge(&sample, &judge::leaves(&redactor, &sample)?);
        let values: Vec<_> = sample
            .labels
            .iter()
            .zip(&verdict.found)
            .map(|(label, found)| {
                let group = label.group.as_str();
                json!({"value": label.value, "rule": label.rule, "group": group, "found": found.is_some()})
            })
            .collect();
        let line = json!({
            "text": sample.text, "values": values,
            "right": verdict.right.len(), "wrong": verdict.wrong.len(),
        });
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
        events.push((judge::event_json(&sample), sample.text.len()));
    }
    let mut took = f64::INFINITY;
    for _ in 0..3 {
        let read: Vec<event::Event<'_>> = events
            .iter()
            .map(|(json, _)| event::Event::from_json(json.as_bytes()).map_err(|e| e.to_string()))
            .collect::<Result<_, _>>()?;
        let begun = cpu_time();
        for event in read {
            std::hint::black_box(redactor.redact(std::hint::black_box(event)));
        }
        took = took.min(cpu_time().saturating_sub(begun).as_secs_f64());
    }
    let _ = writeln!(text, "{}", json!({"seconds": took}));
    Ok(text)
}

/// `count` secrets, one on each line, of every kind that is promised to be found: what may be sent
/// through every door, and must then be nowhere. The last line names the kinds left out.
///
/// # Errors
/// A sample that is no event, which is a fault of the corpus.
pub fn canaries(count: usize) -> Result<String, String> {
    let redactor = redactor(&redact::Policy::default())?;
    let corpus = Corpus::new(CorpusPart::HeldOut);
    let mut random = Random::new(11);
    let mut of: BTreeMap<String, (bool, Vec<serde_json::Value>)> = BTreeMap::new();
    for sample in corpus.samples().filter(|sample| sample.labels.len() == 1) {
        let Some(label) = sample.labels.first().filter(|label| label.group != Group::Personal)
        else {
            continue;
        };
        let verdict = judge::judge(&sample, &judge::leaves(&redactor, &sample)?);
        let found = verdict.found.iter().all(Option::is_some);
        let (is_promised, lines) = of.entry(label.rule.clone()).or_insert((true, Vec::new()));
        // A format is promised; one that was missed is a matter of recall. Of what only its
        // surroundings give away, a kind is promised when none was missed.
        *is_promised &= found || label.group != Group::Generic;
        if !found {
            continue;
        }
        lines.push(json!({
            "rule": label.rule, "value": label.value, "text": sample.text, "json": sample.is_json,
        }));
    }
    let (mut text, mut left_out) = (String::new(), Vec::new());
    let mut kinds: Vec<Vec<serde_json::Value>> = Vec::new();
    for (rule, (is_promised, lines)) in of {
        if is_promised {
            kinds.push(lines);
        } else {
            left_out.push(rule);
        }
    }
    for place in 0..count {
        let Some(lines) = kinds.get(place % kinds.len().max(1)) else { break };
        if let Some(line) = random.one_of(lines) {
            let _ = writeln!(text, "{line}");
        }
    }
    let _ = writeln!(text, "{}", json!({"left_out": left_out}));
    Ok(text)
}
