//! SQL of a folder: the engine runs in this process.

use super::{Arguments, conclude, warn};
use crate::arguments::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::plain;
use query::sql::{Answer, Cut, Layout, Limits, Sql, SqlError};
use query::{CACHE_BYTES, Columns};
use reading::answer;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

impl Arguments {
    /// Answers from the folder.
    pub(super) fn answer(
        &self,
        context: &Context,
        statement: &str,
        format: Format,
    ) -> Result<(), Failure> {
        let layout = match format {
            Format::Json => Layout::Json,
            Format::Ndjson => Layout::Ndjson,
            Format::Csv => Layout::Csv,
            _ => Layout::Table,
        };
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
        let answer = Sql::new(Arc::new(columns))?.ask(statement, &limits).map_err(refused)?;
        if layout == Layout::Table {
            let mut out = context.terminal.people();
            answer.write(layout, &as_of, &mut out)?;
            out.flush()?;
        } else {
            let mut out = context.terminal.programs();
            answer.write(layout, &as_of, &mut out)?;
            out.flush()?;
        }
        if let Some(cut) = answer.cut() {
            warn(context, &how_cut(&answer, cut));
        }
        let sentence = answer::sentence(&as_of);
        if layout == Layout::Table {
            conclude(context, answer.row_count(), &sentence);
        } else if layout != Layout::Json {
            context.terminal.note(sentence);
        }
        Ok(())
    }
}

/// Why the answer is not all.
fn how_cut(answer: &Answer, cut: Cut) -> String {
    let rows = answer.row_count();
    match cut {
        Cut::Rows => format!("only the first {rows} rows; --limit N shows more"),
        Cut::Bytes => format!(
            "only the first {rows} rows, because they are large; name fewer columns or narrow it down \
             with WHERE"
        ),
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
