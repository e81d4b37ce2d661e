//! Older states and other branches: copies of the log's folder that were kept, and the real writer
//! in wrong hands.

use super::super::court::{By, Case};
use super::super::forge::rebuild_under;
use super::super::program::{files_of, write_files};
use super::super::victim::{Victim, append, log_in};
use super::super::{COSIGNED, Files};
use super::{Scene, Script, rewrite, text};
use crate::kill::{kek, options};
use event::{Principal, Scope};
use retain::{Erasure, Policy, Selector};
use seal::Writer;
use std::path::Path;
use std::sync::Arc;
use store::{DiskFolder, Folder, Reservation};

pub(super) const ATTACKS: &[Script] = &[
    ("put an older copy of the folder back", rolled_back),
    ("put an older copy of a log of segments back", rolled_back_segments),
    ("put an older copy back and go on from it", gone_on),
    ("show somebody a second branch of the same length", fork),
    ("go on from an older copy until it is longer", overtaken),
    ("forge an erasure before others saw the records", forged_erasure),
    ("forge an expiry before others saw the records", forged_expiry),
    ("forge a change of keys in the past", forged_rotation),
    ("sign with a key that was replaced", old_key),
    ("sign with a key of one's own", own_key),
];

/// An older state, to the byte.
fn restored(victim: &Victim) -> Result<Case<'_>, String> {
    let files = victim.early.files.clone();
    Ok(Case { victim, files, by: By::Facts(victim.early.size) })
}

fn rolled_back<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    restored(&scene.open)
}

fn rolled_back_segments<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    restored(&scene.rolled)
}

/// Other events than those that were sent.
fn others(count: u64) -> String {
    super::super::victim::events(100..100 + count).replace("order", "other order")
}

/// The older state, in a data folder of its own; `act` does what it wants with it.
fn from_early(
    scene: &Scene<'_>,
    victim: &Victim,
    act: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<Files, String> {
    let data = scene.at.join("data");
    let log = data.join(&victim.id);
    let mut files = victim.early.files.clone();
    files.remove(COSIGNED);
    // Whoever is root can make their own programs forget.
    scene.tacho.forget()?;
    write_files(&log, &files)?;
    act(&data)?;
    files_of(&log)
}

fn on(scene: &Scene<'_>, data: &Path, lines: &str) -> Result<(), String> {
    append(scene.tacho, data, &scene.at, lines)
}

/// The folder after the real writer went on from the older state.
fn gone_on<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let victim = &scene.open;
    let files = from_early(scene, victim, |data| on(scene, data, &others(50)))?;
    Ok(Case { victim, files, by: By::Facts(victim.early.size) })
}

fn overtaken<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let victim = &scene.open;
    let files = from_early(scene, victim, |data| on(scene, data, &others(400)))?;
    Ok(Case { victim, files, by: By::Facts(victim.early.size) })
}

fn fork<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let at = scene.open.index_of(290)?;
    rewrite(&scene.open, |records| {
        for record in records.iter_mut().skip(at).filter(|it| it.content.contains("order ")) {
            record.replace("order ", "no order ")?;
        }
        Ok(())
    })
}

/// Opens the log in a data folder with the real writer.
fn writing(data: &Path, act: impl FnOnce(&mut Writer) -> Result<(), String>) -> Result<(), String> {
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(log_in(data)?));
    let opened = seal::open(&folder, Arc::new(kek()), options(Reservation::Off));
    let mut writer = opened.map_err(text)?;
    act(&mut writer)?;
    writer.close().map_err(text)
}

/// The rest of what was sent, so that everything looks as it should.
fn the_rest() -> String {
    super::super::victim::events(100..300)
}

fn forged_erasure<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let victim = &scene.open;
    let files = from_early(scene, victim, |data| {
        writing(data, |writer| {
            let session = Some("session 3".to_owned());
            let selector = Selector { session, ..Selector::default() };
            let (reason, by) = ("asked for".to_owned(), Principal::default());
            let erasure = Erasure { selector, scope: Scope::Record, reason, ground: None, by };
            retain::erase(writer, &erasure, &Policy::default(), 0).map(|_| ()).map_err(text)
        })?;
        on(scene, data, &the_rest())
    })?;
    Ok(Case { victim, files, by: By::Facts(victim.early.size) })
}

fn forged_expiry<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let victim = &scene.open;
    let files = from_early(scene, victim, |data| {
        writing(data, |writer| {
            // By a clock that is ahead, everything is old.
            let now_ms = seal::Clock::now_ms(&seal::SystemClock) + (1 << 40);
            let policy = crate::model::short_policy();
            retain::expire(writer, &policy, now_ms, &Principal::default()).map(|_| ()).map_err(text)
        })?;
        on(scene, data, &the_rest())
    })?;
    Ok(Case { victim, files, by: By::Facts(victim.early.size) })
}

fn forged_rotation<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let victim = &scene.open;
    let files = from_early(scene, victim, |data| {
        rotate(data)?;
        on(scene, data, &the_rest())
    })?;
    Ok(Case { victim, files, by: By::Facts(victim.early.size) })
}

fn rotate(data: &Path) -> Result<(), String> {
    writing(data, |writer| {
        writer.rotate_keys(Some("yearly"), &Principal::default()).map(|_| ()).map_err(text)
    })
}

/// The log changed its key honestly. Whoever stole the old one signs a log that never did.
fn old_key<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let victim = &scene.open;
    let honest = from_early(scene, victim, rotate)?;
    let folder = store::MemoryFolder::from_files(honest);
    let identity = crate::reading::identity(&folder)?;
    let epochs = crate::reading::epochs(&folder, &identity)?;
    let newest: Vec<String> = epochs.last().keys.iter().map(ToString::to_string).collect();
    if newest == victim.vkeys {
        return Err("the keys did not change".to_owned());
    }
    let shorter = rewrite(victim, |records| records.pop().map(|_| ()).ok_or("empty".to_owned()))?;
    Ok(Case { by: By::Keys(newest), ..shorter })
}

/// A log of the same name and the same events, with another key in its description.
fn own_key<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let victim = &scene.open;
    let files = rebuild_under(&victim.now.files, &victim.history, [7; 32])?;
    Ok(Case { victim, files, by: By::Folder })
}
