//! `GET .../reports/compliance-check`: a shipped pack of controls held against the log, as `tacho
//! report compliance-check` does it.
//!
//! Controls look into content, and what was not seen is never a pass: so whoever may not see
//! content gets no answer rather than a wrong one. The check is a record of the log, durable before
//! the answer leaves. Not here: the controls (`report::packs`), and packs of one's own, which
//! `tacho` holds against what a server shows.

use crate::access::policy::Action;
use crate::app::App;
use crate::ask;
use crate::gate::Granted;
use crate::gather::Sight;
use crate::paper::{self, Paper};
use crate::parameters::{Parameters, bad};
use crate::problem::Problem;
use axum::body::Body;
use axum::http::Response;
use event::{Tier, Timestamp};
use query::Filter;
use reading::View;
use report::document;
use report::packs::{self, Outside, Pack, Run};
use serde_json::json;
use std::ops::ControlFlow;

/// Its name among the reports.
pub(crate) const NAME: &str = "compliance-check";
/// The pack that nobody asked for: four checks of agents.
const PACK: &str = "governance";
/// The formats, the first of which is what nobody asked for.
const FORMATS: &[&str] = &["json", "md", "html", "csv", "text", "pdf"];
const KNOWN: &[&str] = &["from", "to", "format", "pack", "table"];

/// What was asked for.
struct Asked {
    pack: Pack,
    filter: Filter,
    format: &'static str,
    table: Option<String>,
    outside: Outside,
}

/// Holds a pack against the log.
pub(crate) async fn check(
    app: App,
    granted: Granted,
    text: Option<String>,
) -> Result<Response<Body>, Problem> {
    let given = Parameters::parse(text.as_deref(), KNOWN)?;
    let (from, to) = given.period(app.logs().now_ms())?;
    let name = given.get("pack").unwrap_or(PACK);
    let pack = Pack::shipped(name).map_err(|_| {
        let names: Vec<&str> = Pack::names().collect();
        bad("pack", &format!("choose one of: {}", names.join(", ")))
    })?;
    if !ask::may(&app, &granted, Action::ReadContent) {
        return Err(ask::no_content(
            "controls look into content, which your credential does not show",
        ));
    }
    let policy = granted.log()?.settings().retention.unwrap_or_default();
    let days = Tier::ALL.map(|tier| u64::from(policy.days(tier)));
    let asked = Asked {
        pack,
        filter: Filter { from, to, ..Filter::default() },
        format: given.one_of("format", FORMATS)?,
        table: given.get("table").map(str::to_owned),
        outside: Outside { retention_days: Some(days), ..Outside::default() },
    };
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let question =
        json!({ "report": NAME, "pack": asked.pack.name, "from": time(from), "to": time(to) });
    let hides = !ask::may(&app, &granted, Action::ReadAccessRecords);
    let sight = Sight::new(&app, true, hides);
    let paper = ask::ask_much(&app, &granted, move |view| asked.hold(view, sight)).await?;
    ask::record(&granted, "report", question, paper.records, paper.as_of.size).await?;
    Ok(paper.respond())
}

impl Asked {
    fn hold(&self, view: &View, sight: Sight) -> Result<Paper, Problem> {
        let mut run = Run::new(&self.pack, self.outside.clone());
        let filter = sight.of(self.filter.clone());
        let unreadable = view.each::<Problem>(&filter, &(), &mut |found| {
            sight.check_time()?;
            run.offer(found);
            Ok(ControlFlow::Continue(()))
        })?;
        let as_of = view.as_of().clone();
        let answers = run.finish().as_of(&as_of);
        let it = packs::document(&answers);
        let (table, json) = (self.table.as_deref(), || document::json(&answers));
        let bytes = paper::write_with_tables(&it, self.format, table, json)?;
        let (format, records) = (self.format, answers.records);
        Ok(Paper { bytes, format, records, as_of, unreadable })
    }
}
