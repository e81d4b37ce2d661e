//! Questions to a log that is open, as of its newest checkpoint; answers are the JSON of the
//! commands (`tacho events`, `trace`, `verify`).

use crate::fault::Fault;
use checkpoint::VerifierKey;
use event::{Outcome, Tier, Timestamp};
use keys::Kek;
use prove::Trust;
use query::row::{Rows, Shape};
use query::{Cursor, Filter, Scope, Trace, write_trace, written};
use reading::verify::{Options, SinceFile, verify};
use reading::{LogFolder, Lookout, proofs};
use seal::Clock as _;
use serde::Deserialize;

/// A question, by the names that `events` takes.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Question {
    event: Vec<String>,
    agent: Vec<String>,
    #[serde(rename = "type")]
    types: Vec<String>,
    session: Vec<String>,
    trace: Vec<String>,
    task: Vec<String>,
    tool: Vec<String>,
    principal: Vec<String>,
    outcome: Vec<String>,
    error_type: Vec<String>,
    tier: Vec<String>,
    since: Option<String>,
    until: Option<String>,
    text: Option<String>,
    limit: Option<usize>,
    newest_first: bool,
    cursor: Option<String>,
}

impl Question {
    /// Reads what `events` was asked.
    ///
    /// # Errors
    /// When it makes no sense.
    pub(crate) fn read(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text)
            .map_err(|error| Fault::usage(format!("the question cannot be asked: {error}")))
    }

    /// Where the page begins.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    pub(crate) fn filter(&self) -> Result<Filter, Fault> {
        let now_ms = seal::SystemClock.now_ms();
        let time = |text: &Option<String>| -> Result<Option<Timestamp>, Fault> {
            let Some(text) = text else { return Ok(None) };
            written::time(text, now_ms).map(Some).ok_or_else(|| {
                Fault::usage(format!(
                    "{text:?} is no time; write RFC 3339, a date (2026-11-02), or how long ago (90s, \
                     15m, 24h, 7d)"
                ))
            })
        };
        let outcomes = self.outcome.iter().map(|name| {
            Outcome::from_name(name).ok_or_else(|| {
                Fault::usage(format!("{name:?} is no outcome; choose of {:?}", Outcome::NAMES))
            })
        });
        let tiers = self.tier.iter().map(|name| {
            Tier::from_name(name).ok_or_else(|| {
                Fault::usage(format!(
                    "{name:?} is no tier; choose debug, info, compliance, critical"
                ))
            })
        });
        Ok(Filter {
            events: self.event.clone(),
            agents: self.agent.clone(),
            types: self.types.iter().map(|name| written::event_type(name)).collect(),
            sessions: self.session.clone(),
            traces: self.trace.clone(),
            tasks: self.task.clone(),
            tools: self.tool.clone(),
            principals: self.principal.clone(),
            outcomes: outcomes.collect::<Result<_, _>>()?,
            error_types: self.error_type.clone(),
            tiers: tiers.collect::<Result<_, _>>()?,
            from: time(&self.since)?,
            to: time(&self.until)?,
            text: self.text.clone(),
            kind: None,
            without_access_records: false,
            limit: self.limit,
            newest_first: self.newest_first,
        })
    }
}

/// The records of a question, and how many that may belong to it cannot be read.
///
/// # Errors
/// When the question makes no sense, or the log cannot be read.
pub(crate) fn events(lookout: &Lookout, question: &str) -> Result<(String, u64), Fault> {
    let question = Question::read(question)?;
    let cursor: Option<Cursor> = match &question.cursor {
        Some(text) => Some(text.parse().map_err(|error| Fault::usage(format!("{error}")))?),
        None => None,
    };
    let view = lookout.view()?;
    let page = view.page(&question.filter()?, cursor.as_ref(), &())?;
    let written = || -> std::io::Result<Vec<u8>> {
        let mut rows = Rows::begin(Vec::new(), Shape::Document, &page.as_of, true)?;
        for found in &page.found {
            rows.write(found)?;
        }
        rows.end_before(page.next.as_ref())
    };
    // Memory takes every byte.
    let json = String::from_utf8(written().unwrap_or_default()).unwrap_or_default();
    Ok((json, page.unreadable.count()))
}

/// Everything that belongs to a trace, task or session, in causal order; nothing when no event
/// does.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn trace(lookout: &Lookout, id: &str) -> Result<Option<String>, Fault> {
    let view = lookout.view()?;
    for scope in [Scope::Trace, Scope::Task, Scope::Session].map(|of| of(id.to_owned())) {
        let found = view.page(&scope.filter(), None, &())?.found;
        if !found.is_empty() {
            let mut json = Vec::new();
            let trace = Trace::assemble(scope, &found);
            write_trace(&trace, &found, view.as_of(), true, &mut json);
            return Ok(Some(String::from_utf8(json).unwrap_or_default()));
        }
    }
    Ok(None)
}

/// The report of a check of everything.
///
/// # Errors
/// When a key or what was kept from earlier does not read.
pub(crate) fn check(
    folder: &LogFolder,
    kek: &Kek,
    pinned: &[String],
    origin: Option<String>,
    since: Option<&str>,
) -> Result<String, Fault> {
    let parse = |key: &String| {
        key.parse::<VerifierKey>().map_err(|error| Fault::usage(format!("the key: {error}")))
    };
    let pinned = pinned.iter().map(parse).collect::<Result<_, _>>()?;
    let since = since.map(|text| SinceFile::parse(text.as_bytes())).transpose();
    let since = since.map_err(|error| Fault::usage(format!("what was kept: {error}")))?;
    let options = Options { trust: Trust { pinned, ..Trust::default() }, origin, since };
    Ok(verify(&folder.folder, Some(kek), &options, &mut |_| {}).to_json())
}

/// The C2SP tlog-proof of a record.
///
/// # Errors
/// When there is none, or the tree is damaged.
pub(crate) fn proof(lookout: &Lookout, index: u64) -> Result<String, Fault> {
    let view = lookout.view()?;
    if index >= view.as_of().size {
        let size = view.as_of().size;
        return Err(Fault::usage(format!("there is no record {index}: the log has {size}")));
    }
    Ok(proofs::tlog_proof(view.reading(), index)?.to_string())
}
