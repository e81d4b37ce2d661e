//! Whether the log said of every removal that it is done: once, and after the one who authorised
//! it.

use super::{Contents, Left, required, text};
use event::{Disclosed, Event, Kind, Removal};
use std::collections::BTreeSet;
use store::Folder;

/// How the log says so.
const REMOVED: &str = "log.removed";

/// The records that authorised a removal of which the log does not say that it is done.
///
/// # Errors
/// What the log says twice, or of nothing that was authorised, in words.
pub(crate) fn unreported(
    folder: &dyn Folder,
    contents: &Contents,
) -> Result<BTreeSet<u64>, String> {
    let mut waiting = BTreeSet::new();
    for path in folder.list(segment::LEDGER_FOLDER).map_err(text)? {
        let document = Disclosed::parse(&required(folder, &path)?).map_err(text)?;
        let (meta, content) = (document.meta.as_bytes(), document.content.as_bytes());
        let removal = Removal::from_stored(meta, content).map_err(text)?;
        waiting.extend(removal.map(|removal| removal.authority));
    }
    for (index, sealed) in (0_u64..).zip(&contents.records) {
        if sealed.kind != Kind::Log || !matches!(sealed.left, Left::Whole(_)) {
            continue;
        }
        let record = sealed.record()?;
        let event = Event::from_stored(record.meta, record.content).map_err(text)?;
        if event.event_type != REMOVED {
            continue;
        }
        let said: serde_json::Value = serde_json::from_slice(record.content).map_err(text)?;
        let authority = said["params"]["authority"].as_u64().unwrap_or(u64::MAX);
        if authority >= index || !waiting.remove(&authority) {
            return Err(format!("record {index} says that {authority} is done, which waited not"));
        }
    }
    Ok(waiting)
}
