//! The records that left the journal, out of the segments that the ledger shows.

use super::{Contents, Left, required, text};
use event::{Disclosed, Entry, Removal, Scope};
use keys::Keyring;
use merkle::EntryBundle;
use segment::{Catalogue, Manifest, Projection, Row, Segment};
use std::collections::BTreeMap;
use store::Folder;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Reads every record before the journal's first, which is at `end`.
pub(super) fn read(
    folder: &dyn Folder,
    keyring: &Keyring,
    end: u64,
    contents: &mut Contents,
) -> Result<(), String> {
    let mut catalogue = Catalogue::default();
    let mut disclosed = Vec::new();
    for path in folder.list(segment::LEDGER_FOLDER).map_err(text)? {
        let document = Disclosed::parse(&required(folder, &path)?).map_err(text)?;
        catalogue.add(&document).map_err(text)?;
        disclosed.push(document);
    }
    let mut rows: BTreeMap<u64, Row> = BTreeMap::new();
    for manifest in catalogue.current() {
        read_segment(folder, keyring, manifest, &mut rows)?;
    }
    let current: Vec<String> = catalogue.current().into_iter().map(Manifest::path).collect();
    contents.strays = folder.list(segment::SEGMENT_FOLDER).map_err(text)?;
    contents.strays.retain(|path| !current.contains(path));
    let mut bundles = Bundles { folder, number: u64::MAX, bytes: Vec::new() };
    for (index, row) in rows.into_iter().take_while(|(index, _)| *index < end) {
        gone(&catalogue, &mut bundles, index, contents)?;
        take(&catalogue, bundles.entry(index)?, row, contents)?;
    }
    let covered = catalogue.covered().min(end);
    gone(&catalogue, &mut bundles, covered, contents)?;
    if end != u64::MAX && contents.size() != end {
        return Err(format!("records {} to {end} are nowhere", contents.size()));
    }
    let wrong = |document: &&Disclosed| {
        let entry = bundles.entry(document.index);
        !entry.is_ok_and(|entry| entry.commitment == document.commitment())
    };
    match disclosed.iter().find(wrong) {
        Some(document) => Err(format!("the ledger's {} is not in the log", document.index)),
        None => Ok(()),
    }
}

/// Adds the records up to `index` that no segment has: all of them were removed.
fn gone(
    catalogue: &Catalogue,
    bundles: &mut Bundles<'_>,
    index: u64,
    contents: &mut Contents,
) -> Result<(), String> {
    while contents.size() < index {
        let missing = contents.size();
        let entry = bundles.entry(missing)?;
        if !catalogue.removes(entry.tier, entry.time_ms / DAY_MS, missing) {
            return Err(format!("record {missing} is in no segment"));
        }
        contents.push_rest(entry, String::new(), Left::Nothing)?;
    }
    Ok(())
}

/// Adds the record of a row.
fn take(
    catalogue: &Catalogue,
    entry: Entry,
    row: Row,
    contents: &mut Contents,
) -> Result<(), String> {
    let index = row.index;
    let day = entry.time_ms / DAY_MS;
    if let Some(record) = row.to_record(entry.stream, entry.sequence) {
        let removes = |(_, removal): (u64, &Removal)| {
            let is_there = removal.scope == Scope::Record || !record.content.is_empty();
            is_there && removal.removes(entry.tier, day, index)
        };
        contents.unremoved += u64::from(catalogue.removals().any(removes));
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        return contents.push(&record, bytes, None);
    }
    let named = |(_, removal): (u64, &Removal)| removal.removes(entry.tier, day, index);
    if row.commitment() != Some(entry.commitment) || !catalogue.removals().any(named) {
        return Err(format!("record {index} lost its content"));
    }
    let event = event::Event::from_stored(&row.meta, &[]).map_err(text)?;
    let id = event.event_id.map(std::borrow::Cow::into_owned).unwrap_or_default();
    contents.push_rest(entry, id, Left::Metadata(Box::new(row)))
}

fn read_segment(
    folder: &dyn Folder,
    keyring: &Keyring,
    manifest: &Manifest,
    rows: &mut BTreeMap<u64, Row>,
) -> Result<(), String> {
    let path = manifest.path();
    let bytes = required(folder, &path)?;
    let key = keyring.get(manifest.key_id).ok_or_else(|| format!("{path}: its key is missing"))?;
    if bytes.len() as u64 != manifest.bytes {
        return Err(format!("{path} is not as long as it was announced"));
    }
    let segment = Segment::open(bytes, key).map_err(text)?;
    for row in segment.rows(.., Projection::All).map_err(text)? {
        let row = row.map_err(text)?;
        if row.tier != manifest.tier || row.time_ms / DAY_MS != manifest.day {
            return Err(format!("{path}: record {} does not belong there", row.index));
        }
        let index = row.index;
        if rows.insert(index, row).is_some() {
            return Err(format!("record {index} is in two segments"));
        }
    }
    Ok(())
}

/// Public entries, a bundle at a time.
struct Bundles<'b> {
    folder: &'b dyn Folder,
    number: u64,
    bytes: Vec<u8>,
}

impl Bundles<'_> {
    fn entry(&mut self, index: u64) -> Result<Entry, String> {
        let width = u64::from(merkle::TILE_WIDTH);
        if self.number != index / width {
            self.number = index / width;
            let listing = self.folder.list("tile/entries").map_err(text)?;
            let full = merkle::BundleCoordinate::new(self.number, merkle::TILE_WIDTH)
                .map_err(text)?
                .path();
            // The widest one of this number.
            let widest = listing
                .iter()
                .filter(|path| **path == full || path.starts_with(&format!("{full}.p/")))
                .max_by_key(|path| match path.rsplit_once(".p/") {
                    Some((_, wide)) => wide.parse().unwrap_or(0),
                    None => u32::MAX,
                });
            let path = widest.ok_or_else(|| format!("the entry of {index} is nowhere"))?;
            self.bytes = required(self.folder, path)?;
        }
        let wide = u16::try_from(self.bytes.len() / (event::ENTRY_BYTES + 2)).unwrap_or(0);
        let bundle = EntryBundle::parse(&self.bytes, wide).map_err(text)?;
        let place = usize::try_from(index % width).unwrap_or(0);
        let bytes =
            bundle.get(place).ok_or_else(|| format!("entry {index} is not in its bundle"))?;
        Entry::decode(bytes).map_err(text)
    }
}
