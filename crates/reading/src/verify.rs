//! Is a whole folder what its log says? Every byte of every file but those in `cache/` is accounted
//! for.
//!
//! What the public log and the records must be is `prove`'s to say. Here is what only whoever holds
//! the folder can see: `log.json`, the keyring, the journal's files and frames, the segments'
//! files, and files that do not belong.
//!
//! | question | file |
//! |---|---|
//! | which files are there, and do `log.json` and the keyring read? | `verify/files.rs` |
//! | where does `prove` read from? | `verify/public.rs`, `verify/records.rs` |
//! | which records of an altered frame changed? | `verify/suspect.rs` |
//! | are the segments those that the log announced? | `verify/segments.rs` |
//! | is there a segment for every record before the journal? | `verify/coverage.rs` |
//! | may the journal end as it does? | `verify/tail.rs` |
//! | is it what receipts said? | `verify/since.rs` |
//! | what did witnesses see? | `verify/witnessed.rs` |
//! | what did time-stamping authorities see, and when? | `verify/anchored.rs` |
//! | does it continue what somebody outside has? | `verify/continued.rs` |
//! | is a public log that a server shows what its checkpoint says? | `verify/shown.rs` |

mod anchored;
mod continued;
mod coverage;
mod files;
mod public;
mod records;
mod segments;
mod shown;
mod since;
mod suspect;
mod tail;
mod witnessed;

pub use anchored::{Anchor, Anchored, check_anchors};
pub use shown::{Ask, NotShown, Shown};
pub use since::{ReceiptClaim, SinceError, SinceFile, check_receipts};
pub use witnessed::{Witnessed, check_witnesses, seen_by_witnesses};

use crate::{Bound, End, Faults, JournalWalk, Place, Step, Walk};
use coverage::Coverage;
use files::{Files, Secrets};
use keys::{Kek, Keyring};
use prove::{Finding, FindingKind, Progress, Report, Since, Trust, verify_log};
use public::PublicFiles;
use records::LogRecords;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use store::{Folder, JOURNAL_FOLDER};

/// Frames decrypted ahead of the check: enough to keep two cores busy, at most 48 MiB each.
const FRAMES_AHEAD: usize = 3;

/// How often a check is repeated when the log moved while it was being checked, and each time
/// something else seemed wrong.
const REPEATS_MAX: usize = 20;
/// What is wrong in so many checks one after the other is wrong, however much moves.
const ALIKE: usize = 3;

/// What to check against.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keys and policy that the caller vouches for. The keys of `log.json` are added as embedded
    /// ones.
    pub trust: Trust,
    /// The origin that the log must have; by default what `log.json` says.
    pub origin: Option<String>,
    /// A checkpoint and receipts that were kept from earlier.
    pub since: Option<SinceFile>,
}

/// Checks the log in `folder`: everything with its key-encryption key, the public part without.
///
/// A log that is being written to meanwhile is checked again when something seemed wrong and its
/// checkpoint or its files moved, or what is wrong lies where a writer writes.
pub fn verify(
    folder: &Arc<dyn Folder>,
    kek: Option<&Kek>,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Report {
    let mut earlier: Option<Vec<Finding>> = None;
    let mut alike = 1;
    for _ in 0..REPEATS_MAX {
        let before = state(&**folder);
        let report = Check { folder, options }.run(kek, progress);
        let is_same = earlier.as_deref() == Some(report.findings());
        alike = if is_same { alike + 1 } else { 1 };
        let may_pass = is_at_the_tail(&report, &before.1) && !is_same;
        let stands = alike == ALIKE || !may_pass && state(&**folder) == before;
        if report.exit_code() != 10 || stands {
            return report;
        }
        earlier = Some(report.findings().to_vec());
    }
    Check { folder, options }.run(kek, progress)
}

/// Whether something is wrong with the journal's last file: a writer may have been in the middle of
/// a frame there while it was read. What is really wrong is wrong a second time.
fn is_at_the_tail(report: &Report, files: &[String]) -> bool {
    let journal = files.iter().filter(|path| store::parse_journal_path(path).is_some());
    let last = journal.max();
    last.is_some_and(|last| report.findings().iter().any(|finding| finding.file == *last))
}

/// What changes while a log is being written to: its checkpoint, and which files hold its records.
fn state(folder: &dyn Folder) -> (Option<Vec<u8>>, Vec<String>) {
    let folders = [JOURNAL_FOLDER, segment::SEGMENT_FOLDER, segment::LEDGER_FOLDER];
    let files = folders.iter().flat_map(|path| folder.list(path).unwrap_or_default()).collect();
    (folder.read(seal::CHECKPOINT_PATH).ok().flatten(), files)
}

/// One check.
struct Check<'c> {
    folder: &'c Arc<dyn Folder>,
    options: &'c Options,
}

impl Check<'_> {
    fn run(&self, kek: Option<&Kek>, progress: &mut dyn FnMut(Progress)) -> Report {
        let files = match Files::read(&**self.folder, kek) {
            Ok(files) => files,
            Err(error) => {
                let mut report = Report::new("");
                let detail = format!("the log's folder cannot be read: {error}");
                report.add(Finding::of_file(FindingKind::Unreadable, "", detail));
                return report;
            }
        };
        let origin = self.options.origin.clone().unwrap_or_else(|| files.origin.clone());
        let mut trust = self.options.trust.clone();
        trust.embedded.extend(files.embedded.iter().cloned());
        trust.pending.extend(files.pending.iter().cloned());
        let note = self.options.since.as_ref().and_then(|since| since.checkpoint.as_deref());
        let since = note.map(|note| Since { note: note.as_bytes() });
        let mut public = PublicFiles::new(&**self.folder, &files);
        let mut report = match &files.secrets {
            Secrets::Open(keyring) => {
                self.with_records(&files, keyring, &mut public, &mut |public, records| {
                    verify_log(public, Some(records), &origin, &trust, since, progress)
                })
            }
            Secrets::Closed => {
                let mut report = verify_log(&mut public, None, &origin, &trust, since, progress);
                self.without_records(&files, &mut report);
                segments::judge_torn(&files, &mut report);
                report
            }
        };
        segments::check(&**self.folder, &files, &mut report);
        files.findings.into_iter().for_each(|finding| report.add(finding));
        if let Some(since) = &self.options.since {
            let read = |path: &str| self.folder.read(path).ok().flatten();
            check_receipts(&read, &since.receipts, &mut report);
        }
        report
    }

    /// Decrypts in a second thread while the records are being checked.
    fn with_records(
        &self,
        files: &Files,
        keyring: &Keyring,
        public: &mut PublicFiles<'_>,
        check: &mut dyn FnMut(&mut PublicFiles<'_>, &mut LogRecords<'_>) -> Report,
    ) -> Report {
        let bound = Bound { size: files.size, suspects: true };
        let Files { shelf, log_id, .. } = files;
        let place = Place { folder: self.folder, log_id: *log_id, keyring, shelf };
        let mut walk = match Walk::new(place, bound, 0) {
            Ok(walk) => walk.with_columns(),
            Err(error) => {
                let mut report = Report::new(&files.origin);
                let detail = format!("the journal cannot be listed: {error}");
                report.add(Finding::of_file(FindingKind::Unreadable, "journal", detail));
                return report;
            }
        };
        let (frames, inbox) = sync_channel::<(Step, Vec<u8>)>(FRAMES_AHEAD);
        let (give_back, spare) = sync_channel::<Vec<u8>>(FRAMES_AHEAD + 2);
        let decrypt = move || {
            loop {
                let mut payload = spare.try_recv().unwrap_or_default();
                let step = walk.next(&mut payload);
                let ends = matches!(step, Step::End);
                if frames.send((step, payload)).is_err() || ends {
                    return walk.into_end();
                }
            }
        };
        std::thread::scope(|scope| {
            let walking = scope.spawn(decrypt);
            let folder = &**self.folder;
            let mut records = LogRecords::new((folder, files.size), &shelf.shown, inbox, give_back);
            let mut report = check(public, &mut records);
            let observed = records.finish();
            // A walk that panicked would be a fault of this program; it must not pass for a good
            // end.
            let end = walking.join().unwrap_or_else(|_| {
                let detail = "reading the records ended in a fault of this program";
                let mut faults = Faults::default();
                faults.of_file(FindingKind::Unassessed, "journal", detail);
                End { faults, ..End::default() }
            });
            files.compare(keyring, &observed, &mut report);
            segments::compare(files, &observed, &mut report);
            suspect::conclude(&observed, &mut report);
            tail::judge(folder, &end, &observed, &mut report);
            end.faults.tell(&mut report);
            report
        })
    }

    /// What can be told of journal and segments without keys: names, headers, checksums, indexes.
    fn without_records(&self, files: &Files, report: &mut Report) {
        let (folder, shelf) = (&**self.folder, &files.shelf);
        let bound = Bound { size: files.size, suspects: false };
        let walk = JournalWalk::new(folder, files.log_id, None, shelf, bound, 0);
        let Ok(mut walk) = walk else { return };
        let mut coverage = Coverage::new(folder, files);
        let mut payload = Vec::new();
        loop {
            match walk.next(&mut payload) {
                Step::Frame { .. } | Step::Rows { .. } => {}
                Step::Suspect { file, first_index, count, detail }
                | Step::Damaged { file, first_index, count, detail } => {
                    let kind = FindingKind::Corrupt;
                    report.add(Finding::of_records(kind, first_index, count, &file, detail));
                }
                Step::Missing { first_index, count, .. } => {
                    coverage.check(first_index, first_index.saturating_add(count), report);
                }
                Step::End => break,
            }
        }
        let end = walk.into_end();
        tail::judge(folder, &end, &records::Observed::default(), report);
        end.faults.tell(report);
    }
}
