//! DuckDB in a Python of the user's, as a baseline: it gets the events once, as a plain Parquet
//! file, and then the same questions.

use query::sql::{Layout, Limits, Sql};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Reads questions, one JSON object a line, and answers with the milliseconds that each run took.
const SCRIPT: &str = r#"
import json, sys, time
import duckdb
folder = sys.argv[1]
con = duckdb.connect()
con.execute("SET TimeZone='UTC'")
con.execute("SET enable_progress_bar=false")
print(json.dumps({"version": duckdb.__version__}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    if "load" in task:
        con.execute(f"COPY (SELECT * FROM read_csv('{folder}/events-*.csv', header=true, "
                    f"all_varchar=false, types={task['types']})) "
                    f"TO '{folder}/events.parquet' (FORMAT parquet, COMPRESSION zstd)")
        con.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{folder}/events.parquet')")
        count = con.execute("SELECT count(*) FROM events").fetchone()[0]
        print(json.dumps({"count": count}), flush=True)
        continue
    times = []
    for _ in range(task["runs"] + 1):
        begun = time.perf_counter()
        rows = con.execute(task["sql"]).fetchall()
        times.append((time.perf_counter() - begun) * 1e3)
    print(json.dumps({"ms": times[1:], "rows": len(rows)}), flush=True)
"#;

/// Columns that the questions need, with DuckDB's types.
const COLUMNS: [(&str, &str); 13] = [
    ("index", "BIGINT"),
    ("recorded_at", "TIMESTAMP"),
    ("event_id", "VARCHAR"),
    ("event_type", "VARCHAR"),
    ("timestamp", "TIMESTAMP"),
    ("agent_name", "VARCHAR"),
    ("session_id", "VARCHAR"),
    ("trace_id", "VARCHAR"),
    ("action", "VARCHAR"),
    ("tool", "VARCHAR"),
    ("outcome", "VARCHAR"),
    ("error_type", "VARCHAR"),
    ("duration_ms", "DOUBLE"),
];

/// Events in one file of the hand-over.
const STEP: u64 = 250_000;

pub(super) struct DuckDb {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl DuckDb {
    /// Hands the events over.
    pub(super) fn load(python: &Path, scratch: &Path, sql: &Sql) -> Result<Self, String> {
        let folder = scratch.join("duckdb");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let told = hand_over(&folder, sql)?;
        let mut child = Command::new(python)
            .args(["-c", SCRIPT])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipe to Python".to_owned());
        };
        let (input, output) = (BufWriter::new(input), BufReader::new(output));
        let mut duckdb = Self { child, input, output };
        duckdb.answer()?;
        let mut types = String::from("{");
        for (name, data_type) in COLUMNS {
            // Writing to a string cannot fail.
            let _ = write!(types, "'{name}': '{data_type}', ");
        }
        types.push('}');
        let answer = duckdb.ask(&serde_json::json!({ "load": true, "types": types }))?;
        if answer.get("count").and_then(serde_json::Value::as_u64) != Some(told) {
            return Err(format!("DuckDB has other events than the {told}: {answer}"));
        }
        Ok(duckdb)
    }

    /// Milliseconds of each run, the first left out.
    pub(super) fn measure(&mut self, sql: &str, runs: usize) -> Result<Vec<f64>, String> {
        // `index` is a word of DuckDB's only in some places, and no column needs other quotes.
        let answer = self.ask(&serde_json::json!({ "sql": sql, "runs": runs }))?;
        let times = answer.get("ms").and_then(serde_json::Value::as_array);
        times
            .map(|times| times.iter().filter_map(serde_json::Value::as_f64).collect())
            .ok_or_else(|| format!("DuckDB did not answer: {answer}"))
    }

    fn ask(&mut self, task: &serde_json::Value) -> Result<serde_json::Value, String> {
        let sent = writeln!(self.input, "{task}").and_then(|()| self.input.flush());
        sent.map_err(|error| format!("Python ended: {error}"))?;
        self.answer()
    }

    fn answer(&mut self) -> Result<serde_json::Value, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        serde_json::from_str(&line)
            .map_err(|_| "Python said nothing; is `duckdb` installed there?".to_owned())
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the events as CSV files; returns how many there are.
fn hand_over(folder: &Path, sql: &Sql) -> Result<u64, String> {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let limits = Limits {
        time: Duration::from_secs(600),
        memory: 1 << 30,
        rows: usize::MAX,
        bytes: 2 << 30,
    };
    let as_of = query::AsOf { origin: String::new(), size: 0, root_hex: String::new() };
    let (mut told, mut from) = (0, 0);
    loop {
        let to = from + STEP;
        let text = format!(
            "SELECT {} FROM events WHERE index >= {from} AND index < {to}",
            names.join(", ")
        );
        let answer = sql.ask(&text, &limits).map_err(|error| error.to_string())?;
        if answer.row_count() == 0 {
            return Ok(told);
        }
        told += answer.row_count() as u64;
        let path = folder.join(format!("events-{from:012}.csv"));
        let file = std::fs::File::create(&path).map_err(|error| error.to_string())?;
        let mut file = BufWriter::new(file);
        let written = answer.write(Layout::Csv, &as_of, &mut file).and_then(|()| file.flush());
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        from = to;
    }
}
