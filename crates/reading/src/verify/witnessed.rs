//! How many witnesses saw the log, and whether what they saw is what is here.
//!
//! Witnesses cosign a little later than the log signs, so their checkpoint is another file than the
//! published one, and older. That the log continues it is shown by a consistency proof between the
//! two roots: whoever hands out the tiles cannot lie about that.

use crate::COSIGNED_PATH;
use checkpoint::{Checkpoint, OpenError, Policy, PolicyVerdict, VerifierKey, open_checkpoint};
use event::Timestamp;
use merkle::{Hash, TileCoordinate, TileReader, consistency_proof, verify_consistency};
use prove::{Finding, FindingKind, Level, Report};
use query::AsOf;

/// What enough witnesses saw of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// The entries that they saw.
    pub size: u64,
    /// Who, how many of how many, and when, in a sentence.
    pub found: String,
}

/// Adds to the report of a log that was checked what a policy asks of its witnesses. `note` is the
/// log's cosigned checkpoint, read before the log was checked; `read` gives its tiles.
pub fn check_witnesses(
    policy: &Policy,
    note: Option<&[u8]>,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    report: &mut Report,
) {
    if !policy.needs_witnesses() {
        report.note("the policy asks for no witness");
        return;
    }
    let tree =
        AsOf { origin: report.origin.clone(), size: report.size, root_hex: report.root.clone() };
    match seen_by_witnesses(policy, note, &tree, read) {
        Ok(witnessed) => {
            report.note(witnessed.found);
            if report.level == Level::Signed {
                report.level = Level::Witnessed;
            }
        }
        Err(finding) => report.add(*finding),
    }
}

/// What enough witnesses saw of the log that has this tree. `note` is its cosigned checkpoint,
/// `read` gives its tiles.
///
/// # Errors
/// What is wrong: too few witnesses, or they saw another log.
pub fn seen_by_witnesses(
    policy: &Policy,
    note: Option<&[u8]>,
    tree: &AsOf,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<Witnessed, Box<Finding>> {
    let of = policy.witnesses().len();
    let unmet =
        |detail: String| Box::new(Finding::of_file(FindingKind::Signature, COSIGNED_PATH, detail));
    let note = note.ok_or_else(|| {
        unmet(format!("no checkpoint was cosigned by enough of the policy's {of} witnesses"))
    })?;
    let (seen, verdict) =
        open(policy, note, &tree.origin).map_err(|error| unmet(error.to_string()))?;
    let count = verdict.witnesses.len();
    if !verdict.quorum_met {
        let detail = format!("{count} of the policy's {of} witnesses cosigned, which are too few");
        return Err(unmet(detail));
    }
    compare(&seen, read, tree)?;
    let newer = tree.size.saturating_sub(seen.size);
    let who: Vec<String> = verdict.witnesses.iter().map(|(name, at)| said(name, *at)).collect();
    let rest = match newer {
        0 => String::new(),
        newer => format!("; the {newer} newest are signed by the log alone so far"),
    };
    let found = format!(
        "{count} of {of} witnesses, enough by the policy, saw {} of {} entries: {}{rest}",
        seen.size,
        tree.size,
        who.join(", ")
    );
    Ok(Witnessed { size: seen.size, found })
}

/// The checkpoint that witnesses cosigned, and which of them did. Whether the log signed it is not
/// asked: it is compared with what the log signs.
fn open(
    policy: &Policy,
    note: &[u8],
    origin: &str,
) -> Result<(Checkpoint, PolicyVerdict), OpenError> {
    let witnesses = policy.witnesses().iter();
    let keys: Vec<VerifierKey> = witnesses.map(|witness| witness.key.key.clone()).collect();
    let opened = open_checkpoint(note, origin, &keys)?;
    let verdict = policy.evaluate(&opened);
    Ok((opened.checkpoint, verdict))
}

/// Whether the log that was checked continues what witnesses saw.
fn compare(
    seen: &Checkpoint,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    tree: &AsOf,
) -> Result<(), Box<Finding>> {
    if seen.size > tree.size {
        let detail = format!(
            "witnesses saw {} entries, and the log has {}: it was rolled back",
            seen.size, tree.size
        );
        let (kind, count) = (FindingKind::Truncated, seen.size - tree.size);
        let finding = Finding::of_records(kind, tree.size, count, COSIGNED_PATH, detail);
        return Err(Box::new(finding));
    }
    let finding = |kind, detail| Box::new(Finding::of_file(kind, COSIGNED_PATH, detail));
    let root: Hash = tree.root_hex.parse().map_err(|_| {
        finding(FindingKind::Unassessed, "the log has no root to be compared with".to_owned())
    })?;
    let tiles = |tile: TileCoordinate| Ok::<_, std::convert::Infallible>(read(&tile.path()));
    let proof = consistency_proof(&TileReader::new(tiles, tree.size), seen.size, tree.size);
    let proof = proof.map_err(|error| {
        let detail = format!("what witnesses saw cannot be compared with the log: {error}");
        finding(FindingKind::Unassessed, detail)
    })?;
    verify_consistency(seen.size, &seen.root, tree.size, &root, &proof).map_err(|error| {
        let detail = format!(
            "the log does not continue the {} entries that witnesses saw: {error}",
            seen.size
        );
        finding(FindingKind::Forked, detail)
    })
}

/// A witness, and when it says that it saw the log.
fn said(name: &str, seconds: u64) -> String {
    let at = Timestamp::from_milliseconds(seconds.saturating_mul(1_000));
    format!("{name} at {at}")
}

#[cfg(test)]
#[path = "witnessed/tests.rs"]
mod tests;
