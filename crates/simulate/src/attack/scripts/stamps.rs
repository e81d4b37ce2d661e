//! What stands beside the log of time-stamping authorities: stamps that are hidden, made by
//! somebody else, or genuine and too late.

use super::super::court::{By, Case};
use super::super::stamper::Stamper;
use super::{Scene, Script, rewrite};
use seal::CHECKPOINT_PATH;

pub(super) const ATTACKS: &[Script] = &[
    ("hide the stamps of a log that was rewritten", |it| hidden(it)),
    ("stamp a rewritten log by an authority of one's own", |it| own(it)),
    ("backdate all records, and have them stamped now", |it| late(it)),
];

/// Milliseconds of three days.
const DAYS_MS: u64 = 3 * 24 * 3_600_000;

fn without_last<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    rewrite(&scene.open, |records| records.pop().map(drop).ok_or("empty".to_owned()))
}

fn hidden<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let mut case = without_last(scene)?;
    case.files.retain(|path, _| !path.starts_with(anchor::ANCHOR_FOLDER));
    Ok(Case { by: By::Stamps { within: None }, ..case })
}

fn own<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let mut case = without_last(scene)?;
    let own = Stamper::make(&scene.at.join("own-authority"))?.ok_or("there is no OpenSSL")?;
    let note = case.files.get(CHECKPOINT_PATH).ok_or("there is no checkpoint")?;
    let stamps = own.stamp(note)?;
    case.files.extend(stamps);
    Ok(Case { by: By::Stamps { within: None }, ..case })
}

/// A genuine stamp of a log whose records say that they are older than they are: nothing is wrong
/// with it but that it comes late.
fn late<'s>(scene: &'s Scene<'s>) -> Result<Case<'s>, String> {
    let mut case = rewrite(&scene.open, |records| {
        records.iter_mut().for_each(|record| record.time_ms -= DAYS_MS);
        Ok(())
    })?;
    let stamper = scene.stamper.ok_or("there is no OpenSSL")?;
    let note = case.files.get(CHECKPOINT_PATH).ok_or("there is no checkpoint")?;
    let stamps = stamper.stamp(note)?;
    case.files.extend(stamps);
    Ok(Case { by: By::Stamps { within: Some(24) }, ..case })
}
