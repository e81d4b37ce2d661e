//! Pieces that do not fit: files taken away, exchanged or made anew while the rest stays; and what
//! stands beside the log: receipts, cosignatures, what never came in.

use super::super::court::{By, Case};
use super::super::victim::{Receipt, Victim, append};
use super::super::watch::{Answer, Watch};
use super::super::{COSIGNED, Files};
use super::{Scene, Script, rewrite, text};
use crate::kill::kek;
use keys::{Keyring, Purpose, SystemEntropy};
use seal::{CHECKPOINT_PATH, KEYRING_PATH};
use segment::{Catalogue, Manifest, Projection, Segment, SegmentWriter};
use std::path::Path;

pub(super) const ATTACKS: &[Script] = &[
    ("edit a record in the journal, encrypted anew", |it| mixed(&it.open, "journal/")),
    ("edit the public entries and tiles, signed anew", |it| mixed(&it.open, "tile/")),
    ("sign another root", |it| other_root(&it.open)),
    ("delete a segment", |it| without(&it.rolled, "segments/", 1)),
    ("delete a segment and the ledger", |it| without_segment_and_ledger(&it.rolled)),
    ("delete a document of the ledger", |it| without(&it.rolled, "ledger/", 1)),
    ("swap two segments", |it| swapped(&it.rolled)),
    ("edit a record in a segment, encrypted anew", |it| rewritten_segment(&it.rolled)),
    ("take a row out of a segment, encrypted anew", |it| shortened_segment(&it.rolled)),
    ("destroy a segment's key without a word", |it| key_gone(&it.rolled)),
    ("put an older keyring back", |it| older_keyring(&it.rolled)),
    ("put a file of another log in", |it| foreign_file(it)),
    ("hide the witness's checkpoint", |it| no_cosigned(&it.open)),
    ("put a false witness's checkpoint there", |it| false_witness(&it.open)),
    ("acknowledge an event and not seal it", |it| false_receipt(&it.open)),
    ("drop an event before it is sealed", dropped),
];

fn by_folder(victim: &Victim, files: Files) -> Case<'_> {
    Case { victim, files, by: By::Folder }
}

/// One part of a log that was rewritten, among the rest of what was there.
fn mixed<'v>(victim: &'v Victim, part: &str) -> Result<Case<'v>, String> {
    let at = victim.index_of(153)?;
    let edit = |records: &mut Vec<_>| -> Result<(), String> {
        let record: &mut super::Altered = records.get_mut(at).ok_or("no record")?;
        record.replace("order 153", "order 12")
    };
    let forged = rewrite(victim, edit)?.files;
    let mut files = victim.now.files.clone();
    let is_part = |path: &String| match part {
        "journal/" => path.starts_with(part) || path == KEYRING_PATH,
        _ => path.starts_with(part) || path == CHECKPOINT_PATH,
    };
    files.retain(|path, _| !is_part(path));
    files.extend(forged.into_iter().filter(|(path, _)| is_part(path)));
    files.remove(COSIGNED);
    Ok(by_folder(victim, files))
}

fn other_root(victim: &Victim) -> Result<Case<'_>, String> {
    let mut files = victim.now.files.clone();
    let note = super::super::forge::sign(&files, victim.now.size, merkle::Hash([7; 32]))?;
    files.insert(CHECKPOINT_PATH.to_owned(), note.into_bytes());
    Ok(by_folder(victim, files))
}

/// Paths that begin like this.
fn paths(files: &Files, start: &str) -> Vec<String> {
    files.keys().filter(|path| path.starts_with(start)).cloned().collect()
}

fn without<'v>(victim: &'v Victim, start: &str, count: usize) -> Result<Case<'v>, String> {
    let mut files = victim.now.files.clone();
    let gone: Vec<String> = paths(&files, start).into_iter().take(count).collect();
    if gone.is_empty() {
        return Err(format!("there is no {start}"));
    }
    files.retain(|path, _| !gone.contains(path));
    Ok(by_folder(victim, files))
}

fn without_segment_and_ledger(victim: &Victim) -> Result<Case<'_>, String> {
    let mut case = without(victim, "segments/", 1)?;
    case.files.retain(|path, _| !path.starts_with("ledger/"));
    Ok(case)
}

fn swapped(victim: &Victim) -> Result<Case<'_>, String> {
    let mut files = victim.now.files.clone();
    let segments = paths(&files, "segments/");
    let [one, other, ..] = segments.as_slice() else { return Err("too few segments".to_owned()) };
    let (first, second) = (files.remove(one), files.remove(other));
    files.extend(first.map(|bytes| (other.clone(), bytes)));
    files.extend(second.map(|bytes| (one.clone(), bytes)));
    Ok(by_folder(victim, files))
}

/// A segment made anew of what `change` leaves of its rows, under the same name and key.
fn resealed(
    victim: &Victim,
    change: impl FnOnce(&mut Vec<segment::Row>),
) -> Result<Case<'_>, String> {
    let mut files = victim.now.files.clone();
    let mut catalogue = Catalogue::default();
    for path in paths(&files, "ledger/") {
        let document = files.get(&path).ok_or("the ledger is gone")?;
        let document = event::Disclosed::parse(document).map_err(text)?;
        catalogue.add(&document).map_err(text)?;
    }
    let current: Vec<&Manifest> = catalogue.current();
    let manifest = current.iter().max_by_key(|it| it.rows).ok_or("there is no segment")?;
    let path = manifest.path();
    let keyring = files.get(KEYRING_PATH).ok_or("there is no keyring")?;
    let keyring = Keyring::open(keyring, &kek()).map_err(text)?;
    let key = keyring.get(manifest.key_id).ok_or("its key is missing")?;
    let bytes = files.get(&path).ok_or("the segment is missing")?.clone();
    let segment = Segment::open(bytes, key).map_err(text)?;
    let rows = segment.rows(.., Projection::All).map_err(text)?;
    let mut rows = rows.collect::<Result<Vec<_>, _>>().map_err(text)?;
    change(&mut rows);
    let mut made = Vec::new();
    let mut writer = SegmentWriter::new(&mut made, key, manifest.key_id).map_err(text)?;
    for row in &rows {
        writer.push_row(row).map_err(text)?;
    }
    writer.finish().map_err(text)?;
    files.insert(path, made);
    Ok(by_folder(victim, files))
}

fn rewritten_segment(victim: &Victim) -> Result<Case<'_>, String> {
    resealed(victim, |rows| {
        if let Some(row) = rows.get_mut(3) {
            let meta = String::from_utf8_lossy(&row.meta).replace("alice", "mallory");
            row.meta = meta.into_bytes();
        }
    })
}

fn shortened_segment(victim: &Victim) -> Result<Case<'_>, String> {
    resealed(victim, |rows| drop(rows.remove(3)))
}

fn key_gone(victim: &Victim) -> Result<Case<'_>, String> {
    let mut files = victim.now.files.clone();
    let keyring = files.get(KEYRING_PATH).ok_or("there is no keyring")?;
    let mut keyring = Keyring::open(keyring, &kek()).map_err(text)?;
    let id = keyring.by_purpose(Purpose::Segment).next().map(|(info, _)| info.id);
    keyring.destroy(id.ok_or("there is no key of a segment")?).map_err(text)?;
    let bytes = keyring.to_bytes(&kek(), &SystemEntropy::new()).map_err(text)?;
    files.insert(KEYRING_PATH.to_owned(), bytes);
    Ok(by_folder(victim, files))
}

fn older_keyring(victim: &Victim) -> Result<Case<'_>, String> {
    let mut files = victim.now.files.clone();
    let entropy = SystemEntropy::new();
    // Of the first generation, with every key of today.
    let today = files.get(KEYRING_PATH).ok_or("there is no keyring")?;
    let today = Keyring::open(today, &kek()).map_err(text)?;
    let mut older = Keyring::create(today.log_id(), &kek());
    for info in today.list() {
        let key = today.get(info.id).ok_or("a key is missing")?;
        older.insert(info.id, info.purpose, key.duplicate(), info.created_ms).map_err(text)?;
    }
    let bytes = older.to_bytes(&kek(), &entropy).map_err(text)?;
    files.insert(KEYRING_PATH.to_owned(), bytes);
    Ok(by_folder(victim, files))
}

fn foreign_file<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let (victim, other) = (&scene.rolled, &scene.open);
    let mut files = victim.now.files.clone();
    let path = paths(&other.now.files, "journal/").into_iter().next();
    let path = path.ok_or("there is no journal")?;
    let bytes = other.now.files.get(&path).ok_or("there is no journal")?.clone();
    files.insert(path, bytes);
    Ok(by_folder(victim, files))
}

fn no_cosigned(victim: &Victim) -> Result<Case<'_>, String> {
    let mut files = victim.now.files.clone();
    files.remove(COSIGNED);
    Ok(Case { victim, files, by: By::Policy })
}

/// A witness of the same name that sees whatever it is shown.
fn false_witness(victim: &Victim) -> Result<Case<'_>, String> {
    let mut case = rewrite(victim, |records| records.pop().map(|_| ()).ok_or("empty".to_owned()))?;
    let watch = Watch::new("w.example.org", 6, &victim.vkeys)?;
    let Answer::Cosigned(_, note) = watch.ask(&case.files, None)? else {
        return Err("it was to see whatever it is shown".to_owned());
    };
    case.files.insert(COSIGNED.to_owned(), note.into_bytes());
    Ok(Case { by: By::Policy, ..case })
}

/// A receipt with the log's genuine checkpoint, for a leaf that never was in its tree.
fn false_receipt(victim: &Victim) -> Result<Case<'_>, String> {
    let real = victim.receipts.iter().find(|it| it.index > victim.early.size);
    let real = real.ok_or("there is no receipt")?.clone();
    let leaf_hash = "5a".repeat(32);
    let line = real.line.replace(&real.leaf_hash, &leaf_hash);
    let receipt = Receipt { leaf_hash, line, ..real };
    Ok(Case { victim, files: victim.now.files.clone(), by: By::Receipt(receipt) })
}

/// An event that its producer sent and nobody acknowledged; the log is as the writer made it.
fn dropped<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let data = scene.at.join("dropping");
    scene.tacho.fine(&[Path::new("init"), Path::new("--data"), data.as_path()])?;
    let sent = super::super::victim::events(0..30);
    let passed: String = sent
        .lines()
        .filter(|line| !line.contains("\"e-17\""))
        .map(|it| format!("{it}\n"))
        .collect();
    append(scene.tacho, &data, &scene.at, &passed)?;
    let victim = &scene.open;
    Ok(Case { victim, files: victim.now.files.clone(), by: By::Numbers(data) })
}
