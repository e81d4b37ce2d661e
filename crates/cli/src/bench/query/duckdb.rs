//! DuckDB in a Python of the user's, as a baseline: it gets the records once, as the Parquet file
//! that `tacho export` writes, and then the same questions.
//!
//! It writes that file anew in its own layout, with the tool of an event as a column and times as
//! it counts fastest with: what it is compared by is DuckDB at its best.

use super::Times;
use crate::arguments::Format;
use crate::commands::export::Exporter;
use query::{Filter, Library};
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Reads questions, one JSON object a line, and answers with the milliseconds that each run took.
const SCRIPT: &str = r#"
import json, os, sys, time
import duckdb
folder = sys.argv[1]
con = duckdb.connect()
con.execute("SET TimeZone='UTC'")
con.execute("SET enable_progress_bar=false")
con.execute(f"SET temp_directory='{folder}'")
print(json.dumps({"version": duckdb.__version__}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    if "load" in task:
        tool = """coalesce(tool, CASE WHEN event_type IN ('agent.tool_call', 'agent.tool_result')
                  THEN nullif(substr(action, instr(action, ':') + 1), '') END)"""
        con.execute(f"COPY (SELECT * REPLACE ({tool} AS tool, timestamp::TIMESTAMP AS timestamp, "
                    f"recorded_at::TIMESTAMP AS recorded_at) FROM '{folder}/export.parquet') "
                    f"TO '{folder}/events.parquet' (FORMAT parquet, COMPRESSION zstd)")
        os.remove(f"{folder}/export.parquet")
        con.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{folder}/events.parquet')")
        count = con.execute("SELECT count(*) FROM events").fetchone()[0]
        print(json.dumps({"count": count}), flush=True)
        continue
    times = []
    for _ in range(task["runs"] + 1):
        begun = time.perf_counter()
        rows = con.execute(task["sql"]).fetchall()
        times.append((time.perf_counter() - begun) * 1e3)
    print(json.dumps({"ms": times, "rows": len(rows)}), flush=True)
"#;

pub(super) struct DuckDb {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl DuckDb {
    /// Hands the records over.
    pub(super) fn load(python: &Path, scratch: &Path, library: &Library) -> Result<Self, String> {
        let folder = scratch.join("duckdb");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let told = hand_over(&folder.join("export.parquet"), library)?;
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
        let answer = duckdb.ask(&serde_json::json!({ "load": true }))?;
        if answer.get("count").and_then(serde_json::Value::as_u64) != Some(told) {
            return Err(format!("DuckDB has other events than the {told}: {answer}"));
        }
        Ok(duckdb)
    }

    /// How long it takes.
    pub(super) fn measure(&mut self, sql: &str, runs: usize) -> Result<Times, String> {
        // `index` is a word of DuckDB's only in some places, and no column needs other quotes.
        let answer = self.ask(&serde_json::json!({ "sql": sql, "runs": runs }))?;
        let strange = || format!("DuckDB did not answer: {answer}");
        let times = answer.get("ms").and_then(serde_json::Value::as_array).ok_or_else(strange)?;
        let mut times = times.iter().filter_map(serde_json::Value::as_f64);
        let rows = answer.get("rows").and_then(serde_json::Value::as_u64).ok_or_else(strange)?;
        let first = times.next().ok_or_else(strange)?;
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(Times { first, rest: times.collect(), rows })
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

/// Writes the records as `tacho export --format parquet` does; returns how many there are.
fn hand_over(path: &Path, library: &Library) -> Result<u64, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::create(path).map_err(|error| failed(&error))?;
    let out = Box::new(BufWriter::new(file));
    let exporter = Exporter::begin(Format::Parquet, out, library.as_of(), true);
    let mut exporter = exporter.map_err(|error| failed(&error))?;
    let mut trouble = None;
    let outcome =
        query::find_each(library, &Filter::default(), &mut |found| match exporter.push(found) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                trouble = Some(failed(&error));
                ControlFlow::Break(())
            }
        });
    outcome.map_err(|error| failed(&error))?;
    match trouble {
        Some(trouble) => Err(trouble),
        None => Ok(exporter.end().map_err(|error| failed(&error))?.records),
    }
}
