//! How many witnesses saw the log, and whether what they saw is what is here.
//!
//! Witnesses cosign a little later than the log signs, so their checkpoint is another file than the
//! published one, and older.

use super::continued::Outside;
use crate::COSIGNED_PATH;
use checkpoint::{Checkpoint, OpenError, Policy, PolicyVerdict, VerifierKey, open_checkpoint};
use event::Timestamp;
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
    let outside = Outside { checkpoint: &seen, who: "witnesses saw", file: COSIGNED_PATH };
    outside.is_continued(read, tree)?;
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

/// A witness, and when it says that it saw the log.
fn said(name: &str, seconds: u64) -> String {
    let at = Timestamp::from_milliseconds(seconds.saturating_mul(1_000));
    format!("{name} at {at}")
}

#[cfg(test)]
#[path = "witnessed/tests.rs"]
mod tests;
