//! Figures of a period: together and one by one, with footers and without.

use crate::sample::{row_of, segment};
use event::{Tier, Timestamp};
use query::figures::{
    Calls, Failures, Inventory, Overview, Period, Spending, TokenSums, Usage, UsageLine, failures,
    in_one_pass, inventory, last_event, overview, tool_calls, usage,
};
use query::{Amount, Columns};
use segment::Row;
use std::collections::BTreeMap;

const EVENTS: u64 = 4_000;

/// Whatever figures count, one a minute. Durations are such that the order of adding makes no
/// difference.
fn line(n: u64) -> String {
    let (minute, hour, day) = (n % 60, n / 60 % 24, 1 + n / 1_440);
    let tokens = format!(r#""tokens":{{"input":{},"output":{}}}"#, n % 90, n % 7);
    let cost = match n % 5 {
        0 => r#","cost":{"amount":0.0625,"currency":"EUR"}"#,
        1 => r#","cost":{"amount":0.1}"#,
        _ => "",
    };
    let what = match n % 7 {
        0 => format!(r#""event_type":"agent.llm_response",{tokens}{cost},"model":"m-{}""#, n % 3),
        1 => format!(r#""event_type":"agent.token_usage",{tokens}{cost}"#),
        2 => format!(r#""event_type":"agent.invocation","outcome":"success","token_count":{n}"#),
        3 => r#""event_type":"agent.human_intervention","action":"escalated""#.to_owned(),
        4 => format!(r#""event_type":"agent.tool_result","tool":"t-{}""#, n % 4),
        _ => format!(r#""event_type":"agent.tool_call","action":"tool_call:t-{}""#, n % 4),
    };
    let error = match n % 13 {
        2 => r#","error_type":"TimeoutError","error":{"message":"too slow"}"#,
        5 => r#","error":"only in content""#,
        _ => "",
    };
    let scope = match n % 6 {
        0 => format!(r#","session_id":"s-{}""#, n / 40),
        1 => format!(r#","task_id":"k-{}""#, n / 30),
        2 => String::new(),
        _ => format!(r#","trace_id":"t-{}","task_id":"k-{}""#, n / 20, n / 30),
    };
    // Those without a time happened when they were taken, which is on another day.
    let time = match n {
        1_000..1_010 => String::new(),
        _ => format!(r#","timestamp":"2026-03-{day:02}T{hour:02}:{minute:02}:00Z""#),
    };
    let duration = (n % 800) as f64 / 8.0;
    let agent = n % 5;
    format!(r#"{{{what},"agent_name":"a-{agent}","duration_ms":{duration}{scope}{error}{time}}}"#)
}

fn row(n: u64, line: &str) -> Row {
    let tier = if line.contains("error") { Tier::Critical } else { Tier::Info };
    row_of(n, tier, line)
}

fn rows() -> Vec<Row> {
    (0..EVENTS).map(|n| row(n, &line(n))).collect()
}

/// The records, the first `rolled` of them in segments.
fn columns(rows: &[Row], rolled: usize) -> Columns {
    let (rolled, tail) = rows.split_at(rolled);
    let segments = rolled.chunks(350).map(segment).collect();
    Columns::new(segments, tail.to_vec(), rows.len() as u64, 1 << 20).unwrap()
}

fn periods() -> Vec<Period> {
    let time = |text| Timestamp::parse(text);
    let (second, third) = (time("2026-03-02T00:00:00Z"), time("2026-03-03T00:00:00Z"));
    let (noon, later) = (time("2026-03-02T12:00:00Z"), time("2027-01-01T00:00:00Z"));
    [
        (None, None),
        (second, third),
        (noon, None),
        (None, noon),
        (noon, time("2026-03-02T12:01:00Z")),
        (later, None),
        (None, time("2025-01-01T00:00:00Z")),
    ]
    .map(|(from, to)| Period { from, to })
    .to_vec()
}

#[test]
fn figures_that_are_counted_together_are_those_that_are_counted_alone() {
    let rows = rows();
    for rolled in [0, 3_500, 4_000] {
        let columns = columns(&rows, rolled);
        for period in periods() {
            let (seen, failed, Calls(calls), spent): (Overview, Failures, _, Usage) =
                in_one_pass(&columns, &period).unwrap();
            assert_eq!(seen, overview(&columns, &period).unwrap());
            assert_eq!(failed, failures(&columns, &period).unwrap());
            assert_eq!(calls, tool_calls(&columns, &period).unwrap());
            assert_eq!(spent, usage(&columns, &period).unwrap());
            let (Inventory(agents), again): (_, Overview) = in_one_pass(&columns, &period).unwrap();
            assert_eq!(agents, inventory(&columns, &period).unwrap());
            assert_eq!(again, seen);
        }
    }
}

#[test]
fn what_footers_say_of_times_changes_no_figure() {
    let rows = rows();
    let (in_tail, in_segments) = (columns(&rows, 0), columns(&rows, 3_700));
    let mut counted = Vec::new();
    for period in periods() {
        type All = (Overview, Failures, Calls, Usage);
        let all: All = in_one_pass(&in_segments, &period).unwrap();
        assert_eq!(all, in_one_pass::<All>(&in_tail, &period).unwrap(), "{period:?}");
        assert_eq!(last_event(&in_segments, &period).unwrap(), all.0.last, "{period:?}");
        assert_eq!(last_event(&in_tail, &period).unwrap(), all.0.last, "{period:?}");
        counted.push(all.0.events);
    }
    assert_eq!(counted, [4_000, 1_440, 1_840, 2_160, 1, 0, 0]);
}

/// The sums of all lines.
fn total(spent: &Usage) -> UsageLine {
    let mut all = UsageLine::default();
    for line in &spent.lines {
        all.tokens.add(&line.tokens);
        all.without_cost.add(&line.without_cost);
        for (currency, amount) in &line.costs {
            let sum = all.costs.entry(currency.clone()).or_default();
            *sum = sum.checked_add(*amount).unwrap();
        }
    }
    all
}

#[test]
fn spending_is_the_sum_of_what_each_spent() {
    let rows = rows();
    for rolled in [0, 3_500] {
        let columns = columns(&rows, rolled);
        for period in periods() {
            let spent = usage(&columns, &period).unwrap();
            let Spending(sum) = in_one_pass(&columns, &period).unwrap();
            let expected = Some(total(&spent)).filter(|_| !spent.lines.is_empty());
            assert_eq!(sum.lines, Vec::from_iter(expected), "{period:?}");
            assert_eq!((sum.repeated, sum.not_summed), (spent.repeated, spent.not_summed));
        }
        let all = usage(&columns, &Period::default()).unwrap();
        assert!(
            all.repeated > 100 && all.lines.len() > 100,
            "{} {}",
            all.repeated,
            all.lines.len()
        );
    }
}

#[test]
fn where_acts_alone_tell_tokens_all_of_them_count() {
    let acts = (0..EVENTS).filter(|n| n % 7 == 0).map(line).enumerate();
    let mut rows: Vec<Row> = acts.map(|(n, line)| row(n as u64, &line)).collect();
    let spent = |rows: &[Row]| usage(&columns(rows, rows.len() / 2), &Period::default()).unwrap();
    let alone = spent(&rows);
    let (mut tokens, mut costs) = (TokenSums::default(), BTreeMap::<String, Amount>::new());
    for n in (0..EVENTS).filter(|n| n % 7 == 0) {
        let (input, output) = (n % 90, n % 7);
        let one =
            TokenSums { events: 1, input, output, total: input + output, ..TokenSums::default() };
        tokens.add(&one);
        let cost = [("EUR", "0.0625"), ("?", "0.1")].get(usize::try_from(n % 5).unwrap());
        if let Some((currency, amount)) = cost {
            let sum = costs.entry((*currency).to_owned()).or_default();
            *sum = sum.checked_add(Amount::parse(amount).unwrap()).unwrap();
        }
    }
    let all = total(&alone);
    assert_eq!((all.tokens, all.costs, alone.repeated), (tokens, costs, 0));
    // One that tells nothing, elsewhere, makes the traces be told apart.
    let other = r#"{"event_type":"agent.invocation","trace_id":"other","token_count":0}"#;
    rows.push(row(rows.len() as u64, other));
    let beside = spent(&rows);
    assert_eq!(beside.repeated, 1);
    assert_eq!(beside.lines, alone.lines);
}
