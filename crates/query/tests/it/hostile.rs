//! Statements from somebody who means harm: none writes, opens a file, sees anything but the table,
//! or takes more time or memory than it may.

use crate::sample;
use query::sql::{Limits, Sql};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A small deterministic generator (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.below(list.len())]
    }
}

const COLUMNS: [&str; 8] =
    ["index", "agent_name", "tool", "meta", "content", "duration_ms", "timestamp", "trace_id"];

/// `{f}` is a file that holds the canary, `{d}` its folder.
const TEMPLATES: &[&str] = &[
    "CREATE TABLE t AS SELECT * FROM events",
    "CREATE VIEW events AS SELECT 1",
    "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{f}'",
    "CREATE EXTERNAL TABLE x (a INT) STORED AS PARQUET LOCATION '{d}/'",
    "CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN 1",
    "CREATE DATABASE d",
    "CREATE SCHEMA s",
    "CREATE INDEX i ON events(index)",
    "CREATE TEMPORARY TABLE t (a INT)",
    "CREATE MACRO m() AS TABLE SELECT 1",
    "DROP TABLE events",
    "DROP TABLE IF EXISTS events CASCADE",
    "TRUNCATE TABLE events",
    "ALTER TABLE events ADD COLUMN x INT",
    "ALTER TABLE events RENAME TO other",
    "INSERT INTO events VALUES (1)",
    "INSERT INTO events SELECT * FROM events",
    "UPDATE events SET {c} = NULL",
    "DELETE FROM events WHERE 1 = 1",
    "MERGE INTO events USING events s ON true WHEN MATCHED THEN DELETE",
    "WITH x AS (DELETE FROM events RETURNING *) SELECT * FROM x",
    "WITH x AS (INSERT INTO events VALUES (1) RETURNING *) SELECT * FROM x",
    "COPY events TO '{d}/out.csv'",
    "COPY (SELECT * FROM events) TO '{d}/out' STORED AS PARQUET",
    "COPY events FROM '{f}'",
    "UNLOAD (SELECT * FROM events) TO '{d}/out'",
    "EXPORT DATABASE '{d}'",
    "SELECT * INTO OUTFILE '{d}/out' FROM events",
    "SELECT {c} INTO t FROM events",
    "SELECT * FROM events INTO t",
    "LOAD DATA INPATH '{f}' INTO TABLE events",
    "LOAD '{f}'",
    "INSTALL httpfs",
    "ATTACH '{f}' AS other",
    "DETACH other",
    "USE other",
    "PRAGMA database_list",
    "SET datafusion.execution.batch_size = 1",
    "SET memory_limit = '1TB'",
    "RESET ALL",
    "SHOW ALL",
    "SHOW TABLES",
    "SHOW COLUMNS FROM events",
    "DESCRIBE events",
    "DESC events",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "CALL f()",
    "DO $$ x $$",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "START TRANSACTION",
    "LOCK TABLE events",
    "VACUUM",
    "ANALYZE",
    "GRANT ALL ON events TO public",
    "REVOKE ALL ON events FROM public",
    "KILL 1",
    "LISTEN x",
    "EXPLAIN ANALYZE SELECT * FROM events a, events b, events c, events d",
    "EXPLAIN COPY events TO '{d}/out.csv'",
    "EXPLAIN VERBOSE SELECT * FROM '{f}'",
    "SELECT * FROM '{f}'",
    "SELECT * FROM \"{f}\"",
    "SELECT * FROM `{f}`",
    "TABLE \"{f}\"",
    "SELECT * FROM read_parquet('{f}')",
    "SELECT * FROM read_csv('{f}')",
    "SELECT * FROM read_text('{f}')",
    "SELECT * FROM glob('{d}/*')",
    "SELECT * FROM parquet_metadata('{f}')",
    "SELECT read_blob('{f}')",
    "SELECT pg_read_file('{f}')",
    "SELECT load_extension('{f}')",
    "SELECT getenv('HOME')",
    "SELECT * FROM 'http://{a}/x.parquet'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'http://{a}/x.csv'",
    "COPY events TO 'http://{a}/x.parquet'",
    "SELECT http_get('http://{a}/')",
    "SELECT * FROM \"file://{f}\"",
    "SELECT * FROM url('http://{a}/', CSV)",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.df_settings",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM system.tables",
    "SELECT * FROM main.events",
    "SELECT * FROM datafusion.public.events",
    "SELECT * FROM other.events",
    "SELECT * FROM \"../other/events\"",
    "SELECT * FROM events@other",
    "SELECT * FROM audit",
    "SELECT * FROM events FOR SYSTEM_TIME AS OF '2020-01-01'",
    "SELECT * FROM events TABLESAMPLE (1)",
    "SELECT * FROM events FOR UPDATE",
    "SELECT TOP 5 * FROM events",
    "FROM events",
    "SELECT meta_salt FROM events",
    "SELECT content_salt FROM events",
    "SELECT meta_shape FROM events",
    "SELECT repeat('x', 2000000000)",
    "SELECT lpad('x', 2000000000)",
    "SELECT rpad({c}, 999999999) FROM events",
    "SELECT array_repeat(1, 1000000000)",
    "SELECT * FROM generate_series(1, 100000000000)",
    "SELECT range(1, 1000000000)",
    "SELECT unnest(generate_series(1, 1000000000))",
    "SELECT space(1000000000)",
    "SELECT pg_sleep(100)",
    "SELECT sleep(100)",
    "SELECT now()",
    "SELECT random()",
    "SELECT uuid()",
    "SELECT version()",
    "SELECT current_user",
    "SELECT @@version",
    "SELECT arrow_cast({c}, 'FixedSizeBinary(2000000000)') FROM events",
    "SELECT CAST({c} AS CHAR(2000000000)) FROM events",
    "SELECT to_char(timestamp, '%c%c%c') FROM events",
    "SELECT count(*) FROM events a, events b, events c, events d, events e",
    "SELECT a.{c} FROM events a CROSS JOIN events b CROSS JOIN events c CROSS JOIN events d ORDER BY 1",
    "SELECT a.meta, b.meta, c.meta FROM events a, events b, events c ORDER BY 3, 2, 1",
    "SELECT DISTINCT a.meta || b.meta || c.meta FROM events a, events b, events c",
    "SELECT string_agg(a.meta || b.content, '') FROM events a, events b, events c",
    "SELECT array_agg(a.meta) FROM events a, events b, events c",
    "SELECT max(a.duration_ms * b.duration_ms) FROM events a JOIN events b ON a.index < b.index JOIN events c ON b.index <> c.index",
    "SELECT sum(a.index) OVER (ORDER BY b.meta ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM events a, events b, events c",
    "SELECT lag(a.meta, 1000000) OVER () FROM events a, events b, events c",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
    "WITH RECURSIVE r AS (SELECT meta AS x FROM events UNION ALL SELECT x || x FROM r) SELECT * FROM r",
    "SELECT * FROM events, LATERAL (SELECT * FROM events) l",
    "SELECT (SELECT count(*) FROM events b WHERE b.index < a.index) FROM events a",
    "SELECT * FROM events WHERE {c} IN (SELECT {c} FROM events WHERE {c} IN (SELECT {c} FROM events))",
    "SELECT regexp_like(meta, '(a+)+$') FROM events",
    "SELECT meta ~ '((a{1,1000}){1,1000}){1,1000}' FROM events",
    "SELECT regexp_like(meta, content) FROM events",
    "SELECT meta SIMILAR TO content FROM events",
    "SELECT * FROM events WHERE meta LIKE '%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%x'",
    "SELECT replace(replace(replace(meta, 'a', meta), 'e', meta), 'i', meta) FROM events",
    "SELECT count(*) FROM events GROUP BY CUBE(index, tool, meta, content, action, trace_id)",
    "SELECT count(*) FROM events GROUP BY ROLLUP(index, meta, content)",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a.index) FROM events a, events b, events c",
    "SELECT power(1e308, 1e308), exp(1e9), 9223372036854775807 + 1",
    "SELECT 1 / 0",
    "SELECT 1 % 0",
    "SELECT CAST('x' AS INT), CAST(1e400 AS DECIMAL(38, 38))",
    "SELECT date_trunc('century', timestamp), date_bin(INTERVAL '1 nanosecond', timestamp) FROM events",
    "SELECT timestamp + INTERVAL '999999999999 years' FROM events",
    "SELECT make_date(999999999, 99, 99)",
    "SELECT date_bin(INTERVAL '0 days', timestamp) FROM events",
    "SELECT substr(meta, -9223372036854775808, 9223372036854775807) FROM events",
    "SELECT json_get(meta, -9223372036854775808), json_get(content, 'a', 'b', 0) FROM events",
    "SELECT split_part(meta, '', 9223372036854775807) FROM events",
    "SELECT reverse(meta) FROM events",
    "SELECT ntile(9223372036854775807) OVER (ORDER BY index) FROM events",
    "SELECT nth_value(meta, -1) OVER () FROM events",
    "SELECT * FROM events LIMIT 9223372036854775807 OFFSET 9223372036854775807",
    "SELECT * FROM events LIMIT -1",
    "SELECT ${c}",
    "SELECT ?",
    "SELECT $1",
    "SELECT :x",
    "SELECT {fn now()}",
    "SELECT [1, 2][1]",
    "SELECT {'a': 1}",
    "SELECT struct(1)",
    "SELECT map(1, 2)",
    "SELECT ARRAY[1, 2]",
    "SELECT x -> x + 1",
    "SELECT * FROM events |> WHERE true",
    "SELECT * FROM events PIVOT (count(*) FOR tool IN ('a'))",
    "SELECT * FROM events MATCH_RECOGNIZE (PATTERN (a))",
    "VALUES (1), (2)",
    "SELECT",
    "SELECT * FROM (VALUES (1)) events",
    "SELECT 'a' || chr(27) || '[2J'",
    "SELECT U&'\\0041'",
    "SELECT X'00', E'\\x00'",
];

const TAILS: [&str; 10] = [
    "",
    ";",
    "; DROP TABLE events",
    "; COPY events TO '{d}/out'",
    " -- x",
    " /* x",
    " UNION ALL SELECT * FROM '{f}'",
    "\0",
    ";;;",
    " \u{37e} SELECT 1",
];

/// What the statements name: a folder with a file, and an address at which somebody listens.
struct Bait<'b> {
    folder: &'b Path,
    address: String,
}

/// The next statement.
fn statement(random: &mut Random, bait: &Bait<'_>) -> String {
    let mut text = match random.below(12) {
        0 => bomb(random),
        1 => mutated(random),
        _ => random.pick(TEMPLATES).to_owned(),
    };
    if random.below(4) == 0 {
        text += random.pick(&TAILS);
    }
    match random.below(10) {
        0 => text = text.to_uppercase(),
        1 => text = text.replace(' ', "/**/ "),
        2 => text = text.replace('e', "\u{435}"),
        3 => text = format!("-- {{\n{text}"),
        4 => text = format!("EXPLAIN {text}"),
        5 => text = format!("SELECT * FROM ({text}) q"),
        6 => text = format!("WITH q AS ({text}) SELECT * FROM q, q AS r"),
        _ => {}
    }
    let folder = bait.folder.to_str().unwrap();
    text.replace("{c}", random.pick(&COLUMNS))
        .replace("{a}", &bait.address)
        .replace("{f}", &format!("{folder}/canary.csv"))
        .replace("{d}", folder)
}

/// Nesting and repetition.
fn bomb(random: &mut Random) -> String {
    let many = [10, 100, 1_000, 5_000, 20_000][random.below(5)];
    match random.below(12) {
        0 => format!("SELECT {}1{}", "(".repeat(many), ")".repeat(many)),
        1 => format!("SELECT 1{}", " + 1".repeat(many)),
        2 => format!("SELECT {}1", "- ".repeat(many)),
        3 => format!("SELECT {}true", "NOT ".repeat(many)),
        4 => {
            format!("SELECT {}1 FROM events{}", "(SELECT ".repeat(many / 10), ")".repeat(many / 10))
        }
        5 => format!(
            "SELECT * FROM {}events{}",
            "(SELECT * FROM ".repeat(many / 10),
            ") q".repeat(many / 10)
        ),
        6 => format!("SELECT * FROM events WHERE 1=1{}", " OR meta = 'x'".repeat(many / 4)),
        7 => format!("SELECT {}", vec!["concat(meta, content)"; many / 10].join(",")),
        8 => vec!["SELECT 1"; many / 10].join(" UNION ALL "),
        9 => format!(
            "SELECT {}1{}",
            "CASE WHEN true THEN ".repeat(many / 10),
            " END".repeat(many / 10)
        ),
        10 => chain(many / 50, "SELECT l.x FROM a{n} l, a{n} r"),
        _ => chain(many / 50, "SELECT x || x || x AS x FROM a{n} WHERE x > x || ''"),
    }
}

fn chain(length: usize, step: &str) -> String {
    let mut text = "WITH a0 AS (SELECT meta AS x FROM events)".to_owned();
    for n in 0..length.min(300) {
        text += &format!(", a{} AS ({})", n + 1, step.replace("{n}", &n.to_string()));
    }
    text + &format!(" SELECT * FROM a{}", length.min(300))
}

/// A statement with a few bytes of another.
fn mutated(random: &mut Random) -> String {
    let mut text: Vec<char> = random.pick(TEMPLATES).chars().collect();
    for _ in 0..1 + random.below(4) {
        let other: Vec<char> = random.pick(TEMPLATES).chars().collect();
        let (from, at) = (random.below(other.len()), random.below(text.len() + 1));
        let piece: Vec<char> = other[from..(from + 1 + random.below(12)).min(other.len())].to_vec();
        text.splice(at..at, piece);
    }
    text.into_iter().collect()
}

/// What is below a folder, with sizes.
fn files(folder: &Path) -> BTreeSet<(PathBuf, u64)> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.flatten().map(|e| (e.path(), e.metadata().map_or(0, |m| m.len()))).collect()
}

/// Open files of this process below a folder, and any that have been written to in the temporary
/// folder of the system by an engine that spills.
fn open_below(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return false };
    entries
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .any(|path| path.starts_with(folder) || path.to_string_lossy().contains("datafusion"))
}

/// The sockets that this process has.
fn sockets() -> BTreeSet<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return BTreeSet::new() };
    entries
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|path| path.to_string_lossy().starts_with("socket:"))
        .collect()
}

fn memory_mib(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Says that something ended, however it ended.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs statements and looks at what they left.
fn attack(seed: u64, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("canary.csv"), "a,b\nCANARY,SINGS\n").unwrap();
    let here = std::env::current_dir().unwrap();
    let look = || (files(folder.path()), files(&here));
    let (before, sql) = (look(), Sql::new(sample::columns(300, 300)).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (bait, known) = (Bait { folder: folder.path(), address }, sockets());
    let limits =
        Limits { time: Duration::from_millis(700), memory: 16 << 20, rows: 100, bytes: 4 << 20 };
    let slack = Duration::from_secs(5);
    let (done, seen) = (AtomicBool::new(false), AtomicBool::new(false));
    let memory = memory_mib("VmRSS");
    let mut codes = std::collections::BTreeMap::<&str, usize>::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if open_below(folder.path()) || !sockets().is_subset(&known) {
                    seen.store(true, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_micros(500));
            }
        });
        // Also when an assertion fails: the scope waits for whoever looks.
        let _ended = Ends(&done);
        let mut random = Random(seed);
        for number in 0..count {
            let text = statement(&mut random, &bait);
            let (begun, most) = (Instant::now(), memory_mib("VmHWM"));
            let outcome = sql.ask(&text, &limits);
            let took = begun.elapsed();
            assert!(took < limits.time + slack, "{number} took {took:?}: {text}");
            // Each statement may use its pool, what one batch takes, and what a decoded log takes.
            let grown = memory_mib("VmHWM").saturating_sub(most.max(memory));
            assert!(grown < 300, "{number} took {grown} MiB more: {text}");
            let code = match outcome {
                Ok(answer) => {
                    assert!(answer.row_count() <= limits.rows, "{number}: {text}");
                    let sings = answer
                        .texts()
                        .unwrap()
                        .iter()
                        .flatten()
                        .flatten()
                        .any(|cell| cell.contains("SINGS") || cell.contains("CANARY"));
                    assert!(!sings, "{number} read a file: {text}");
                    "answered"
                }
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.len() > 20, "{number}: {said:?}");
                    error.code()
                }
            };
            *codes.entry(code).or_default() += 1;
        }
    });
    assert_eq!(look(), before, "something was written");
    assert!(!seen.load(Ordering::Relaxed), "a file or a socket was opened");
    let called = listener.accept().map_err(|error| error.kind());
    assert_eq!(called.err(), Some(ErrorKind::WouldBlock), "somebody was called");
    let grown = memory_mib("VmHWM").saturating_sub(memory);
    assert!(grown < 1024, "{grown} MiB were taken");
    for needed in
        ["answered", "sql_not_read_only", "sql_unknown_table", "sql_syntax", "sql_timeout"]
    {
        assert!(codes.contains_key(needed), "none was {needed}: {codes:?}");
    }
    println_codes(seed, count, grown, &codes);
    // The table is what it was.
    let answer = sql.ask("SELECT count(*) FROM events", &limits).unwrap();
    assert_eq!(answer.texts().unwrap(), [[Some("300".to_owned())]]);
}

/// Into the output of the test, which is shown with `--nocapture`.
#[expect(clippy::print_stdout, reason = "a test")]
fn println_codes(
    seed: u64,
    count: usize,
    grown: u64,
    codes: &std::collections::BTreeMap<&str, usize>,
) {
    println!("seed {seed}, {count} statements, {grown} MiB at most: {codes:?}");
}

#[test]
fn hostile_statements_do_no_harm() {
    attack(1, 400);
}

/// All of them: `cargo xtask strength hostile-sql`.
#[test]
#[ignore = "two minutes and more"]
fn ten_thousand_hostile_statements_do_no_harm() {
    for seed in 2..12 {
        attack(seed, 1_000);
    }
}
