//! A copy of a log as of one checkpoint, taken while a writer may be running, and put back.
//!
//! A backup is a data folder with one log in it, so whatever reads logs reads backups. It never
//! holds the key-encryption key. Both ways the copy is checked as a log before it gets its name.
//!
//! | question | file |
//! |---|---|
//! | which files belong to one checkpoint? | `backup/snapshot.rs` |
//! | copying; a folder that appears whole or not at all | `backup/staging.rs` |
//! | one file instead of a folder | `backup/archive.rs` |

mod archive;
mod snapshot;
mod staging;

pub(crate) use archive::{pack, unpack};
pub(crate) use snapshot::take;
pub(crate) use staging::{Staging, copy_all, left_over};

use crate::configuration_folder::ConfigurationFolder;
use crate::context::Context;
use crate::failure::Failure;
use checkpoint::VerifierKey;
use keys::Kek;
use prove::{Finding, Report, Trust};
use reading::verify::{Options, SinceFile, verify};
use std::path::Path;
use std::sync::Arc;
use store::{DiskFolder, Folder};

/// Checks a copy as a log, with everything that is known of its signer.
pub(crate) fn check(
    context: &Context,
    path: &Path,
    log_id: &str,
    kek: Option<&Kek>,
    pinned: &[VerifierKey],
    since: Option<&SinceFile>,
) -> Result<Report, Failure> {
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(path));
    let mut trust = Trust { pinned: pinned.to_vec(), ..Trust::default() };
    let mut origin = None;
    let known = ConfigurationFolder::locate().and_then(|folder| folder.known_log(log_id));
    if let Some(known) = known.filter(|_| pinned.is_empty()) {
        for key in &known.vkeys {
            trust.pinned.push(key.parse()?);
        }
        origin = Some(known.origin);
    }
    let mut progress = context.terminal.progress("entries checked");
    let options = Options { trust, origin, since: since.cloned() };
    let report = verify(&folder, kek, &options, &mut |it| progress.at(it.done, it.total));
    progress.finish();
    Ok(report)
}

/// What is wrong, in a few words: the first finding, and how many there are.
pub(crate) fn first_finding(report: &Report) -> String {
    in_few_words(report, report.findings().first())
}

/// The same, of a report that says that records are damaged or gone: the first of them.
pub(crate) fn first_of_records(report: &Report) -> String {
    let is_of_records = |it: &&Finding| it.kind.is_failure() && it.index.is_some();
    in_few_words(report, report.findings().iter().find(is_of_records))
}

fn in_few_words(report: &Report, finding: Option<&Finding>) -> String {
    let Some(finding) = finding else { return "nothing was found".to_owned() };
    let place = match (finding.index, finding.file.as_str()) {
        (Some(index), "") => format!("record {index}"),
        (Some(index), file) => format!("record {index} in {file}"),
        (None, file) => file.to_owned(),
    };
    let more = report.findings().len() as u64 + report.findings_omitted - 1;
    let more = match more {
        0 => String::new(),
        1 => " (and one more finding)".to_owned(),
        _ => format!(" (and {more} more findings)"),
    };
    crate::terminal::plain(&format!("{place}: {}{more}", finding.detail))
}
