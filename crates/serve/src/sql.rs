//! `POST .../sql`: one SELECT over the table `events` of one log, as `tacho sql` answers it.
//!
//! What the caller may not see is not in their table: without the right to content its columns are
//! not there, without that to records of access these rows are not. Every statement is a record of
//! the log, durable before the answer leaves, also when the answer is an error: errors tell of
//! values.

#[cfg(feature = "sql")]
pub(crate) use with_engine::select;
#[cfg(not(feature = "sql"))]
pub(crate) use without::select;

use schemars::JsonSchema;
use serde::Deserialize;

/// A statement.
#[derive(Debug, Deserialize, JsonSchema)]
#[cfg_attr(not(feature = "sql"), expect(dead_code, reason = "only its schema is used"))]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// One SELECT over the table `events`.
    statement: String,
    /// Rows of the answer at most; 1,000 if nothing is said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<usize>,
    /// Seconds that it may take; 30 if nothing is said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60))]
    timeout: Option<u64>,
}

#[cfg(not(feature = "sql"))]
mod without {
    use crate::problem::Problem;
    use axum::http::StatusCode;

    /// Nothing is asked.
    pub(crate) async fn select() -> Problem {
        let detail = "this server was built without SQL; ask with .../events, or build it with the \
                      feature `sql`";
        Problem::new(StatusCode::NOT_IMPLEMENTED, "no_sql", detail)
    }
}

#[cfg(feature = "sql")]
mod with_engine {
    use super::Asked;
    use crate::access::policy::Action;
    use crate::app::App;
    use crate::ask;
    use crate::body;
    use crate::gate::Granted;
    use crate::problem::Problem;
    use axum::body::Body;
    use axum::extract::{RawQuery, State};
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
    use query::sql::{Layout, Limits, Shown, Sql, SqlError};
    use query::{AsOf, Columns};
    use reading::View;
    use serde_json::json;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::timeout;

    /// Rows of one answer, when nothing else is asked for, and at most.
    const ROWS: usize = 1_000;
    const ROWS_MAX: usize = 10_000;
    /// Seconds for one statement, likewise. A request is answered within two minutes.
    const SECONDS: u64 = 30;
    const SECONDS_MAX: u64 = 60;
    /// Memory of one statement for sorting, grouping and joining; of its answer; of columns.
    const MEMORY_BYTES: usize = 128 << 20;
    const ANSWER_BYTES: usize = 32 << 20;
    const COLUMN_BYTES: usize = 64 << 20;
    /// How long a statement waits for its turn.
    const TURN_MAX: Duration = Duration::from_secs(10);
    /// Characters of a statement that the log keeps; longer ones are refused.
    const RECORDED_CHARACTERS_MAX: usize = 16 << 10;

    /// Rows as bytes, or why there are none.
    struct Answered {
        outcome: Result<Vec<u8>, SqlError>,
        rows: usize,
        as_of: AsOf,
    }

    /// Asks.
    pub(crate) async fn select(
        State(app): State<App>,
        granted: Granted,
        RawQuery(text): RawQuery,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        let layout = layout(text.as_deref())?;
        let body = body::receive_small(app.budget(), &headers, body).await?;
        let asked: Asked = serde_json::from_slice(&body).map_err(|error| {
            let detail = format!("{error}; send {{\"statement\": \"SELECT ...\"}}");
            Problem::malformed("not_json", detail)
        })?;
        let limits = limits(&asked)?;
        let shown = Shown {
            content: ask::may(&app, &granted, Action::ReadContent),
            access_records: ask::may(&app, &granted, Action::ReadAccessRecords),
        };
        let turn = timeout(TURN_MAX, Arc::clone(app.statements()).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Problem::busy(
                "overloaded",
                "other statements are being answered; ask again",
            ));
        };
        let statement = asked.statement.clone();
        let answered = ask::ask(&app, &granted, move |view| {
            let _turn = turn;
            answer(view, &statement, shown, &limits, layout)
        });
        let Answered { outcome, rows, as_of } = answered.await?;
        // All of it, where it can be answered: one that was cut could begin with something
        // harmless.
        let kept: String = asked.statement.chars().take(RECORDED_CHARACTERS_MAX).collect();
        let mut question = json!({ "sql": kept });
        if let (Err(error), Some(members)) = (&outcome, question.as_object_mut()) {
            members.insert("failed".to_owned(), error.code().into());
        }
        ask::record(&granted, "sql", question, rows as u64, as_of.size).await?;
        Ok(respond(outcome.map_err(|error| problem(&error))?, layout, &as_of))
    }

    fn answer(
        view: &View,
        statement: &str,
        shown: Shown,
        limits: &Limits,
        layout: Layout,
    ) -> Result<Answered, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "log_unreadable", error.to_string())
        };
        let library = view.library().map_err(|error| ask::problem(&error))?.ok_or_else(|| {
            failed(
                &"SQL needs a log that is whole, and records of this one are missing or damaged; \
                  `tacho verify` names them, and .../events shows those that can be read",
            )
        })?;
        let columns = Columns::of(&library, COLUMN_BYTES).map_err(|error| failed(&error))?;
        let engine = Sql::new(Arc::new(columns)).map_err(|error| failed(&error))?.showing(shown);
        let as_of = view.as_of().clone();
        let answer = match engine.ask(statement, limits) {
            Ok(answer) => answer,
            Err(error) => return Ok(Answered { outcome: Err(error), rows: 0, as_of }),
        };
        let mut bytes = Vec::new();
        answer.write(layout, &as_of, &mut bytes).map_err(|error| failed(&error))?;
        Ok(Answered { outcome: Ok(bytes), rows: answer.row_count(), as_of })
    }

    fn layout(text: Option<&str>) -> Result<Layout, Problem> {
        let mut layout = Layout::Json;
        for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            layout = match (&*name, &*value) {
                ("format", "json") => Layout::Json,
                ("format", "ndjson") => Layout::Ndjson,
                ("format", "csv") => Layout::Csv,
                _ => {
                    return Err(Problem::malformed("bad_parameter", "format: json, ndjson or csv"));
                }
            };
        }
        Ok(layout)
    }

    fn limits(asked: &Asked) -> Result<Limits, Problem> {
        let (rows, seconds) = (asked.limit.unwrap_or(ROWS), asked.timeout.unwrap_or(SECONDS));
        if !(1..=ROWS_MAX).contains(&rows) || !(1..=SECONDS_MAX).contains(&seconds) {
            let detail = "limit: 1 to 10000 rows; timeout: 1 to 60 seconds";
            return Err(Problem::malformed("bad_parameter", detail));
        }
        let time = Duration::from_secs(seconds);
        Ok(Limits { time, memory: MEMORY_BYTES, rows, bytes: ANSWER_BYTES })
    }

    /// The engine's sentence. 403 for what does not only read, 422 for what cannot be answered.
    fn problem(error: &SqlError) -> Problem {
        let status = match error {
            SqlError::NotReadOnly { .. } => StatusCode::FORBIDDEN,
            SqlError::Damaged(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Problem::new(status, error.code(), query::escape::escape(&error.to_string()))
    }

    fn respond(bytes: Vec<u8>, layout: Layout, as_of: &AsOf) -> Response<Body> {
        let kind = match layout {
            Layout::Ndjson => "application/x-ndjson",
            Layout::Csv => "text/csv; charset=utf-8",
            _ => "application/json",
        };
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let AsOf { origin, size, root_hex } = as_of;
        if let Ok(value) = HeaderValue::try_from(format!("{origin} {size} {root_hex}")) {
            headers.insert(HeaderName::from_static("tachograph-checkpoint"), value);
        }
        response
    }
}
