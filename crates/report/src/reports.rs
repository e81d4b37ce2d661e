//! Reports over a period, as of one checkpoint: pure functions over what `query`'s figures answer.
//!
//! A report is a structure for programs (its fields are a contract) and a document for people, made
//! from the same numbers. The same checkpoint, period and settings give the same bytes: no clock
//! and no random number has a part in it.
//!
//! | report | what it says |
//! |---|---|
//! | [`summary`](Name::Summary) | events, errors, hand-offs, agents |
//! | [`tool-usage`](Name::ToolUsage) | calls, errors and durations of each tool |
//! | [`error-analysis`](Name::ErrorAnalysis) | classes, messages, at whom, the trend, what to do |
//! | [`cost`](Name::Cost) | tokens and money by task, agent, model, principal |
//! | [`agents`](Name::Agents) | agents, models, tools, versions, and what changed |
//! | [`daily`](Name::Daily) | a day on one page |

mod agents;
mod checks;
mod cost;
mod daily;
mod error_analysis;
mod settings;
mod suggestions;
mod summary;
mod tool_usage;

pub use settings::{Approvals, Budget, Price, Prices, Settings, SettingsError, Thresholds};

use crate::document::{Cell, Document, Text, json};
use event::Timestamp;
use query::figures::Period;
use query::{AsOf, Columns};
use serde::Serialize;

/// A report by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// What happened, in a few numbers.
    Summary,
    /// How tools were used.
    ToolUsage,
    /// Which errors there were.
    ErrorAnalysis,
    /// What was spent.
    Cost,
    /// Who there was.
    Agents,
    /// A day on one page.
    Daily,
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Summary,
        Self::ToolUsage,
        Self::ErrorAnalysis,
        Self::Cost,
        Self::Agents,
        Self::Daily,
    ];

    /// The name on the command line and in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::ToolUsage => "tool-usage",
            Self::ErrorAnalysis => "error-analysis",
            Self::Cost => "cost",
            Self::Agents => "agents",
            Self::Daily => "daily",
        }
    }

    /// The report of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// The records.
    pub columns: &'s Columns,
    /// The checkpoint that they are as of.
    pub as_of: &'s AsOf,
    /// When the events happened that count.
    pub period: Period,
    /// Whether the reader may see what stands in content: messages of errors.
    pub shows_content: bool,
    /// Whether the reader may know how often the log was read, and who was refused.
    pub shows_access_records: bool,
}

/// A report: for programs, and for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// For people.
    pub document: Document,
    /// For programs: JSON.
    pub json: String,
}

impl Report {
    fn of(structure: &impl Serialize, document: Document) -> Self {
        Self { document, json: json(structure) }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A segment does not read.
    #[error("a segment of the log cannot be read: {0}; run `tacho verify`")]
    Segment(#[from] query::FigureError),
}

/// Makes a report.
///
/// # Errors
/// [`ReportError`] when the log cannot be read.
pub fn make(name: Name, subject: &Subject<'_>, settings: &Settings) -> Result<Report, ReportError> {
    match name {
        Name::Summary => summary::make(subject, settings),
        Name::ToolUsage => tool_usage::make(subject, settings),
        Name::ErrorAnalysis => error_analysis::make(subject, settings),
        Name::Cost => cost::make(subject, settings),
        Name::Agents => agents::make(subject, settings),
        Name::Daily => daily::make(subject, settings),
    }
}

/// What every report begins with.
#[derive(Clone, Debug, Serialize)]
struct Head {
    report: &'static str,
    checkpoint: Checkpoint,
    period: Said,
    records: Records,
}

#[derive(Clone, Debug, Serialize)]
struct Checkpoint {
    origin: String,
    size: u64,
    root: String,
}

/// The period: what was asked, and when the first and the last event in it happened.
#[derive(Clone, Debug, Serialize)]
struct Said {
    from: Option<String>,
    to: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

/// How many records the numbers can be about.
#[derive(Clone, Copy, Debug, Serialize)]
struct Records {
    /// Entries of the log.
    in_log: u64,
    /// Those of which nothing is left, in the whole log: expired or erased as the log itself says.
    expired_or_erased: u64,
    /// Events of the period whose content was erased.
    content_erased: u64,
    /// The log's own records of the period, which count nowhere.
    of_the_log_itself: u64,
    /// Whether what stands in content was hidden from whoever asked.
    content_hidden: bool,
}

impl Head {
    fn of(name: Name, subject: &Subject<'_>, overview: &query::figures::Overview) -> Self {
        let AsOf { origin, size, root_hex } = subject.as_of.clone();
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let Period { from, to } = subject.period;
        Self {
            report: name.as_str(),
            checkpoint: Checkpoint { origin, size, root: root_hex },
            period: Said {
                from: text(from),
                to: text(to),
                start: text(overview.first),
                end: text(overview.last),
            },
            records: Records {
                in_log: size,
                expired_or_erased: size.saturating_sub(subject.columns.row_count()),
                content_erased: overview.content_erased,
                of_the_log_itself: match subject.shows_access_records {
                    true => overview.own,
                    false => overview.own - overview.own_of_access,
                },
                content_hidden: !subject.shows_content,
            },
        }
    }

    /// A document that says all this.
    fn document(
        &self,
        title: &str,
        subject: &Subject<'_>,
        overview: &query::figures::Overview,
    ) -> Document {
        let mut document = Document::new(title, subject.as_of);
        let moment = |time: Timestamp| query::render::date_and_clock(time);
        let Period { from, to } = subject.period;
        let asked = match (from, to) {
            (None, None) => "all of the log".to_owned(),
            (Some(from), None) => format!("from {} UTC", moment(from)),
            (None, Some(to)) => format!("before {} UTC", moment(to)),
            (Some(from), Some(to)) => format!("from {} to before {} UTC", moment(from), moment(to)),
        };
        let events = match (overview.first, overview.last) {
            (Some(first), Some(last)) => {
                format!("; events from {} to {}", moment(first), moment(last))
            }
            _ => "; no events".to_owned(),
        };
        document.fact("Period", asked + &events);
        document.fact("Records", self.records.sentence());
        document
    }
}

impl Records {
    fn sentence(&self) -> Text {
        use query::render::{count, counted};
        let mut parts = vec![format!(
            "{} in the log, of which {} expired or erased",
            count(self.in_log),
            if self.expired_or_erased == 0 { "none".into() } else { count(self.expired_or_erased) },
        )];
        parts.push(match self.content_erased {
            0 => "no content of the period erased".to_owned(),
            n => format!("the content of {} in the period erased", counted(n, "event")),
        });
        parts.push(format!("{} of the log itself not counted", count(self.of_the_log_itself)));
        if self.content_hidden {
            parts.push("content hidden".to_owned());
        }
        parts.join("; ").into()
    }
}

/// A share of a whole, from 0 to 1; 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The same for people: `1.2%`; `0%` of nothing.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "0%".to_owned() } else { format!("{:.1}%", share(part, whole) * 100.0) }
}

fn percent_cell(part: u64, whole: u64) -> Cell {
    Cell::number(percent(part, whole), share(part, whole).to_string())
}

/// A duration, if there is one.
fn duration_cell(milliseconds: Option<f64>) -> Cell {
    match milliseconds {
        Some(ms) => Cell::number(query::render::duration(ms), ms.to_string()),
        None => Cell::text("–"),
    }
}

/// A name out of an event, if there is one.
fn name_cell(name: Option<&str>, otherwise: &'static str) -> Cell {
    match name {
        Some(name) => Cell::code(name),
        None => Cell::text(otherwise),
    }
}

/// What stands for no name, for people and as a name in maps.
const NOT_NAMED: &str = "(not named)";

/// Hours as a chart, those between without events too, where they are not too many.
fn by_hour(hours: &[query::figures::HourCount], title: &str) -> crate::document::chart::Chart {
    use crate::document::chart::{Chart, Kind, Point};
    const HOUR_NS: u64 = 3_600_000_000_000;
    let number = |it: &query::figures::HourCount| it.begins.0 / HOUR_NS;
    let (first, last) = (hours.first().map_or(0, number), hours.last().map_or(0, number));
    // Days where hours would be too many.
    let step = if last.saturating_sub(first) < 100 { 1 } else { 24 };
    let begin = first / step;
    let length = usize::try_from((last / step).saturating_sub(begin) + 1).unwrap_or(usize::MAX);
    let mut sums = vec![(0_u64, 0_u64); if hours.is_empty() { 0 } else { length.min(4_000) }];
    for hour in hours {
        let place = usize::try_from(number(hour) / step - begin).unwrap_or(usize::MAX);
        if let Some(sum) = sums.get_mut(place) {
            *sum = (sum.0 + hour.events, sum.1 + hour.errors);
        }
    }
    let point = |(at, (events, errors)): (usize, (u64, u64))| {
        let begins = Timestamp((begin + at as u64).saturating_mul(step).saturating_mul(HOUR_NS));
        let text = begins.to_string();
        let (from, to) = if step == 1 { (5, 16) } else { (0, 10) };
        let label = text.get(from..to).unwrap_or_default().replace('T', " ");
        let shown = match errors {
            0 => query::render::counted(events, "event"),
            _ => format!(
                "{}, {}",
                query::render::counted(events, "event"),
                query::render::counted(errors, "error")
            ),
        };
        Point { label, value: events as f64, bad: errors as f64, shown }
    };
    Chart {
        title: title.to_owned(),
        kind: Kind::Columns,
        points: sums.into_iter().enumerate().map(point).collect(),
        unit: if step == 1 { "events an hour (UTC)" } else { "events a day (UTC)" },
        bad: Some("errors"),
    }
}
