//! `GET .../reports/{name}`: a report over a period, as `tacho report` makes it.
//!
//! What the caller may not see is not in it: without the right to content no message of an error,
//! without that to records of access not how many there are. Prices, thresholds and budgets are the
//! defaults: they are no matter of the log. A report that shows content is a record of the log,
//! durable before the answer leaves.

use crate::access::policy::Action;
use crate::app::App;
use crate::ask;
use crate::gate::Granted;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use event::Timestamp;
use query::figures::Period;
use query::{AsOf, Columns, written};
use reading::View;
use report::document;
use report::reports::{Name, Report, Settings, Subject, make};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The formats, the first of which is what nobody asked for.
pub(crate) const FORMATS: &[&str] = &["json", "md", "html", "csv"];
/// The reports.
pub(crate) const NAMES: &str =
    "`summary`, `tool-usage`, `error-analysis`, `cost`, `agents` or `daily`.";

/// Memory of decoded columns.
const COLUMN_BYTES: usize = 64 << 20;
/// How long a report waits for its turn, among statements of SQL.
const TURN_MAX: Duration = Duration::from_secs(10);

/// What was asked for.
struct Asked {
    name: Name,
    period: Period,
    format: String,
    table: Option<String>,
    content: Option<bool>,
}

/// A report in its format.
struct Made {
    text: String,
    events: u64,
    as_of: AsOf,
}

/// Makes a report.
pub(crate) async fn report(
    State(app): State<App>,
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::parse(&name, text.as_deref(), app.logs().now_ms())?;
    let content = ask::content(&app, &granted, asked.content)?;
    let access_records = ask::may(&app, &granted, Action::ReadAccessRecords);
    let turn = timeout(TURN_MAX, Arc::clone(app.statements()).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(Problem::busy("overloaded", "others are being answered; ask again"));
    };
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let question = json!({
        "report": asked.name.as_str(), "from": time(asked.period.from),
        "to": time(asked.period.to),
    });
    let kind = kind(&asked.format);
    let is_page = asked.format == "html";
    let made = ask::ask(&app, &granted, move |view| {
        let _turn = turn;
        asked.make(view, content, access_records)
    });
    let Made { text, events, as_of } = made.await?;
    if content {
        ask::record(&granted, "report", question, events, as_of.size).await?;
    }
    Ok(respond(text, kind, is_page, &as_of))
}

impl Asked {
    fn parse(name: &str, text: Option<&str>, now_ms: u64) -> Result<Self, Problem> {
        let name = Name::from_name(name).ok_or_else(|| {
            Problem::not_found(format!("there is no such report; there are {NAMES}"))
        })?;
        let (format, period) = (FORMATS[0].to_owned(), Period::default());
        let mut asked = Self { name, period, format, table: None, content: None };
        let bad = |detail: &str| Problem::malformed("bad_parameter", detail.to_owned());
        let time = |value: &str| {
            let how = "from, to: write RFC 3339 (2026-11-02T14:23:00Z), a date, or how long \
                       ago (15m, 24h, 7d)";
            written::time(value, now_ms).ok_or_else(|| bad(how))
        };
        for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            match &*name {
                "from" => asked.period.from = Some(time(&value)?),
                "to" => asked.period.to = Some(time(&value)?),
                "table" => asked.table = Some(value.into_owned()),
                "format" if FORMATS.contains(&&*value) => asked.format = value.into_owned(),
                "format" => return Err(bad("format: json, md, html or csv")),
                "content" => match &*value {
                    "1" | "true" => asked.content = Some(true),
                    "0" | "false" => asked.content = Some(false),
                    _ => return Err(bad("content: a flag is 1 or 0")),
                },
                _ => {
                    let detail = "from, to, format, table and content are known here";
                    return Err(Problem::malformed("unknown_parameter", detail));
                }
            }
        }
        if let Period { from: Some(from), to: Some(to) } = asked.period
            && from >= to
        {
            return Err(bad("from is not before to"));
        }
        Ok(asked)
    }

    fn make(&self, view: &View, content: bool, access: bool) -> Result<Made, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "log_unreadable", error.to_string())
        };
        let library = view.library().map_err(|error| ask::problem(&error))?.ok_or_else(|| {
            failed(
                &"a report needs a log that is whole, and records of this one are missing or \
                  damaged; `tacho verify` names them",
            )
        })?;
        let columns = Columns::of(&library, COLUMN_BYTES).map_err(|error| failed(&error))?;
        let as_of = view.as_of().clone();
        let subject = Subject {
            columns: &columns,
            as_of: &as_of,
            period: self.period,
            shows_content: content,
            shows_access_records: access,
        };
        let settings = Settings::default();
        let report = make(self.name, &subject, &settings).map_err(|error| failed(&error))?;
        let Report { document, json } = report;
        let text = match self.format.as_str() {
            "md" => document::markdown(&document),
            "html" => document::html(&document),
            "csv" => document::csv(&document, self.table.as_deref())
                .map_err(|error| Problem::malformed("bad_parameter", error.to_string()))?,
            _ => json,
        };
        Ok(Made { text, events: as_of.size, as_of })
    }
}

fn kind(format: &str) -> &'static str {
    match format {
        "md" => "text/markdown; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        _ => "application/json",
    }
}

fn respond(text: String, kind: &'static str, is_page: bool, as_of: &AsOf) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if is_page {
        // The one for all answers would take the page its style. Nothing else is allowed it.
        if let Ok(policy) = HeaderValue::try_from(document::page_policy()) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    let AsOf { origin, size, root_hex } = as_of;
    if let Ok(value) = HeaderValue::try_from(format!("{origin} {size} {root_hex}")) {
        headers.insert(HeaderName::from_static("tachograph-checkpoint"), value);
    }
    response
}
