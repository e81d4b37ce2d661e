//! The whole log: every byte of it, in one pass, in the memory of one day's streams.
//!
//! Checked are the checkpoint's signatures, the entries, their chain, times and streams, every
//! tile, the root, the records that the log discloses, the records beside the entries if the caller
//! can decrypt them, what was acknowledged but not yet published, and an older checkpoint if there
//! is one. After a fault the
//! check goes on as far as it makes sense, so that the findings name the records and the files.
//!
//! Not here: journal frames, segments, keyring and `log.json`; whoever reads those adds what it
//! finds to the report.
//!
//! | question | file |
//! |---|---|
//! | where do the bytes come from? | `log/source.rs` |
//! | bundle or tile: which is right? | `log/bundle.rs` |
//! | does an entry follow from the one before? | `log/walk.rs`, `log/streams.rs` |
//! | what is there beside an entry? | `log/reconcile.rs` |
//! | did the log say what the ledger shows? which keys are due? | `log/ledger.rs` |
//! | do agents' signatures hold? | `log/signatures.rs` |
//! | do the higher tiles and the root follow? | `log/tiles.rs`, `log/tree.rs` |

mod bundle;
mod ledger;
mod reconcile;
mod removals;
mod signatures;
mod source;
mod streams;
mod tiles;
mod tree;
mod walk;

use crate::report::{Finding, FindingKind, Report};
use crate::trust::{CHECKPOINT_FILE, Trust};
use bundle::Bundle;
use checkpoint::{Checkpoint, MAX_NOTE_BYTES};
use ledger::Ledger;
use merkle::{Frontier, Hash};
use reconcile::Reconciler;
use removals::Removals;
use signatures::Signatures;
use streams::Streams;
use tiles::Extras;
use tree::{Tree, WIDTH, perfect_root};
use walk::Heads;

pub use source::{Found, Progress, PublicLog, ReadError, Records};

/// Bundles in a row of which neither the entries nor the tile are there, after which the rest of
/// the log is taken for lost: a false size must not keep a check busy for ever.
const LOST_BUNDLES_MAX: u32 = 32;

/// Where a log stands after its last entry: all that is needed to append to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainState {
    /// The tree, with the number of entries.
    pub frontier: Frontier,
    /// The leaf hash of the last entry; zeros if there is none.
    pub last_leaf: [u8; 32],
    /// The latest record time, in Unix milliseconds.
    pub time_ms: u64,
}

/// A checkpoint of the same log that the caller kept from earlier, for example from a receipt: the
/// log must be a continuation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since<'a> {
    /// The signed checkpoint.
    pub note: &'a [u8],
}

/// Checks the log `origin`. `records` gives the records, where the caller has the keys; without it
/// only the public log is checked. `since` is a checkpoint that the log must continue.
pub fn verify_log<'a>(
    public: &'a mut dyn PublicLog,
    records: Option<&'a mut dyn Records>,
    origin: &str,
    trust: &Trust,
    since: Option<Since<'_>>,
    progress: &mut dyn FnMut(Progress),
) -> Report {
    let mut verifier = Verifier {
        public,
        records: records.map(Reconciler::new),
        report: Report::new(origin),
        tree: Tree::default(),
        streams: Streams::default(),
        heads: Heads::default(),
        extras: Extras::default(),
        ledger: Ledger::default(),
        removals: Removals::default(),
        signatures: Signatures::default(),
        last_leaf: Some(Hash([0; 32])),
        last_time_ms: 0,
        size: 0,
        root: None,
        since: None,
        buffer: Vec::new(),
    };
    // First the ledger: it says which keys took over, and so whose signature is due.
    let faults = verifier.read_ledger();
    let trust = verifier.follow_keys(origin, trust);
    verifier.read_checkpoint(origin, &trust);
    verifier.read_since(since, origin, &trust);
    let size = verifier.size;
    verifier.find_extras(size);
    faults.into_iter().for_each(|finding| verifier.report.add(finding));
    let whole = verifier.walk_published(progress);
    verifier.check_root(whole);
    if whole {
        verifier.finish_ledger();
        verifier.check_since();
        verifier.walk_unpublished();
        verifier.finish_extras();
    }
    verifier.finish(whole)
}

/// The state of one check.
struct Verifier<'a> {
    public: &'a mut dyn PublicLog,
    records: Option<Reconciler<'a>>,
    report: Report,
    tree: Tree,
    streams: Streams,
    heads: Heads,
    extras: Extras,
    ledger: Ledger,
    removals: Removals,
    signatures: Signatures,
    /// The last entry's leaf hash; `None` if it could not be known.
    last_leaf: Option<Hash>,
    last_time_ms: u64,
    /// Entries under the checkpoint.
    size: u64,
    /// The root in the checkpoint, if the checkpoint can be believed.
    root: Option<Hash>,
    /// An older checkpoint, until it was compared.
    since: Option<Checkpoint>,
    buffer: Vec<u8>,
}

impl Verifier<'_> {
    /// Reads the published checkpoint; if it cannot be believed, the files say how long the log is.
    fn read_checkpoint(&mut self, origin: &str, trust: &Trust) {
        self.buffer.clear();
        let limit = MAX_NOTE_BYTES + 1;
        match self.public.read(CHECKPOINT_FILE, limit, &mut self.buffer) {
            Ok(true) => {
                let published = trust.open_published(&self.buffer, origin);
                self.report.level = published.level;
                self.report.notes.extend(published.notes);
                published.findings.into_iter().for_each(|finding| self.report.add(finding));
                if let Some(checkpoint) = published.checkpoint {
                    self.size = checkpoint.size;
                    self.root = Some(checkpoint.root);
                    return;
                }
            }
            Ok(false) => {
                let detail = "there is no checkpoint; without one nothing says what the log holds";
                self.add_file(FindingKind::Missing, CHECKPOINT_FILE, detail.to_owned());
            }
            Err(error) => {
                let detail = format!("the checkpoint cannot be read: {error}");
                self.add_file(FindingKind::Unreadable, CHECKPOINT_FILE, detail);
            }
        }
        match tiles::size_of_files(self.public) {
            Ok(size) => self.size = size,
            Err(error) => {
                let detail = format!("the files cannot be listed: {error}");
                self.add_file(FindingKind::Unreadable, "tile", detail);
            }
        }
    }

    /// Reads the checkpoint that the caller kept. It is compared whoever signed it: a false one
    /// proves nothing if it agrees, and somebody has to explain it if not.
    fn read_since(&mut self, since: Option<Since<'_>>, origin: &str, trust: &Trust) {
        let Some(since) = since else { return };
        if let Err(error) = trust.open_receipt(since.note, origin) {
            let detail = format!("the earlier checkpoint is not accepted: {error}");
            self.add_file(FindingKind::Unassessed, "", detail);
        }
        let note = checkpoint::Note::parse(since.note).ok();
        let parsed = note.and_then(|note| Checkpoint::parse(note.text()).ok());
        self.since = parsed.filter(|checkpoint| checkpoint.origin == origin);
        self.check_since();
    }

    /// Walks every entry under the checkpoint; `false` when too much of it is lost to go on.
    fn walk_published(&mut self, progress: &mut dyn FnMut(Progress)) -> bool {
        let mut bundle = Bundle::default();
        let mut lost_in_a_row = 0;
        for number in 0..self.size.div_ceil(WIDTH as u64) {
            let first = number * WIDTH as u64;
            let width = (self.size - first).min(WIDTH as u64) as u16;
            if bundle.load(self.public, &mut self.report, number, width) {
                lost_in_a_row = 0;
            } else {
                lost_in_a_row += 1;
                if lost_in_a_row > LOST_BUNDLES_MAX {
                    let (kind, count) = (FindingKind::Missing, self.size - first);
                    let detail = "so much is gone that the rest was not looked at";
                    self.report.add(Finding::of_records(kind, first, count, "tile", detail));
                    return false;
                }
            }
            if !bundle.agrees() {
                self.settle(&mut bundle, number);
            }
            let between = self.since.as_ref().map(|since| since.size);
            let between = between.filter(|size| (first..first + u64::from(width)).contains(size));
            self.walk(&mut bundle);
            if let Some(size) = between {
                self.check_since_within((size - first) as usize);
            }
            self.close_full_tiles(true);
            progress(Progress { done: first + u64::from(width), total: self.size });
        }
        true
    }

    /// Decides where a bundle and its tile disagree, by the hash over all of it: in the tile above,
    /// or in the checkpoint for the last one.
    fn settle(&mut self, bundle: &mut Bundle, number: u64) {
        if bundle.slots.len() == WIDTH {
            let parent = self.parent_hash(0, number);
            bundle.settle(|leaves| Some(perfect_root(leaves)? == parent?));
        } else {
            let (tree, root) = (&self.tree, self.root);
            bundle.settle(|leaves| Some(tree.frontier(leaves)?.root() == root?));
        }
    }

    /// Compares the partial tiles and the root at the size of the checkpoint.
    fn check_root(&mut self, whole: bool) {
        self.report.size = self.size;
        if let Some(root) = self.root {
            self.report.root = root.to_string();
        }
        if !whole {
            return;
        }
        self.check_partial_tiles();
        let Some(frontier) = self.tree.frontier(self.tree.leaves()) else { return };
        let computed = frontier.root();
        match self.root {
            None => self.report.root = computed.to_string(),
            Some(root) if root != computed => {
                let detail = format!(
                    "the {} entries have root {computed}, but the checkpoint signs {root}",
                    self.size
                );
                self.add_file(FindingKind::Corrupt, CHECKPOINT_FILE, detail);
            }
            Some(_) => {}
        }
    }

    /// Follows what was acknowledged and not yet published.
    fn walk_unpublished(&mut self) {
        if self.records.is_none() {
            return self.follow_extra_bundles(self.size);
        }
        let mut index = self.size;
        while self.take_unpublished(index) {
            self.close_full_tiles(false);
            self.check_since();
            let Some(next) = index.checked_add(1) else { return };
            index = next;
        }
    }

    /// Compares the older checkpoint, if it is of the size that the tree has now.
    fn check_since(&mut self) {
        let Some(since) = &self.since else { return };
        if self.tree.leaves().len() < WIDTH {
            let frontier = self.tree.frontier(self.tree.leaves());
            let size = frontier.as_ref().map(Frontier::size);
            if size == Some(since.size) {
                self.compare_since(frontier.map(|frontier| frontier.root()));
            }
        }
    }

    /// Compares the older checkpoint with the first `count` entries of the bundle just walked.
    fn check_since_within(&mut self, count: usize) {
        let leaves = self.tree.leaves().get(..count).unwrap_or_default();
        let root = self.tree.frontier(leaves).map(|frontier| frontier.root());
        self.compare_since(root);
    }

    fn compare_since(&mut self, root: Option<Hash>) {
        let Some(since) = self.since.take() else { return };
        match root {
            Some(root) if root == since.root => {}
            Some(root) => {
                let detail = format!(
                    "at {} entries the earlier checkpoint has root {}, and this log has {root}",
                    since.size, since.root
                );
                self.add_file(FindingKind::Forked, CHECKPOINT_FILE, detail);
            }
            None => {
                let detail = "too much is lost to compare with the earlier checkpoint";
                self.add_file(FindingKind::Unassessed, CHECKPOINT_FILE, detail.to_owned());
            }
        }
    }

    /// What is left to say at the end.
    fn finish(mut self, whole: bool) -> Report {
        let frontier = self.tree.frontier(self.tree.leaves()).filter(|_| whole);
        if let Some(since) = self.since.take() {
            let length = self.size.saturating_add(self.report.unpublished);
            if since.size > length {
                let detail = format!(
                    "the earlier checkpoint has {} entries, and only {length} are there",
                    since.size
                );
                let (kind, count) = (FindingKind::Truncated, since.size - length);
                let file = CHECKPOINT_FILE;
                self.report.add(Finding::of_records(kind, length, count, file, detail));
            } else {
                self.since = Some(since);
                self.compare_since(None);
            }
        }
        self.removals.finish(&mut self.report);
        if self.records.is_none() && self.size > 0 {
            self.report.note("only the public log was checked: entries were counted, not records");
        }
        if let (Some(frontier), Some(last_leaf)) = (frontier, self.last_leaf) {
            let (last_leaf, time_ms) = (last_leaf.0, self.last_time_ms);
            self.report.chain = Some(ChainState { frontier, last_leaf, time_ms });
        }
        self.report
    }

    fn add_file(&mut self, kind: FindingKind, file: &str, detail: String) {
        self.report.add(Finding::of_file(kind, file, detail));
    }
}
