//! What is remembered of one group of events: times, and what they hold, never the events.
//!
//! Each is bounded by the rule's own count; [`Window::units`] says by how much.

use std::collections::VecDeque;

/// Values that are known as usual; a group with more has no usual ones, and nothing is new in it.
const KNOWN_MAX: usize = 256;
/// Parts of a timespan that sums are kept by.
const PARTS: u64 = 64;

/// What one event adds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) time_ms: u64,
    pub(crate) index: u64,
    /// Which of the correlation's rules it matched.
    pub(crate) rule: usize,
    /// The hash of its value, and the number that it is.
    pub(crate) value: u64,
    pub(crate) number: f64,
}

#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// The newest events.
    Count(VecDeque<(u64, u64)>),
    /// The newest event of each value.
    Distinct(Vec<(u64, u64, u64)>),
    /// Sums of parts of the timespan: when they began, the first index, the sum.
    Sum(VecDeque<(u64, u64, f64)>),
    /// The newest event of each rule; of an ordered one, when the chain that it ends began.
    Steps(Vec<Option<(u64, u64)>>),
    /// The usual values, and in how many events.
    Known { values: Vec<u64>, seen: u64 },
}

/// What made the threshold be reached: the events, as far as they are known, and how much it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reached {
    pub(crate) indices: Vec<u64>,
    pub(crate) amount: f64,
}

impl Window {
    /// How many numbers it holds at most.
    pub(crate) fn units(of: &crate::correlation::Of, rules: usize) -> u64 {
        use crate::correlation::Of;
        match of {
            Of::EventCount(count) => *count * 2,
            Of::ValueCount(_, count) => *count * 3,
            Of::ValueSum(..) => PARTS * 3 + 3,
            Of::Temporal | Of::TemporalOrdered => rules as u64 * 2,
            Of::NewValue(..) => KNOWN_MAX as u64,
        }
    }

    /// So many events within the span.
    pub(crate) fn count(
        times: &mut VecDeque<(u64, u64)>,
        step: Step,
        span_ms: u64,
        wanted: u64,
    ) -> Option<Reached> {
        times.push_back((step.time_ms, step.index));
        while times.len() as u64 > wanted {
            times.pop_front();
        }
        let oldest = times.front()?.0;
        let is_reached = times.len() as u64 == wanted && step.time_ms.abs_diff(oldest) <= span_ms;
        is_reached.then(|| Reached {
            indices: times.iter().map(|(_, index)| *index).collect(),
            amount: wanted as f64,
        })
    }

    /// So many different values within the span.
    pub(crate) fn distinct(
        seen: &mut Vec<(u64, u64, u64)>,
        step: Step,
        span_ms: u64,
        wanted: u64,
    ) -> Option<Reached> {
        seen.retain(|(value, time, _)| {
            *value != step.value && step.time_ms.abs_diff(*time) <= span_ms
        });
        seen.push((step.value, step.time_ms, step.index));
        if (seen.len() as u64) < wanted {
            return None;
        }
        let indices = seen.iter().map(|(_, _, index)| *index).collect();
        let amount = seen.len() as f64;
        if seen.len() as u64 > wanted {
            // The oldest goes: as many as are wanted suffice to tell the next time.
            seen.remove(0);
        }
        Some(Reached { indices, amount })
    }

    /// Numbers that add up to so much within the span, which is kept in parts.
    pub(crate) fn sum(
        parts: &mut VecDeque<(u64, u64, f64)>,
        step: Step,
        span_ms: u64,
        wanted: f64,
    ) -> Option<Reached> {
        let part_ms = (span_ms / PARTS).max(1);
        match parts.back_mut() {
            Some((begun, _, sum)) if step.time_ms.abs_diff(*begun) < part_ms => *sum += step.number,
            _ => parts.push_back((step.time_ms, step.index, step.number)),
        }
        while parts.len() as u64 > PARTS + 1
            || parts.front().is_some_and(|(begun, ..)| step.time_ms.abs_diff(*begun) > span_ms)
        {
            parts.pop_front();
        }
        let amount: f64 = parts.iter().map(|(_, _, sum)| sum).sum();
        (amount >= wanted).then(|| {
            let first = parts.front().map(|(_, index, _)| *index);
            let indices = first.into_iter().filter(|first| *first != step.index);
            Reached { indices: indices.chain([step.index]).collect(), amount }
        })
    }

    /// All rules within the span.
    pub(crate) fn temporal(
        steps: &mut [Option<(u64, u64)>],
        step: Step,
        span_ms: u64,
    ) -> Option<Reached> {
        *steps.get_mut(step.rule)? = Some((step.time_ms, step.index));
        let near = |found: &Option<(u64, u64)>| {
            found.filter(|(time, _)| step.time_ms.abs_diff(*time) <= span_ms).map(|(_, at)| at)
        };
        let mut indices: Vec<u64> = steps.iter().map(near).collect::<Option<_>>()?;
        indices.sort_unstable();
        indices.dedup();
        Some(Reached { amount: indices.len() as f64, indices })
    }

    /// All rules within the span, one after the other. What is kept of a rule is the chain that
    /// ends with it: when that began, and its first event.
    pub(crate) fn ordered(
        steps: &mut [Option<(u64, u64)>],
        step: Step,
        span_ms: u64,
    ) -> Option<Reached> {
        if step.rule == 0 {
            *steps.first_mut()? = Some((step.time_ms, step.index));
            return None;
        }
        let (begun, first) = (*steps.get(step.rule - 1)?)?;
        // An event that matches two rules is not its own consequence.
        if step.time_ms.abs_diff(begun) > span_ms || first == step.index {
            return None;
        }
        let last = steps.len() - 1;
        *steps.get_mut(step.rule)? = Some((begun, first));
        (step.rule == last)
            .then(|| Reached { indices: vec![first, step.index], amount: steps.len() as f64 })
    }

    /// A value that was in none of so many events before.
    pub(crate) fn new_value(
        values: &mut Vec<u64>,
        seen: &mut u64,
        step: Step,
        wanted: u64,
    ) -> Option<Reached> {
        *seen = seen.saturating_add(1);
        if values.contains(&step.value) || values.len() >= KNOWN_MAX {
            return None;
        }
        values.push(step.value);
        (*seen > wanted).then(|| Reached { indices: vec![step.index], amount: (*seen - 1) as f64 })
    }

    /// Forgets what `unless` takes back.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Count(times) => times.clear(),
            Self::Distinct(seen) => seen.clear(),
            Self::Sum(parts) => parts.clear(),
            Self::Steps(steps) => steps.fill(None),
            Self::Known { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(time_ms: u64, index: u64, value: u64, number: f64) -> Step {
        Step { time_ms, index, rule: 0, value, number }
    }

    proptest! {
        #[test]
        fn counting_agrees_with_looking_at_all_of_them(
            gaps in prop::collection::vec(0_u64..40, 1..60), span in 1_u64..100, wanted in 1_u64..8
        ) {
            let (mut times, mut all, mut now) = (VecDeque::new(), Vec::new(), 0);
            for (index, gap) in gaps.into_iter().enumerate() {
                now += gap;
                all.push(now);
                let step = step(now, index as u64, 0, 0.0);
                let reached = Window::count(&mut times, step, span, wanted);
                let near = all.iter().filter(|time| now - **time <= span).count() as u64;
                prop_assert_eq!(reached.is_some(), near >= wanted);
                prop_assert!(times.len() as u64 <= wanted);
            }
        }

        #[test]
        fn different_values_agree_with_looking_at_all_of_them(
            events in prop::collection::vec((0_u64..40, 0_u64..6), 1..60),
            span in 1_u64..100,
            wanted in 1_u64..6
        ) {
            let (mut seen, mut all, mut now) = (Vec::new(), Vec::new(), 0);
            for (index, (gap, value)) in events.into_iter().enumerate() {
                now += gap;
                all.push((now, value));
                let step = step(now, index as u64, value, 0.0);
                let reached = Window::distinct(&mut seen, step, span, wanted);
                let near: std::collections::BTreeSet<u64> = all.iter()
                    .filter(|(time, _)| now - time <= span).map(|(_, value)| *value).collect();
                prop_assert_eq!(reached.is_some(), near.len() as u64 >= wanted);
                prop_assert!(seen.len() as u64 <= wanted);
            }
        }

        #[test]
        fn a_sum_is_right_but_for_one_part_of_the_span(
            events in prop::collection::vec((0_u64..4_000, 0_u32..50), 1..80), wanted in 1_u32..400
        ) {
            let span = 64_000;
            let (mut parts, mut all, mut now) = (VecDeque::new(), Vec::new(), 0);
            for (index, (gap, number)) in events.into_iter().enumerate() {
                now += gap;
                all.push((now, number));
                let step = step(now, index as u64, 0, f64::from(number));
                let reached = Window::sum(&mut parts, step, span, f64::from(wanted)).is_some();
                let within = |span: u64| all.iter()
                    .filter(|(time, _)| now - time <= span).map(|(_, number)| *number).sum::<u32>();
                prop_assert!(!reached || within(span) >= wanted);
                prop_assert!(reached || within(span - span / PARTS) < wanted);
                prop_assert!(parts.len() as u64 <= PARTS + 1);
            }
        }
    }

    #[test]
    fn an_order_is_kept_and_an_event_is_not_its_own_consequence() {
        let mut steps = vec![None, None];
        let mut at = |time_ms, index, rule| {
            let step = Step { time_ms, index, rule, value: 0, number: 0.0 };
            Window::ordered(&mut steps, step, 10).map(|reached| reached.indices)
        };
        assert_eq!(at(0, 1, 1), None);
        assert_eq!(at(1, 2, 0), None);
        assert_eq!(at(1, 2, 1), None);
        assert_eq!(at(11, 3, 1), Some(vec![2, 3]));
        assert_eq!(at(12, 4, 1), None);
        let mut steps = vec![None, None];
        let mut at = |time_ms, index, rule| {
            let step = Step { time_ms, index, rule, value: 0, number: 0.0 };
            Window::temporal(&mut steps, step, 10).map(|reached| reached.indices)
        };
        assert_eq!(at(5, 1, 1), None);
        assert_eq!(at(9, 2, 0), Some(vec![1, 2]));
        assert_eq!(at(30, 3, 1), None);
    }

    #[test]
    fn only_what_was_not_usual_is_new() {
        let (mut values, mut seen) = (Vec::new(), 0);
        let mut at =
            |value| Window::new_value(&mut values, &mut seen, step(0, 9, value, 0.0), 3).is_some();
        assert_eq!(
            [1, 2, 1, 2, 3, 3, 4].map(&mut at),
            [false, false, false, false, true, false, true]
        );
    }
}
