//! What must hold of a server that is used for long and then too much, and whether it did.
//!
//! Not here: how it was used (`soak.rs`).

use super::{Look, Plan, Seen, SoakRow, WARM_UP};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many times as long answers may take in the second half as in the first.
const P99_TIMES_MAX: f64 = 1.25;
/// Seconds of which the least is memory that stays: longer than a roll takes.
const MINUTE_S: f64 = 60.0;
/// What memory that stays may grow by, in percent an hour.
const GROWTH_MAX: f64 = 1.0;
/// The part of the peak, in percent, that is taken when more is offered.
const GOODPUT_MIN: f64 = 80.0;
/// Seconds until all is as before.
const RECOVERED_MAX: f64 = 5.0;
/// Below this the figures of a phase say nothing about hours.
const JUDGED_FROM: Duration = Duration::from_secs(600);
/// So many looks in a row must be good.
const GOOD_LOOKS: usize = 4;
/// What may be answered when too much is offered.
const IN_GOOD_ORDER: [&str; 3] = ["200", "429", "503"];

/// One thing that must hold; the names are part of the machine output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Bar {
    /// What.
    pub(crate) bar: &'static str,
    /// What it came to; nothing when it never did.
    pub(crate) value: Option<f64>,
    /// What it may come to at most, or must at least.
    pub(crate) limit: f64,
    /// Of both.
    pub(crate) unit: &'static str,
    /// Whether it held; nothing when the run was too short to say.
    pub(crate) is_met: Option<bool>,
    /// What stands behind it.
    pub(crate) detail: String,
}

/// Holds what was seen against what must hold.
pub(super) fn judge(plan: &Plan, seen: &Seen) -> Vec<Bar> {
    let is_long = plan.half >= JUDGED_FROM;
    vec![
        steady(&seen.half_rows, is_long),
        growth(&seen.half_looks, is_long),
        errors(&seen.half_rows),
        order(&seen.overload),
        goodput(&seen.overload, seen.peak),
        recovery(&seen.half_rows, &seen.recovery, seen.drained),
    ]
}

/// Without what comes before all is warm.
fn settled<T>(all: &[T]) -> &[T] {
    all.get(all.len().div_ceil(WARM_UP as usize)..).unwrap_or_default()
}

/// Whether answers stay as quick as they were.
fn steady(rows: &[SoakRow], is_long: bool) -> Bar {
    let times: Vec<f64> = settled(rows).iter().filter_map(|row| row.ack_p99_us).collect();
    let (first, second) = times.split_at(times.len() / 2);
    let middle = |half: &[f64]| crate::bench::median(half.iter().copied());
    let (first, second) = (middle(first), middle(second));
    let value = (first > 0.0).then(|| second / first);
    Bar {
        bar: "p99, second half to first",
        value,
        limit: P99_TIMES_MAX,
        unit: "x",
        is_met: value.filter(|_| is_long).map(|times| times <= P99_TIMES_MAX),
        detail: format!("{:.1} ms, then {:.1} ms (medians of rows)", first / 1e3, second / 1e3),
    }
}

/// Whether memory grows: the least of each minute, which is what stays. What a roll needs comes and
/// goes, at twice the memory, and its times alone would tilt a line through all looks by more than
/// is allowed.
fn growth(looks: &[Look], is_long: bool) -> Bar {
    let looks = settled(looks);
    let mut minutes: BTreeMap<u64, f64> = BTreeMap::new();
    for look in looks {
        let least = minutes.entry((look.until_s / MINUTE_S) as u64).or_insert(f64::INFINITY);
        *least = least.min(look.rss_mib);
    }
    let hours = |minute: &u64| *minute as f64 * MINUTE_S / 3_600.0;
    let points: Vec<(f64, f64)> = minutes.iter().map(|(at, mib)| (hours(at), *mib)).collect();
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
    let stays = mean(&minutes.values().copied().collect::<Vec<_>>());
    let value = slope(&points).filter(|_| stays > 0.0).map(|slope| slope / stays * 100.0);
    let all: Vec<f64> = looks.iter().map(|look| look.rss_mib).collect();
    Bar {
        bar: "memory that stays",
        value,
        limit: GROWTH_MAX,
        unit: "%/h",
        is_met: value.filter(|_| is_long).map(|growth| growth < GROWTH_MAX),
        detail: format!(
            "{stays:.1} MiB, the least of a minute; {:.0} of all looks, {:.0} at most; least squares \
             over {} minutes",
            mean(&all),
            all.iter().copied().fold(0.0, f64::max),
            points.len()
        ),
    }
}

/// By least squares; nothing for fewer than two different places.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let common: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| common / spread)
}

/// All answers of some rows.
fn answers(rows: &[SoakRow]) -> BTreeMap<&str, u64> {
    let mut all = BTreeMap::new();
    for (answer, count) in rows.iter().flat_map(|row| &row.answers) {
        *all.entry(answer.as_str()).or_default() += count;
    }
    all
}

fn listed(answers: &BTreeMap<&str, u64>) -> String {
    let each = answers.iter().map(|(answer, count)| format!("{answer}: {count}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Whether anything was refused that there was room for.
fn errors(rows: &[SoakRow]) -> Bar {
    let answers = answers(rows);
    let wrong: u64 = answers.iter().filter(|(it, _)| **it != "200").map(|(_, count)| count).sum();
    Bar {
        bar: "errors at half load",
        value: Some(wrong as f64),
        limit: 0.0,
        unit: "",
        is_met: Some(wrong == 0 && !answers.is_empty()),
        detail: listed(&answers),
    }
}

/// Whether what is too much is refused as it should be.
fn order(rows: &[SoakRow]) -> Bar {
    let answers = answers(rows);
    let is_wrong = |answer: &str| !IN_GOOD_ORDER.contains(&answer);
    let wrong: u64 = answers.iter().filter(|(it, _)| is_wrong(it)).map(|(_, count)| count).sum();
    Bar {
        bar: "answers under 3x but 200, 429, 503",
        value: Some(wrong as f64),
        limit: 0.0,
        unit: "",
        is_met: Some(wrong == 0 && !answers.is_empty()),
        detail: listed(&answers),
    }
}

/// Whether it goes on taking.
fn goodput(rows: &[SoakRow], peak: f64) -> Bar {
    let mean =
        |of: fn(&SoakRow) -> f64| rows.iter().map(of).sum::<f64>() / rows.len().max(1) as f64;
    let (taken, sent) = (mean(|row| row.events_per_second), mean(|row| row.sent_per_second));
    let value = taken / peak * 100.0;
    Bar {
        bar: "goodput under 3x",
        value: Some(value),
        limit: GOODPUT_MIN,
        unit: "% of the peak",
        is_met: Some(value >= GOODPUT_MIN),
        detail: format!("{taken:.0} of {peak:.0} events/s, {:.1}x were sent", sent / peak),
    }
}

/// When all is as before: everything is taken, and half of it as quickly as nearly all was.
fn recovery(half: &[SoakRow], looks: &[Look], drained: Duration) -> Bar {
    let usual = crate::bench::median(half.iter().filter_map(|row| row.ack_p99_us));
    let is_good = |look: &Look| {
        look.row.answers.keys().all(|answer| answer == "200")
            && look.row.ack_p50_us.is_some_and(|time| time <= usual)
    };
    let first = looks.windows(GOOD_LOOKS).find(|row| row.iter().all(is_good));
    let value = first.and_then(|row| row.first()).map(|look| look.until_s + drained.as_secs_f64());
    Bar {
        bar: "recovered after",
        value,
        limit: RECOVERED_MAX,
        unit: "s",
        is_met: Some(value.is_some_and(|seconds| seconds <= RECOVERED_MAX)),
        detail: format!("all taken, half of it within {:.1} ms, for a second", usual / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(p99_ms: f64, answers: &[(&str, u64)]) -> SoakRow {
        SoakRow {
            phase: "half",
            until_s: 0.0,
            offered_per_second: None,
            sent_per_second: 300.0,
            events_per_second: 90.0,
            ack_p50_us: Some(p99_ms * 500.0),
            ack_p99_us: Some(p99_ms * 1e3),
            rss_mib: 100.0,
            answers: answers.iter().map(|(answer, count)| ((*answer).to_owned(), *count)).collect(),
        }
    }

    fn looks(mib: impl Fn(f64) -> f64, row: &SoakRow) -> Vec<Look> {
        let look = |second| {
            let until_s = f64::from(second);
            Look { until_s, rss_mib: mib(until_s), row: row.clone() }
        };
        (0..1_800).map(look).collect()
    }

    #[test]
    fn memory_that_grows_is_told_from_memory_that_wavers() {
        let calm = row(1.0, &[("200", 1)]);
        let grown = |per_hour: f64| {
            let rolls = |second: f64| if (second / 47.0).fract() < 0.2 { 120.0 } else { 0.0 };
            let wavers = move |second: f64| 200.0 + 3.0 * (second * 0.7).sin() + rolls(second);
            growth(&looks(|second| wavers(second) + per_hour * second / 3_600.0, &calm), true)
        };
        assert!(grown(0.0).value.unwrap().abs() < 0.2, "{:?}", grown(0.0));
        assert_eq!(grown(0.0).is_met, Some(true));
        let two = grown(4.0);
        assert!((two.value.unwrap() - 2.0).abs() < 0.2 && two.is_met == Some(false), "{two:?}");
        // What happens before all is warm is no growth.
        let begins = looks(|second| if second < 300.0 { second } else { 300.0 }, &calm);
        assert!(growth(&begins, true).value.unwrap().abs() < 1e-6);
        assert_eq!(growth(&begins, false).is_met, None, "too short to say");
        assert_eq!(growth(&[], true).value, None);
    }

    #[test]
    fn answers_that_become_slower_are_told() {
        let rows = |last: f64| -> Vec<SoakRow> {
            (0..30).map(|n| row(if n < 18 { 2.0 } else { last }, &[])).collect()
        };
        assert_eq!(steady(&rows(2.0), true).is_met, Some(true));
        assert_eq!(steady(&rows(3.0), true).value, Some(1.5));
        assert_eq!(steady(&rows(3.0), true).is_met, Some(false));
        assert_eq!(steady(&rows(3.0), false).is_met, None);
        assert_eq!(steady(&[], true).value, None);
    }

    #[test]
    fn refusals_count_at_half_load_and_only_wrong_ones_under_too_much() {
        let rows = [row(1.0, &[("200", 5), ("503", 2), ("429", 1)])];
        assert_eq!(errors(&rows).value, Some(3.0));
        assert_eq!(errors(&rows).is_met, Some(false));
        assert_eq!(order(&rows).is_met, Some(true));
        for wrong in ["lost", "500", "413"] {
            assert_eq!(order(&[row(1.0, &[("200", 5), (wrong, 1)])]).is_met, Some(false));
        }
        // A server that answers nothing has no errors, and is no good.
        assert_eq!(errors(&[]).is_met, Some(false));
        assert_eq!(order(&[]).is_met, Some(false));
        assert_eq!(goodput(&rows, 100.0).is_met, Some(true));
        assert_eq!(goodput(&rows, 120.0).is_met, Some(false));
        assert_eq!(goodput(&[], 120.0).is_met, Some(false));
    }

    #[test]
    fn it_has_recovered_when_a_second_of_answers_is_good_and_counts_from_the_last_of_too_much() {
        let half = [row(2.0, &[("200", 9)])];
        let bad = row(2.0, &[("200", 1), ("503", 1)]);
        let slow = row(9.0, &[("200", 2)]);
        let good = row(2.0, &[("200", 2)]);
        let all = |order: &[&SoakRow]| -> Vec<Look> {
            let look = |(at, row): (usize, &&SoakRow)| Look {
                until_s: (at + 1) as f64 * 0.25,
                rss_mib: 0.0,
                row: (*row).clone(),
            };
            order.iter().enumerate().map(look).collect()
        };
        let looks = all(&[&bad, &good, &slow, &good, &good, &good, &good, &bad]);
        let bar = recovery(&half, &looks, Duration::from_millis(500));
        assert_eq!((bar.value, bar.is_met), (Some(1.5), Some(true)));
        assert_eq!(recovery(&half, &looks, Duration::from_secs(5)).is_met, Some(false));
        assert_eq!(recovery(&half, &all(&[&good; 3]), Duration::ZERO).is_met, Some(false));
        assert_eq!(recovery(&half, &all(&[&slow; 8]), Duration::ZERO).value, None);
    }
}
