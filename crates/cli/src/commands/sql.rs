//! `tacho sql`: one SELECT over the table `events`, of a folder or of a server.

#[cfg(feature = "sql")]
mod here;

use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::remote::acts::Statement;
use crate::remote::questions::as_of;
use crate::terminal::{DIM, DOUBTFUL, plain, styled};
use clap::Args;
use query::render::{Column, table};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::{Read as _, Write as _};

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
  tacho sql - --format csv < question.sql
  tacho sql --url https://log.example.org \"SELECT count(*) FROM events\"";

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
    /// Memory for sorting, grouping and joining, in MiB; a server goes by its own
    #[arg(long, value_name = "MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u64).range(1..=65_536))]
    memory: u64,
}

/// Most bytes that are read from standard input: more than a statement may have.
const STATEMENT_BYTES_MAX: u64 = 1 << 20;

/// An answer in JSON, as `query` writes it.
#[derive(Deserialize)]
struct Told<'t> {
    checkpoint: Checkpoint,
    columns: Vec<String>,
    #[serde(borrow)]
    rows: Vec<Vec<&'t RawValue>>,
    truncated: bool,
}

#[derive(Deserialize)]
struct Checkpoint {
    origin: String,
    size: u64,
    root: String,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let formats = [Format::Text, Format::Json, Format::Ndjson, Format::Csv];
        let format = context.format(&formats)?;
        let statement = self.statement()?;
        match Remote::named(context)? {
            Some(remote) => self.ask(context, &remote, &statement, format)?,
            #[cfg(feature = "sql")]
            None => self.answer(context, &statement, format)?,
            #[cfg(not(feature = "sql"))]
            None => {
                return Err(Failure::usage(
                    "this build has no SQL of its own; ask a server that has it, with --url, or build \
                     it with the feature `sql`",
                ));
            }
        }
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

    /// Asks a server, whose answer is printed as one from here is.
    fn ask(
        &self,
        context: &Context,
        remote: &Remote,
        text: &str,
        format: Format,
    ) -> Result<(), Failure> {
        let name = match format {
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            _ => "json",
        };
        let (limit, timeout) = (self.limit, self.timeout);
        let answer = remote.select(Statement { text, limit, timeout, format: name })?;
        if format != Format::Text {
            if is_for_terminals(&answer.bytes) {
                return Err(remote.foreign(&"its answer holds control characters"));
            }
            let mut out = context.terminal.programs();
            out.write_all(&answer.bytes)?;
            out.flush()?;
            if format != Format::Json
                && let Some(as_of) = as_of(&answer)
            {
                context.terminal.note(reading::answer::sentence(&as_of));
            }
            return Ok(());
        }
        let told: Told<'_> =
            serde_json::from_slice(&answer.bytes).map_err(|error| remote.foreign(&error))?;
        let Checkpoint { origin, size, root: root_hex } = told.checkpoint;
        let as_of = query::AsOf { origin, size, root_hex };
        let rows: Vec<Vec<Option<String>>> =
            told.rows.iter().map(|row| row.iter().map(|value| text_of(value)).collect()).collect();
        let is_number = |at: usize| {
            let mut known = told.rows.iter().filter_map(|row| row.get(at)).map(|it| it.get());
            let mut numbers = known.by_ref().filter(|text| *text != "null").peekable();
            numbers.peek().is_some()
                && numbers.all(|text| text.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
        };
        let columns: Vec<Column> = told
            .columns
            .iter()
            .enumerate()
            .map(|(at, name)| Column { name: name.clone(), is_number: is_number(at) })
            .collect();
        let mut out = context.terminal.people();
        table(&columns, &rows, &mut out)?;
        out.flush()?;
        if told.truncated {
            let count = rows.len();
            warn(context, &format!("only the first {count} rows; --limit N shows more"));
        }
        conclude(context, rows.len(), &reading::answer::sentence(&as_of));
        Ok(())
    }
}

/// Whether there is something in an answer that a terminal would obey, which no server of ours lets
/// through.
fn is_for_terminals(bytes: &[u8]) -> bool {
    let is_control =
        |byte: &u8| (*byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t')) || *byte == 0x7f;
    bytes.iter().any(is_control) || bytes.windows(2).any(|two| matches!(two, [0xc2, 0x80..=0x9f]))
}

/// A value of an answer as text.
fn text_of(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        text => Some(text.to_owned()),
    }
}

fn warn(context: &Context, how: &str) {
    context.terminal.note(format!("{}: {how}", styled(DOUBTFUL, "warning")));
}

/// What stands below a table.
fn conclude(context: &Context, rows: usize, as_of: &str) {
    let word = if rows == 1 { "row" } else { "rows" };
    context.terminal.note(styled(DIM, format!("{rows} {word}, {}", plain(as_of))));
}
