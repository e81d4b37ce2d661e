//! `GET .../reports/{name}`: a report over a period, as `tacho report` makes it.
//!
//! What the caller may not see is not in it: without the right to content no message of an error,
//! without that to records of access not how many there are. Prices, thresholds and budgets are the
//! defaults: they are no matter of the log. A report that shows content is a record of the log,
//! durable before the answer leaves.

use crate::access::policy::Action;
use crate::app::App;
use crate::ask;
use crate::compliance;
use crate::forensics;
use crate::gate::Granted;
use crate::paper::{self, Paper};
use crate::parameters::Parameters;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::Response;
use axum::http::StatusCode;
use event::Timestamp;
use query::Columns;
use query::figures::Period;
use reading::View;
use reading::answer::Unreadable;
use report::reports::{Name, Report, Settings, Subject, make};
use serde_json::json;

/// The formats, the first of which is what nobody asked for.
pub(crate) const FORMATS: &[&str] = &["json", "md", "html", "csv", "text", "pdf"];
/// The reports.
pub(crate) const NAMES: &str = "`summary`, `tool-usage`, `error-analysis`, `cost`, `agents`, `daily`, \
                                `compliance-check` or `incident`.";

/// Makes a report.
pub(crate) async fn report(
    State(app): State<App>,
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    match name.as_str() {
        compliance::NAME => compliance::check(app, granted, text).await,
        forensics::INCIDENT => forensics::incident(app, granted, text).await,
        name => counted(app, granted, name, text).await,
    }
}

/// Memory of decoded columns.
const COLUMN_BYTES: usize = 64 << 20;
const KNOWN: &[&str] = &["from", "to", "format", "table", "content"];

/// What was asked for.
struct Asked {
    name: Name,
    period: Period,
    format: &'static str,
    table: Option<String>,
}

/// Counts.
async fn counted(
    app: App,
    granted: Granted,
    name: &str,
    text: Option<String>,
) -> Result<Response<Body>, Problem> {
    let name = Name::from_name(name)
        .ok_or_else(|| Problem::not_found(format!("there is no such report; there are {NAMES}")))?;
    let given = Parameters::parse(text.as_deref(), KNOWN)?;
    let (from, to) = given.period(app.logs().now_ms())?;
    let format = given.one_of("format", FORMATS)?;
    let table = given.get("table").map(str::to_owned);
    let asked = Asked { name, period: Period { from, to }, format, table };
    let content = ask::content(&app, &granted, given.flag("content")?)?;
    let access_records = ask::may(&app, &granted, Action::ReadAccessRecords);
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let question = json!({ "report": name.as_str(), "from": time(from), "to": time(to) });
    let make = move |view: &View| asked.make(view, content, access_records);
    let paper = ask::ask_much(&app, &granted, make).await?;
    if content {
        ask::record(&granted, "report", question, paper.records, paper.as_of.size).await?;
    }
    Ok(paper.respond())
}

impl Asked {
    fn make(&self, view: &View, content: bool, access: bool) -> Result<Paper, Problem> {
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
        let Report { document: it, json } = report;
        let table = self.table.as_deref();
        let bytes = paper::write_with_tables(&it, self.format, table, || json)?;
        let (format, records) = (self.format, as_of.size);
        let unreadable = Unreadable::default();
        Ok(Paper { bytes, format, records, as_of, unreadable })
    }
}
