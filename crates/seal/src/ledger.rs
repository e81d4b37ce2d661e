//! The ledger: what the log says about its own files, disclosed, and what follows from it.
//!
//! The order is what makes a roll safe. The segments are durable and checked; then the log says so,
//! under a published checkpoint; then the ledger shows what it said; only then does the journal
//! file go, and its key. A crash anywhere leaves either the file or everything that took its place,
//! and the next start finishes what was begun.

use crate::batch::Batch;
use crate::build::Built;
use crate::error::SealError;
use crate::life;
use crate::receipt::Outcome;
use crate::report::Unreported;
use crate::rewrite::{Rewrite, compactible};
use crate::roll::{Closed, Job};
use crate::window::WINDOW_EVENTS;
use crate::writer::{KEYRING_PATH, Writer, journal_key};
use event::{Disclosed, Record};
use keys::{KeyId, Purpose};
use segment::{Catalogue, Manifest, belongs_in_ledger, ledger_path};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a writer knows about the files that hold its records.
#[derive(Default)]
pub(crate) struct Holdings {
    pub(crate) catalogue: Catalogue,
    /// Journal files that nothing is written to any more, oldest first.
    pub(crate) closed: Vec<Closed>,
    /// Records that the ledger is to show and does not show yet.
    pub(crate) undisclosed: Vec<Disclosed>,
    /// Removals that the log has not said to be done.
    pub(crate) unreported: Unreported,
}

impl Holdings {
    /// Takes the log's own records of a group into account: what the ledger must show of them, and
    /// what they say of removals.
    pub(crate) fn note(&mut self, life: &Batch, outcomes: &[Outcome]) {
        for (item, outcome) in life.items.iter().zip(outcomes) {
            let Outcome::Sealed { index, .. } = outcome else { continue };
            let bytes = life.bytes.get(item.record.clone()).unwrap_or_default();
            let Ok((record, _)) = Record::decode(bytes) else { continue };
            self.undisclosed.extend(disclosure(*index, &record));
            self.unreported.note(*index, &record);
        }
    }
}

/// A record as the ledger shows it; `None` for one that it does not show.
pub(crate) fn disclosure(index: u64, record: &Record<'_>) -> Option<Disclosed> {
    if record.kind != event::Kind::Log || !belongs_in_ledger(record.meta) {
        return None;
    }
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    Some(Disclosed {
        index,
        meta_salt: record.meta_salt,
        meta: text(record.meta)?,
        content_salt: record.content_salt,
        content: text(record.content)?,
    })
}

impl Writer {
    /// Rolls every closed journal file into segments, and deletes it. Returns how many there were.
    ///
    /// # Errors
    /// Whatever keeps it from being done: the journal file is still there then. After a failed
    /// append or publication the log must be reopened.
    pub fn roll(&mut self) -> Result<usize, SealError> {
        // Also when there is nothing to roll: whoever hears that all is well may show the head, and
        // that of a poisoned writer may have been signed for what is not durable.
        self.refuse_if_poisoned()?;
        let mut count = 0;
        // Files that end while this goes on are left for the next time: announcements fill the
        // journal as well.
        for _ in 0..self.holdings.closed.len() {
            let Some(job) = self.next_roll()? else { break };
            let segments = job.run()?;
            self.announce(segments)?;
            self.publish()?;
            count += 1;
        }
        Ok(count)
    }

    /// Makes one segment of small ones of the same tier and day, as long as there are many. Returns
    /// how many were made.
    ///
    /// # Errors
    /// As [`Writer::roll`]; the small ones are still there then.
    pub fn compact(&mut self) -> Result<usize, SealError> {
        let mut count = 0;
        while let Some(rewrite) = self.next_compaction()? {
            let segments = rewrite.run()?;
            self.announce(segments)?;
            self.publish()?;
            count += 1;
        }
        Ok(count)
    }

    /// What is to be compacted next, if anything.
    pub(crate) fn next_compaction(&self) -> Result<Option<Rewrite>, SealError> {
        self.refuse_if_poisoned()?;
        // What was announced and is not settled yet may replace the same segments.
        if !self.holdings.undisclosed.is_empty() {
            return Ok(None);
        }
        let Some(small) = compactible(&self.holdings.catalogue) else { return Ok(None) };
        self.rewrite(small).map(Some)
    }

    /// What is needed to write segments anew, with every removal carried out that waits in them.
    pub(crate) fn rewrite(&self, manifests: Vec<Manifest>) -> Result<Rewrite, SealError> {
        let catalogue = &self.holdings.catalogue;
        let mut removals = BTreeMap::new();
        let mut sources = Vec::with_capacity(manifests.len());
        for manifest in manifests {
            let pending = catalogue.pending(&manifest).into_iter();
            removals.extend(pending.map(|(index, removal)| (index, removal.clone())));
            let key = self.keyring.get(manifest.key_id).ok_or_else(|| {
                let detail = format!("the key of {} is not in it", manifest.path());
                SealError::corrupt(KEYRING_PATH, detail)
            })?;
            sources.push((manifest, key.duplicate()));
        }
        let (folder, entropy) = (Arc::clone(&self.folder), Arc::clone(&self.options.entropy));
        let (removals, last_removal) = (removals.into_values().collect(), catalogue.last_removal());
        Ok(Rewrite { folder, entropy, sources, removals, last_removal })
    }

    /// Ends the current journal file with the next group, so that everything before can be rolled.
    pub fn end_journal_file(&mut self) {
        self.journal_ends = true;
    }

    /// What is to be rolled next, if anything.
    pub(crate) fn next_roll(&self) -> Result<Option<Job>, SealError> {
        self.refuse_if_poisoned()?;
        // What is announced to go is carried out first, and a file that says so stays until it is
        // reported: the next start finds there what is left to say.
        let end = self.holdings.unreported.first().unwrap_or(u64::MAX);
        let waits = |closed: &&Closed| closed.end <= end && !self.is_announced(closed);
        let Some(closed) = self.holdings.closed.iter().find(waits) else { return Ok(None) };
        let secret = self.keyring.newest(Purpose::IdempotencySecret);
        Ok(Some(Job {
            folder: Arc::clone(&self.folder),
            log_id: self.identity.id()?,
            closed: closed.clone(),
            key: journal_key(&self.keyring, closed.key_id)?,
            names: self.fingerprints.clone(),
            secret: secret.map(|(_, secret)| Zeroizing::new(*secret.expose())),
            oldest: self.size().saturating_sub(WINDOW_EVENTS as u64),
            entropy: Arc::clone(&self.options.entropy),
        }))
    }

    /// True when segments with the records of a journal file were announced.
    fn is_announced(&self, closed: &Closed) -> bool {
        let announced = |disclosed: &Disclosed| {
            Manifest::from_content(disclosed.content.as_bytes())
                .is_ok_and(|manifest| manifest.replaces.contains(&closed.path))
        };
        self.holdings.catalogue.replaces(&closed.path)
            || self.holdings.undisclosed.iter().any(announced)
    }

    /// Says in the log that segments took the place of other files.
    pub(crate) fn announce(&mut self, segments: Vec<Built>) -> Result<(), SealError> {
        let now_ms = self.options.clock.now_ms();
        let mut announcements = Vec::with_capacity(segments.len());
        for (manifest, key) in segments {
            self.keyring.insert(manifest.key_id, Purpose::Segment, key, now_ms)?;
            announcements.push(life::segment(&manifest));
        }
        // The keys are durable before anybody is told that there is something to open with them.
        // Whether a keyring that could not be replaced has them, only opening again tells.
        if let Err(error) = self.store_keyring() {
            self.poison(error.to_string());
            return Err(error);
        }
        self.announcements.extend(announcements);
        self.commit(Vec::new()).map(|_| ())
    }

    /// Says in the log that a journal file could not be rolled, and why.
    pub(crate) fn note_failed_roll(&mut self, error: &SealError) -> Result<(), SealError> {
        let waits = |closed: &&Closed| !self.is_announced(closed);
        let Some(closed) = self.holdings.closed.iter().find(waits) else { return Ok(()) };
        self.announcements.push(life::roll_failed(&closed.path, &error.to_string()));
        self.commit(Vec::new()).map(|_| ())
    }

    /// Shows what a published checkpoint covers of what was announced, and then removes the files
    /// that are no longer needed, with their keys, and signing keys that are not in force.
    pub(crate) fn settle(&mut self) -> Result<(), SealError> {
        let published = self.published;
        let holdings = &mut self.holdings;
        if holdings.undisclosed.iter().any(|disclosed| disclosed.index >= published) {
            return Ok(());
        }
        let shown = std::mem::take(&mut holdings.undisclosed);
        let paths: Vec<String> = shown.iter().map(|shown| ledger_path(shown.index)).collect();
        for (path, disclosed) in paths.iter().zip(&shown) {
            self.folder.write(path, &disclosed.to_bytes())?;
            let unreadable =
                |error: segment::ManifestError| SealError::corrupt(path, error.to_string());
            holdings.catalogue.add(disclosed).map_err(unreadable)?;
        }
        self.folder.sync(&paths)?;
        let (done, left): (Vec<Closed>, Vec<Closed>) = std::mem::take(&mut holdings.closed)
            .into_iter()
            .partition(|closed| holdings.catalogue.replaces(&closed.path));
        holdings.closed = left;
        // A replaced segment whose key is gone is gone itself.
        let replaced = |(_, manifest): &(u64, &Manifest)| {
            holdings.catalogue.replaces(&manifest.path())
                && self.keyring.get(manifest.key_id).is_some()
        };
        let segments = holdings.catalogue.announced().filter(replaced);
        let segments = segments.map(|(_, manifest)| (manifest.path(), manifest.key_id));
        let journal = done.into_iter().map(|closed| (closed.path, closed.key_id));
        let gone: Vec<(String, KeyId)> = journal.chain(segments).collect();
        let drops_signers = self.drop_signers();
        if gone.is_empty() && !drops_signers {
            return Ok(());
        }
        for (path, key_id) in gone {
            self.folder.remove(&path)?;
            // It is gone already when a crash came between these two.
            let _ = self.keyring.destroy(key_id);
        }
        self.store_keyring()
    }

    pub(crate) fn store_keyring(&mut self) -> Result<(), SealError> {
        let bytes = self.keyring.to_bytes(&self.kek, &*self.options.entropy)?;
        Ok(self.folder.replace(KEYRING_PATH, &bytes)?)
    }
}
