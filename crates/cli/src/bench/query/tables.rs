//! The questions that columns answer: by the fixed kernels of `figures`, through the SQL engine,
//! which has no guides, and as reports, which begin with no column in memory.

use super::duckdb::DuckDb;
use super::{AGENT, Case, Plan, WORD};
use crate::bench::query::samples::Sample;
use query::figures::{self, Period, activity_by_hour, error_analysis, tool_usage};
use query::sql::{Limits, Sql};
use query::{CACHE_BYTES, Columns, Library};
use report::reports::{self, Name, Settings, Subject};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Tables {
    columns: Arc<Columns>,
    sql: Sql,
}

impl Tables {
    /// Takes the columns into memory, and hands the events to DuckDB if it is wanted.
    ///
    /// # Errors
    /// A sentence with the first failure.
    pub(super) fn of(library: &Library, plan: Plan<'_>) -> Result<(Self, Option<DuckDb>), String> {
        let columns = Columns::of(library, CACHE_BYTES).map_err(|error| error.to_string())?;
        let columns = Arc::new(columns);
        let sql = Sql::new(Arc::clone(&columns)).map_err(|error| error.to_string())?;
        let duckdb = plan.python.map(|python| DuckDb::load(python, plan.scratch, library));
        Ok((Self { columns, sql }, duckdb.transpose()?))
    }

    /// These questions and its own.
    pub(super) fn added_to<'q>(
        &'q self,
        mut cases: Vec<Case<'q>>,
        library: &'q Library,
        samples: &[Sample],
    ) -> Vec<Case<'q>> {
        let columns = &*self.columns;
        type Figure<'a> = Box<dyn Fn() -> Result<usize, segment::SegmentError> + 'a>;
        let kernels: [(&'static str, Figure<'q>, &str); 3] = [
            (
                "tool usage",
                Box::new(move || tool_usage(columns).map(|it| it.len())),
                figures::TOOL_USAGE_SQL,
            ),
            (
                "error analysis",
                Box::new(move || error_analysis(columns).map(|it| it.len())),
                figures::ERROR_ANALYSIS_SQL,
            ),
            (
                "agent by hour",
                Box::new(move || activity_by_hour(columns).map(|it| it.len())),
                figures::ACTIVITY_BY_HOUR_SQL,
            ),
        ];
        for (name, figure, text) in kernels {
            let ask = move || figure().map_err(|error| error.to_string());
            cases.push(Case { name, ask: Box::new(ask), duckdb: Some(text.to_owned()) });
        }
        for (name, text) in [
            ("sql: tool usage", figures::TOOL_USAGE_SQL.to_owned()),
            ("sql: error analysis", figures::ERROR_ANALYSIS_SQL.to_owned()),
            ("sql: agent by hour", figures::ACTIVITY_BY_HOUR_SQL.to_owned()),
            ("sql: trace by id", trace(samples)),
            ("sql: newest 100 of an agent", newest()),
            ("sql: rare word", word()),
        ] {
            let duckdb = Some(text.clone());
            cases.push(Case { name, ask: Box::new(move || self.ask(&text)), duckdb });
        }
        for (name, of) in [
            ("report: summary", Name::Summary),
            ("report: tool-usage", Name::ToolUsage),
            ("report: error-analysis", Name::ErrorAnalysis),
            ("report: daily", Name::Daily),
        ] {
            let ask = move || report(library, of);
            cases.push(Case { name, ask: Box::new(ask), duckdb: None });
        }
        cases
    }

    fn ask(&self, text: &str) -> Result<usize, String> {
        let limits = Limits { time: Duration::from_secs(600), ..Limits::default() };
        let answer = self.sql.ask(text, &limits).map_err(|error| error.to_string())?;
        Ok(answer.row_count())
    }
}

/// A report as `tacho report` makes it: with nothing in memory but what the segments' footers say.
fn report(library: &Library, name: Name) -> Result<usize, String> {
    let columns = Columns::of(library, CACHE_BYTES).map_err(|error| error.to_string())?;
    let subject = Subject {
        columns: &columns,
        as_of: library.as_of(),
        period: Period::default(),
        shows_content: true,
        shows_access_records: true,
    };
    let made = reports::make(name, &subject, &Settings::default());
    Ok(made.map_err(|error| error.to_string())?.json.len())
}

/// What DuckDB is asked in the place of a question that guides answer.
pub(super) fn same(name: &str, samples: &[Sample]) -> Option<String> {
    match name {
        "event by id" => samples.first().map(|it| by("event_id", &it.event)),
        "trace by id" => Some(trace(samples)),
        "newest 100 of an agent" => Some(newest()),
        "rare word" => Some(word()),
        _ => None,
    }
}

fn by(column: &str, id: &str) -> String {
    format!("SELECT index, timestamp, action FROM events WHERE {column} = '{id}'")
}

fn trace(samples: &[Sample]) -> String {
    by("trace_id", samples.first().map_or("", |it| &it.trace))
}

fn word() -> String {
    format!("SELECT index, timestamp, action FROM events WHERE content LIKE '%{WORD}%'")
}

fn newest() -> String {
    format!(
        "SELECT index, timestamp, event_type, action FROM events WHERE agent_name = '{AGENT}' \
         ORDER BY index DESC LIMIT 100"
    )
}
