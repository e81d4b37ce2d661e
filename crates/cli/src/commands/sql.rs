//! `tacho sql`: one SELECT over the table `events`.

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{DIM, DOUBTFUL, plain, styled};
use clap::Args;
use query::sql::{Answer, Cut, Layout, Limits, Sql, SqlError};
use query::{CACHE_BYTES, Columns};
use reading::answer;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

const AFTER_HELP: &str = "\
The table is `events`. Columns: index, recorded_at, tier, kind, state, then the fields of an event
(event_id, event_type, timestamp, agent_name, session_id, trace_id, action, tool, outcome,
error_type, duration_ms, tokens_total, cost_amount, model, ...), and `meta` and `content` as JSON.
`SELECT * FROM events LIMIT 1` shows all; docs/sql.md explains them.

Examples:
  tacho sql \"SELECT tool, count(*) AS calls FROM events GROUP BY tool ORDER BY calls DESC\"
  tacho sql \"SELECT agent_name, error_type, count(*) FROM events
             WHERE error_type IS NOT NULL GROUP BY 1, 2\"
  tacho sql \"SELECT timestamp, action, params->>'order_id' FROM events
             WHERE trace_id = '5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6' ORDER BY index\"
  tacho sql - --format csv < question.sql";

/// Ask in SQL; it can only read
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// One SELECT, or - to read it from standard input
    #[arg(value_name = "STATEMENT")]
    statement: String,
    /// At most this many rows
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    limit: usize,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Memory for sorting, grouping and joining, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u64).range(1..=65_536))]
    memory: u64,
}

/// Most bytes that are read from standard input: more than a statement may have.
const STATEMENT_BYTES_MAX: u64 = 1 << 20;

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let formats = [Format::Text, Format::Json, Format::Ndjson, Format::Csv];
        let layout = match context.format(&formats)? {
            Format::Json => Layout::Json,
            Format::Ndjson => Layout::Ndjson,
            Format::Csv => Layout::Csv,
            _ => Layout::Table,
        };
        let statement = self.statement()?;
        let reading = context.reading()?;
        let as_of = answer::as_of(&reading);
        let library = reading::library(&reading, as_of.clone())?.ok_or_else(|| {
            Failure::new(
                "SQL needs a log that is whole, and records of this one are missing or damaged; \
                 `tacho verify` names them, and `tacho events` shows those that can be read",
            )
        })?;
        let columns = Columns::of(&library, CACHE_BYTES)?;
        let limits = Limits {
            time: Duration::from_secs(self.timeout),
            memory: usize::try_from(self.memory << 20).unwrap_or(usize::MAX),
            rows: self.limit,
            ..Limits::default()
        };
        let answer = Sql::new(Arc::new(columns))?.ask(&statement, &limits).map_err(refused)?;
        if layout == Layout::Table {
            let mut out = context.terminal.people();
            answer.write(layout, &as_of, &mut out)?;
            out.flush()?;
        } else {
            let mut out = context.terminal.programs();
            answer.write(layout, &as_of, &mut out)?;
            out.flush()?;
        }
        conclude(context, &answer, layout, &answer::sentence(&as_of));
        Ok(Exit::Fine)
    }

    fn statement(&self) -> Result<String, Failure> {
        if self.statement != "-" {
            return Ok(self.statement.clone());
        }
        let mut text = String::new();
        std::io::stdin().lock().take(STATEMENT_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    }
}

/// What is worth knowing beside the answer.
fn conclude(context: &Context, answer: &Answer, layout: Layout, as_of: &str) {
    if let Some(cut) = answer.cut() {
        let rows = answer.row_count();
        let how = match cut {
            Cut::Rows => format!("only the first {rows} rows; --limit N shows more"),
            Cut::Bytes => format!(
                "only the first {rows} rows, because they are large; name fewer columns or narrow \
                 it down with WHERE"
            ),
        };
        context.terminal.note(format!("{}: {how}", styled(DOUBTFUL, "warning")));
    }
    if layout == Layout::Table {
        let rows = answer.row_count();
        let word = if rows == 1 { "row" } else { "rows" };
        context.terminal.note(styled(DIM, format!("{rows} {word}, {as_of}")));
    } else if layout != Layout::Json {
        context.terminal.note(as_of);
    }
}

/// The engine's sentence, with its code for those who look it up.
fn refused(error: SqlError) -> Failure {
    let sentence = format!("{} ({})", plain(&error.to_string()), error.code());
    match error {
        SqlError::Syntax(_)
        | SqlError::NotOne { .. }
        | SqlError::Plan(_)
        | SqlError::UnknownTable { .. }
        | SqlError::UnknownFunction { .. }
        | SqlError::NotSupported { .. }
        | SqlError::TooLong { .. }
        | SqlError::TooComplex { .. } => Failure::usage(sentence),
        SqlError::NotReadOnly { .. } => Failure::refused(sentence),
        _ => Failure::new(sentence),
    }
}
