//! Legal holds: records that must stay, whatever else is asked for, and those that come later and
//! match too.

use crate::{RetainError, Selector, scan};
use event::{Content, Event, HoldMark, Json, Kind, Part, Principal, Tier, Timestamp, types};
use seal::{Consequence, Settled, Writer};
use segment::{Catalogue, Row, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the log's own records about holds are called.
const MARKS: [&str; 2] = [types::LOG_HELD, types::LOG_RELEASED];

/// A hold in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name, which the log gave it.
    pub name: String,
    /// The index of the record that says what it holds.
    pub authority: u64,
    /// When it began, in Unix milliseconds.
    pub since_ms: u64,
    /// What it holds.
    pub selector: Selector,
    /// Why.
    pub reason: String,
    /// Who wanted it, as far as that is known.
    pub by: Option<String>,
}

/// The `params` of a `log.hold` record.
#[derive(Serialize, Deserialize)]
struct Stated {
    hold: String,
    select: Selector,
    reason: String,
}

#[derive(Deserialize)]
struct Stored {
    params: Stated,
}

/// A record of the log's own that states something.
pub(crate) fn statement(
    kind: &'static str,
    params: &serde_json::Value,
    by: &Principal<'static>,
) -> Event<'static> {
    let mut content = Content::default();
    content.set(Part::Params, Json::from_value(params));
    let principal = Some(by.clone());
    let source = Some("system".into());
    Event { event_type: kind.into(), source, principal, content, ..Event::default() }
}

/// Puts a hold on what is selected, and on what will match it later. Returns its name.
///
/// # Errors
/// [`RetainError::EmptySelection`]; [`RetainError::Seal`].
pub fn hold(
    writer: &mut Writer,
    selector: &Selector,
    reason: &str,
    by: &Principal<'static>,
) -> Result<String, RetainError> {
    if selector.is_empty() {
        return Err(RetainError::EmptySelection);
    }
    let name = format!("hold-{}", writer.size());
    let (hold, reason) = (name.clone(), reason.to_owned());
    let stated = Stated { hold: name.clone(), select: selector.clone(), reason };
    let intent = statement("log.hold", &serde_json::to_value(stated).unwrap_or_default(), by);
    writer.decide(intent, vec![Consequence::Hold { hold }])?;
    Ok(name)
}

/// Releases a hold.
///
/// # Errors
/// [`RetainError::UnknownHold`]; [`RetainError::Seal`].
pub fn release(
    writer: &mut Writer,
    name: &str,
    reason: &str,
    by: &Principal<'static>,
) -> Result<(), RetainError> {
    if !writer.catalogue().holds().any(|(hold, _)| hold == name) {
        return Err(RetainError::UnknownHold(name.to_owned()));
    }
    let details = serde_json::json!({ "hold": name, "reason": reason });
    let intent = statement("log.hold_released", &details, by);
    writer.decide(intent, vec![Consequence::Release { hold: name.to_owned() }])?;
    Ok(())
}

/// The holds in force. Everything that was sealed must lie in segments
/// ([`Writer::settle_tail`]): the log's own records are read, and the ledger must agree with them.
///
/// # Errors
/// [`RetainError::Ledger`] when it does not: then a hold could be overlooked.
pub fn holds(settled: &Settled) -> Result<Vec<Hold>, RetainError> {
    holds_seen(settled, &[])
}

/// The holds in force, for whoever only looks: what lies in segments, and the records that no
/// segment has yet, in ascending order of index. Nothing is written.
///
/// # Errors
/// As [`holds`].
pub fn holds_seen(settled: &Settled, tail: &[&Row]) -> Result<Vec<Hold>, RetainError> {
    let (mut in_force, mut shown) = (BTreeMap::new(), shown(settled.catalogue()));
    for mark in marks(settled)? {
        note(&mut in_force, &mark);
    }
    for row in tail.iter().filter(|row| row.kind == Kind::Log && is_mark(row)) {
        if let Some(mark) = mark_of(row)? {
            // The ledger follows the log: what it does not show yet is in force all the same.
            note(&mut in_force, &mark);
            note(&mut shown, &mark);
        }
    }
    if shown != in_force {
        let detail =
            format!("it shows {} in force, the records say {}", shown.len(), in_force.len());
        return Err(RetainError::Ledger(detail));
    }
    let read = |(name, authority)| {
        if let Ok(at) = tail.binary_search_by_key(&authority, |row| row.index)
            && let Some(row) = tail.get(at)
        {
            return Hold::read(name, authority, row.time_ms, &row.meta, row.content.bytes());
        }
        let row = settled.row(authority)?.ok_or_else(|| lost(authority))?;
        Hold::read(name, authority, row.time_ms, &row.meta, row.content.bytes())
    };
    in_force.into_iter().map(read).collect()
}

/// What a mark makes of the holds in force.
fn note(holds: &mut BTreeMap<String, u64>, mark: &HoldMark) {
    match mark {
        HoldMark::Held { hold, authority } => {
            holds.insert(hold.clone(), *authority);
        }
        HoldMark::Released { hold, .. } => {
            holds.remove(hold);
        }
    }
}

/// The holds that the ledger shows: name, and the index of the record that says what it holds.
pub(crate) fn shown(catalogue: &Catalogue) -> BTreeMap<String, u64> {
    catalogue.holds().map(|(hold, authority)| (hold.to_owned(), authority)).collect()
}

/// Whether the holds are those that something was judged by.
///
/// # Errors
/// [`RetainError::HoldsChanged`] when they are not.
pub(crate) fn still_held(
    writer: &Writer,
    judged_by: &BTreeMap<String, u64>,
) -> Result<(), RetainError> {
    match shown(writer.catalogue()) == *judged_by {
        true => Ok(()),
        false => Err(RetainError::HoldsChanged),
    }
}

/// What the log said about holds, in the order of its records.
fn marks(settled: &Settled) -> Result<Vec<HoldMark>, RetainError> {
    let mut indexes = Vec::new();
    let says_so = |row: &[Value<'_>]| matches!(row, [Value::Text(name)] if MARKS.contains(name));
    let catalogue = settled.catalogue();
    // The log's own records are all of one tier.
    for manifest in catalogue.current().into_iter().filter(|it| it.tier == Tier::Critical) {
        scan::rows_where(settled, manifest, &["event_type"], &says_so, &mut |row| {
            if row.kind == Kind::Log && is_mark(&row) {
                indexes.push(row.index);
            }
        })?;
    }
    indexes.sort_unstable();
    let mut marks = Vec::with_capacity(indexes.len());
    for index in indexes {
        let row = settled.row(index)?.ok_or_else(|| lost(index))?;
        marks.extend(mark_of(&row)?);
    }
    Ok(marks)
}

fn mark_of(row: &Row) -> Result<Option<HoldMark>, RetainError> {
    HoldMark::from_stored(&row.meta, row.content.bytes())
        .map_err(|error| RetainError::Ledger(error.to_string()))
}

fn is_mark(row: &Row) -> bool {
    Event::from_stored(&row.meta, &[]).is_ok_and(|event| MARKS.contains(&&*event.event_type))
}

impl Hold {
    /// A hold that the ledger shows, out of the record that says what it holds: its index, its
    /// record time in Unix milliseconds, its metadata and its content.
    ///
    /// # Errors
    /// [`RetainError::Ledger`] when the record says no such thing.
    pub fn read(
        name: String,
        authority: u64,
        time_ms: u64,
        meta: &[u8],
        content: &[u8],
    ) -> Result<Self, RetainError> {
        let Stored { params: Stated { select, reason, .. } } = serde_json::from_slice(content)
            .map_err(|error| RetainError::Ledger(format!("record {authority}: {error}")))?;
        let event = Event::from_stored(meta, &[]).ok();
        let principal = event.and_then(|event| event.principal);
        let by = principal.and_then(|it| it.subject).map(|subject| subject.to_string());
        Ok(Self { name, authority, since_ms: time_ms, selector: select, reason, by })
    }

    /// The hold as lists show it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "hold": self.name, "since": Timestamp::from_milliseconds(self.since_ms).to_string(),
            "select": self.selector, "reason": self.reason, "by": self.by, "record": self.authority,
        })
    }
}

fn lost(index: u64) -> RetainError {
    RetainError::Ledger(format!("record {index}, which says what a hold holds, is gone"))
}
