//! SQL over `events`: what it answers, as of which checkpoint, and within which limits.

use crate::sample;
use query::AsOf;
use query::figures;
use query::sql::{Answer, Cut, Layout, Limits, Sql, SqlError};
use std::time::{Duration, Instant};

fn sql(count: u64) -> Sql {
    Sql::new(sample::columns(count, count)).unwrap()
}

fn rows(sql: &Sql, text: &str) -> Vec<Vec<String>> {
    let answer =
        sql.ask(text, &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
    let rows = answer.texts().unwrap();
    rows.into_iter().map(|r| r.into_iter().map(|c| c.unwrap_or("-".into())).collect()).collect()
}

fn one(sql: &Sql, text: &str) -> String {
    let rows = rows(sql, text);
    assert_eq!(rows.len(), 1, "{text}: {rows:?}");
    rows[0].join("|")
}

#[test]
fn it_counts_filters_and_sorts() {
    let sql = sql(900);
    assert_eq!(one(&sql, "SELECT count(*) FROM events"), "900");
    assert_eq!(one(&sql, "SELECT min(index), max(index) FROM events"), "0|899");
    assert_eq!(one(&sql, "SELECT count(*) FROM events WHERE tier = 'info'"), "450");
    assert_eq!(one(&sql, "SELECT count(*) FROM events WHERE error_type IS NOT NULL"), "90");
    assert_eq!(one(&sql, "SELECT count(DISTINCT trace_id) FROM events"), "90");
    let newest =
        "SELECT index FROM events WHERE agent_name = 'planner' ORDER BY index DESC LIMIT 2";
    assert_eq!(rows(&sql, newest), [["897"], ["894"]]);
    let by_tool = "SELECT tool, count(*) FROM events WHERE tool IS NOT NULL GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&sql, by_tool).len(), 4);
    let limited = rows(&sql, "SELECT index FROM events LIMIT 3 OFFSET 2");
    assert_eq!(limited, [["4"], ["6"], ["8"]]);
    assert_eq!(one(&sql, "SELECT state FROM events WHERE index = 1"), "content-erased");
    let windows = "SELECT max(n) FROM (SELECT row_number() OVER (PARTITION BY trace_id ORDER BY \
                   index) AS n FROM events) t";
    assert_eq!(one(&sql, windows), "10");
    let joined = "SELECT count(*) FROM events a JOIN events b ON a.trace_id = b.trace_id";
    assert_eq!(one(&sql, joined), "9000");
    let names = rows(&sql, "WITH a AS (SELECT DISTINCT agent_name FROM events) SELECT * FROM a");
    assert_eq!(names.len(), 3);
}

#[test]
fn it_looks_into_metadata_and_content() {
    let sql = sql(60);
    let text = "SELECT json_get_int(params, 'n'), params -> 'deep' -> 'list' ->> 1, \
                json_length(params, 'deep', 'list'), content -> 'params' ->> 'n', \
                meta ->> 'event_id' FROM events WHERE index = 44";
    assert_eq!(one(&sql, text), "44|x|2|44|e-000044");
    // In the tail, in a segment, and where the content was erased.
    let content = "SELECT content IS NULL FROM events WHERE index IN (1, 2, 59) ORDER BY index";
    assert_eq!(rows(&sql, content), [["true"], ["false"], ["false"]]);
    let found = "SELECT index FROM events WHERE content LIKE '%\"n\":44,%'";
    assert_eq!(one(&sql, found), "44");
    let all = sql.ask("SELECT * FROM events", &Limits::default()).unwrap();
    assert_eq!(all.row_count(), 60);
    assert!(!all.columns().any(|name| name.contains("salt")));
}

#[test]
fn rows_beyond_the_checkpoint_are_not_there_and_none_is_there_twice() {
    for size in [0, 1, 2, 30, 59, 60, 61, 80, 90] {
        let sql = Sql::new(sample::columns(90, size)).unwrap();
        let counts = one(
            &sql,
            "SELECT count(*), count(DISTINCT index), coalesce(max(index) + 1, 0) FROM events",
        );
        assert_eq!(counts, format!("{size}|{size}|{size}"));
    }
    // A tail that repeats what a segment has.
    let rows: Vec<_> = (0..20).map(sample::row).collect();
    let segment = sample::segment(&rows[..15]);
    let columns = query::Columns::new(vec![segment], rows[5..].to_vec(), 20, 1 << 20).unwrap();
    let sql = Sql::new(std::sync::Arc::new(columns)).unwrap();
    assert_eq!(one(&sql, "SELECT count(*), count(DISTINCT index) FROM events"), "20|20");
}

#[test]
fn chunks_that_cannot_hold_an_answer_are_not_read() {
    let sql = sql(900);
    let plan = |text: &str| {
        let rows = rows(&sql, &format!("EXPLAIN {text}"));
        rows.into_iter().flatten().collect::<String>()
    };
    assert!(plan("SELECT tool FROM events").contains("chunks=3 of 3"));
    let none = plan("SELECT tool FROM events WHERE index > 700");
    assert!(none.contains("chunks=1 of 3"), "{none}");
    let none = plan("SELECT tool FROM events WHERE recorded_at < '2020-01-01T00:00:00Z'");
    assert!(none.contains("chunks=1 of 3"), "{none}");
    let none = plan("SELECT tool FROM events WHERE trace_id = 'unheard of'");
    assert!(none.contains("chunks=1 of 3"), "{none}");
}

#[test]
fn figures_are_what_their_sql_says() {
    let columns = sample::columns(900, 890);
    let sql = Sql::new(std::sync::Arc::clone(&columns)).unwrap();
    // The engine's quantiles are off by a millionth.
    let number = |number: Option<f64>| number.map_or("-".to_owned(), |n| format!("{n:.3}"));
    let tools: Vec<Vec<String>> = figures::tool_usage(&columns)
        .unwrap()
        .into_iter()
        .map(|t| {
            let mut line = vec![t.tool, t.calls.to_string(), t.errors.to_string()];
            line.extend([t.mean_ms, t.p50_ms, t.p95_ms, t.p99_ms].map(number));
            line
        })
        .collect();
    let mut asked = rows(&sql, figures::TOOL_USAGE_SQL);
    for line in &mut asked {
        for cell in &mut line[3..] {
            *cell = format!("{:.3}", cell.parse::<f64>().unwrap());
        }
    }
    assert_eq!(tools, asked);
    assert_eq!(tools.len(), 4);
    let time = |time: event::Timestamp| {
        let text = time.to_string();
        text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let errors: Vec<Vec<String>> = figures::error_analysis(&columns)
        .unwrap()
        .into_iter()
        .map(|e| {
            let (first, last) = (time(e.first_seen()), time(e.last_seen()));
            vec![e.error_type, e.agent_name.unwrap(), e.errors.to_string(), first, last]
        })
        .collect();
    let mut asked = rows(&sql, figures::ERROR_ANALYSIS_SQL);
    for cell in asked.iter_mut().flat_map(|line| &mut line[3..]) {
        *cell = cell.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    assert_eq!(errors.len(), asked.len());
    for (line, asked) in errors.iter().zip(&asked) {
        assert_eq!(line[..3], asked[..3]);
        for (one, other) in line[3..].iter().zip(&asked[3..]) {
            assert!(
                one.starts_with(other.as_str()) || other.starts_with(one.as_str()),
                "{one} {other}"
            );
        }
    }
    let hours: Vec<(String, String)> = figures::activity_by_hour(&columns)
        .unwrap()
        .into_iter()
        .map(|h| (h.agent_name.clone(), h.events.to_string()))
        .collect();
    let asked: Vec<(String, String)> = rows(&sql, figures::ACTIVITY_BY_HOUR_SQL)
        .into_iter()
        .map(|line| (line[0].clone(), line[2].clone()))
        .collect();
    assert_eq!(hours, asked);
}

#[test]
fn a_timeline_has_every_step_and_its_hours_are_those_of_the_overview() {
    let sample = sample::columns(900, 900);
    let time = |text: &str| event::Timestamp::parse(text).unwrap();
    let (from, to) = (time("2026-01-01T00:00:00Z"), time("2026-01-02T00:00:00Z"));
    let period = figures::Period { from: Some(from), to: Some(to) };
    let seen = figures::overview(&sample, &period).unwrap();
    let steps =
        |to, count: u32| figures::timeline(&sample, from, to, count.try_into().unwrap()).unwrap();
    let by_hour = steps(to, 24);
    assert_eq!(by_hour.len(), 24);
    let busy = by_hour.iter().filter(|step| step.events > 0);
    let busy: Vec<_> = busy.map(|step| (step.begins, step.events, step.errors)).collect();
    let hours = seen.hours.iter().map(|hour| (hour.begins, hour.events, hour.errors));
    assert_eq!(busy, hours.collect::<Vec<_>>());
    assert!(by_hour.iter().any(|step| step.events == 0), "{by_hour:?}");
    // Steps that do not divide the period, and a period that ends in the middle of one.
    for count in [1, 7, 1_000] {
        let line = steps(to, count);
        assert_eq!(line.iter().map(|step| step.events).sum::<u64>(), seen.events, "{count}");
        assert_eq!(line.iter().map(|step| step.errors).sum::<u64>(), seen.errors, "{count}");
    }
    assert_eq!(steps(event::Timestamp(from.0 + 10), 7).len(), 5, "of two nanoseconds each");
    assert!(steps(from, 7).is_empty());
}

#[test]
fn answers_are_cut_at_the_limits_and_say_so() {
    let sql = sql(900);
    let limits = |limits: Limits| sql.ask("SELECT index, meta FROM events", &limits).unwrap();
    let answer = limits(Limits { rows: 7, ..Limits::default() });
    assert_eq!((answer.row_count(), answer.cut()), (7, Some(Cut::Rows)));
    let answer = limits(Limits { rows: 900, ..Limits::default() });
    assert_eq!((answer.row_count(), answer.cut()), (900, None));
    let answer = limits(Limits { bytes: 10, ..Limits::default() });
    assert_eq!((answer.row_count(), answer.cut()), (0, Some(Cut::Bytes)));
}

#[test]
fn time_and_memory_end_a_statement() {
    let sql = sql(900);
    // Both sides fit into memory; what takes an age is each of one against each of the other.
    let cross = "WITH side AS (SELECT a.duration_ms + b.index AS n FROM events a, events b) \
                 SELECT count(*) FROM side x, side y WHERE x.n * y.n % 7 = 3";
    let begun = Instant::now();
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    assert_eq!(sql.ask(cross, &limits).unwrap_err().code(), "sql_timeout");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let limits = Limits { memory: 100_000, ..Limits::default() };
    for greedy in [
        "SELECT a.index, b.meta FROM events a, events b ORDER BY b.meta, a.index",
        "SELECT meta, count(*) FROM events GROUP BY meta",
        "SELECT sum(index) OVER () FROM (SELECT a.* FROM events a, events b) t",
        "SELECT string_agg(meta, ',') FROM events",
    ] {
        let error = sql.ask(greedy, &limits).unwrap_err();
        assert_eq!(error.code(), "sql_memory", "{greedy}: {error}");
    }
    // The engine is as good as before.
    assert_eq!(one(&sql, "SELECT count(*) FROM events"), "900");
}

#[test]
fn errors_of_the_engine_are_told_in_words_and_codes() {
    let sql = sql(30);
    let code = |text: &str| sql.ask(text, &Limits::default()).err().as_ref().map(SqlError::code);
    assert_eq!(code("SELECT no_such FROM events"), Some("sql_plan"));
    assert_eq!(code("SELECT meta_salt FROM events"), Some("sql_plan"));
    assert_eq!(code("SELECT 1 / 0"), Some("sql_failed"));
    assert_eq!(code("SELECT CAST(event_id AS BIGINT) FROM events"), Some("sql_failed"));
    assert_eq!(code("SELECT * FROM (SELECT 1) a WHERE agent_name = 1"), Some("sql_plan"));
}

fn written(answer: &Answer, layout: Layout) -> String {
    let as_of = AsOf { origin: "example.org/log".into(), size: 30, root_hex: "ab".repeat(32) };
    let mut out = Vec::new();
    answer.write(layout, &as_of, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_layout_holds_the_values_and_no_control_character() {
    let sql = sql(30);
    let text = "SELECT index, agent_name, tool, duration_ms, timestamp, NULL AS nothing FROM events \
                WHERE index IN (2, 11) ORDER BY index";
    let answer = sql.ask(text, &Limits::default()).unwrap();
    let json = written(&answer, Layout::Json);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["checkpoint"]["size"], 30);
    assert_eq!(value["columns"][1], "agent_name");
    assert_eq!(value["rows"][0][0], 2);
    assert_eq!(value["rows"][0][1], "Ünïcode \u{1b}[31m");
    assert_eq!(value["rows"][1][2], "send,\"mail\"");
    assert_eq!(value["rows"][0][4], "2026-01-01T00:02:00Z");
    assert!(value["rows"][0][5].is_null() && value["rows"][0][3].is_f64());
    let lines = written(&answer, Layout::Ndjson);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["index"], 2);
    let csv = written(&answer, Layout::Csv);
    assert!(csv.starts_with("index,agent_name,tool,"), "{csv}");
    assert!(csv.contains(r#","send,""mail""","#), "{csv}");
    let table = written(&answer, Layout::Table);
    assert_eq!(table.lines().count(), 4, "{table}");
    for text in [json, lines, csv, table] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\r'), "{text:?}");
    }
}

#[test]
fn the_same_question_gets_the_same_bytes() {
    let sql = sql(900);
    for text in [
        "SELECT * FROM events LIMIT 50",
        "SELECT agent_name, tool, sum(duration_ms), avg(duration_ms) FROM events GROUP BY 1, 2",
        "SELECT DISTINCT trace_id FROM events",
    ] {
        let ask = || written(&sql.ask(text, &Limits::default()).unwrap(), Layout::Json);
        let first = ask();
        assert!((0..5).all(|_| ask() == first), "{text}");
    }
}
