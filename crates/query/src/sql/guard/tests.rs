//! What passes the list, what does not, and with which code.

use super::super::engine::STACK_BYTES;
use super::*;

/// On a stack as statements have it.
fn parse(sql: &str) -> Result<Statement, SqlError> {
    let run = || super::parse(sql);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, run).unwrap().join().unwrap()
    })
}

fn code(sql: &str) -> &'static str {
    match parse(sql) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

#[test]
fn questions_pass() {
    for sql in [
        "SELECT 1",
        "select * from EVENTS where \"tool\" is not null limit 5;",
        "SELECT agent_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC",
        "WITH slow AS (SELECT * FROM events WHERE duration_ms > 1e3) SELECT count(*) FROM slow",
        "SELECT tool FROM events UNION ALL SELECT action FROM events",
        "SELECT e.tool FROM events e JOIN events p ON p.event_id = e.parent_event_id",
        "SELECT count(*) FROM events WHERE event_id IN (SELECT parent_event_id FROM events)",
        "SELECT row_number() OVER (PARTITION BY trace_id ORDER BY index) FROM events",
        "SELECT date_trunc('hour', timestamp), percentile_cont(0.95) WITHIN GROUP (ORDER BY \
         duration_ms) FROM events GROUP BY 1",
        "SELECT params -> 'a' ->> 'b', json_get_int(params, 'n', 0) FROM events",
        "SELECT EXTRACT(HOUR FROM timestamp), CAST(index AS VARCHAR) || 'x' FROM events",
        "SELECT * FROM events WHERE action LIKE 'tool%' AND reasoning ~ 'ref[u]nd'",
        "SELECT * FROM (VALUES (1), (2)) v(n)",
        "EXPLAIN SELECT 1",
        "-- a remark\nSELECT /* another */ 1",
    ] {
        assert_eq!(parse(sql).err(), None, "{sql}");
    }
}

#[test]
fn all_else_is_refused_with_the_right_code() {
    for (sql, expected) in [
        ("", "sql_not_one_statement"),
        (";", "sql_not_one_statement"),
        ("SELECT 1; SELECT 2", "sql_not_one_statement"),
        ("SELEC 1", "sql_syntax"),
        ("SELECT 'open", "sql_syntax"),
        ("DROP TABLE events", "sql_not_read_only"),
        ("INSERT INTO events VALUES (1)", "sql_not_read_only"),
        ("DELETE FROM events", "sql_not_read_only"),
        ("COPY events TO '/tmp/x'", "sql_not_read_only"),
        ("SET a = 1", "sql_not_read_only"),
        ("SHOW TABLES", "sql_not_read_only"),
        ("EXPLAIN ANALYZE SELECT 1", "sql_not_supported"),
        ("EXPLAIN DROP TABLE events", "sql_not_read_only"),
        ("DESCRIBE events", "sql_not_read_only"),
        ("SELECT * INTO t FROM events", "sql_not_read_only"),
        ("SELECT * FROM '/etc/passwd'", "sql_unknown_table"),
        ("SELECT * FROM \"/etc/passwd\"", "sql_unknown_table"),
        ("SELECT * FROM read_parquet('x')", "sql_unknown_table"),
        ("SELECT * FROM information_schema.tables", "sql_unknown_table"),
        ("SELECT * FROM public.events", "sql_unknown_table"),
        ("SELECT * FROM \"EVENTS\"", "sql_unknown_table"),
        ("SELECT * FROM other", "sql_unknown_table"),
        ("SELECT repeat('a', 1000000000)", "sql_unknown_function"),
        ("SELECT now()", "sql_unknown_function"),
        ("SELECT pg_sleep(10)", "sql_unknown_function"),
        ("SELECT a.concat('x')", "sql_unknown_function"),
        ("SELECT * FROM generate_series(1, 10)", "sql_unknown_table"),
        ("SELECT * FROM UNNEST([1])", "sql_not_supported"),
        ("SELECT [1, 2]", "sql_not_supported"),
        ("SELECT * FROM events, LATERAL (SELECT 1)", "sql_not_supported"),
        ("WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r", "sql_not_supported"),
        ("WITH events AS (SELECT 1) SELECT * FROM events", "sql_not_supported"),
        ("SELECT * FROM events FOR UPDATE", "sql_not_supported"),
        ("SELECT * FROM events WHERE reasoning ~ action", "sql_not_supported"),
        ("SELECT regexp_like(reasoning, action) FROM events", "sql_not_supported"),
        ("SELECT count(*) FROM events GROUP BY CUBE(tool, action)", "sql_not_supported"),
        ("SELECT $1", "sql_not_supported"),
        ("TABLE events", "sql_syntax"),
    ] {
        assert_eq!(code(sql), expected, "{sql}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_planned() {
    let long = format!("SELECT '{}'", "x".repeat(BYTES_MAX));
    assert_eq!(code(&long), "sql_too_long");
    let chain = format!("SELECT 1{}", "+1".repeat(1_000));
    assert_eq!(code(&chain), "sql_too_complex");
    let brackets = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(code(&brackets), "sql_too_complex");
    let brackets = format!("SELECT {}1{}", "(".repeat(1_000), ")".repeat(1_000));
    assert_eq!(code(&brackets), "sql_syntax");
    let mut doubled = String::from("WITH a0 AS (SELECT * FROM events)");
    let mut laughs = String::from("WITH a0 AS (SELECT tool AS x FROM events)");
    for n in 0..20 {
        let next = n + 1;
        doubled += &format!(", a{next} AS (SELECT l.* FROM a{n} l, a{n} r)");
        laughs += &format!(", a{next} AS (SELECT x || x AS x FROM a{n})");
    }
    assert_eq!(code(&format!("{doubled} SELECT * FROM a20")), "sql_too_complex");
    assert_eq!(code(&format!("{laughs} SELECT * FROM a20 WHERE x > ''")), "sql_too_complex");
    let many = vec!["SELECT 1"; 40].join(" UNION ALL ");
    let many_tables = format!("SELECT 1 FROM {}", vec!["events"; 100].join(", "));
    assert_eq!(code(&many_tables), "sql_too_complex");
    let _ = many;
}

#[test]
fn every_refusal_says_what_to_do() {
    for sql in ["DROP TABLE events", "SELECT * FROM other", "SELECT now()", "SELECT [1]", "", "x"] {
        let said = parse(sql).unwrap_err().to_string();
        assert!(said.contains(';') || said.contains(':'), "{said}");
        assert!(said.len() > 40, "{said}");
    }
}
